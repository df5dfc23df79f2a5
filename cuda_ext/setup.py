"""The distribution medsegan-cuda: a pure package around libraries that belong to no version of Python."""

import sys
from pathlib import Path

from setuptools import Extension, setup
from setuptools.command.bdist_wheel import bdist_wheel
from setuptools.command.build_ext import build_ext

sys.path.insert(0, str(Path(__file__).resolve().parent))
from build_kernels import FOLDER, build


class BuildKernels(build_ext):
    """Compile the libraries instead of an extension module."""

    def run(self) -> None:
        """Build beside the package's code for an editable install, else into the wheel."""
        build(FOLDER if self.inplace or self.editable_mode else Path(self.build_lib) / "medsegan_cuda")

    def get_outputs(self) -> list[str]:
        """Nothing that setuptools would have to rename: the libraries belong to no version of Python."""
        return []

    def get_output_mapping(self) -> dict[str, str]:
        """Nothing to link to for an editable install."""
        return {}


class PlatformWheel(bdist_wheel):
    """One wheel for every Python 3 of a platform."""

    def get_tag(self) -> tuple[str, str, str]:
        """No interpreter, no ABI of one, this platform."""
        return "py3", "none", super().get_tag()[2]


setup(
    ext_modules=[Extension("medsegan_cuda.kernels", sources=[])],
    cmdclass={"build_ext": BuildKernels, "bdist_wheel": PlatformWheel},
)
