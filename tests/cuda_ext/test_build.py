"""Building the kernels: what is demanded, what comes out, and that it hangs on no Python and no one torch."""

import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import torch
from kernel_scenes import EXTENSION, observe

PACKAGE = EXTENSION / "medsegan_cuda"
COMPILER = shutil.which("c++") or shutil.which("g++")
needs_compiler = pytest.mark.skipif(COMPILER is None, reason="no C++ compiler on PATH")
needs_nvcc = pytest.mark.skipif(shutil.which("nvcc") is None, reason="no nvcc on PATH")


def build(**environment: str) -> subprocess.CompletedProcess[str]:
    """A run of the builder that is expected to refuse."""
    return subprocess.run(
        [sys.executable, str(EXTENSION / "build_kernels.py")],
        capture_output=True,
        text=True,
        timeout=120,
        env={**os.environ, **environment},
    )


@pytest.mark.parametrize(
    ("environment", "words"),
    [
        ({"MEDSEGAN_CUDA": "1", "NVCC": "no-such-nvcc"}, ("NVCC is 'no-such-nvcc'",)),
        ({"MEDSEGAN_CUDA": "yes"}, ("'yes'", "auto, 0 or 1")),
        ({"MEDSEGAN_CUDA_ARCHS": "9.0"}, ("'9.0'", "80;90")),
        ({"PATH": "/nowhere"}, ("no C++ compiler", "set CXX")),
        ({"CXX": "no-such-compiler"}, ("CXX is 'no-such-compiler'",)),
    ],
    ids=["no nvcc", "bad wish", "bad architecture", "no compiler", "another compiler"],
)
def test_what_cannot_be_built_is_refused_in_a_sentence(environment, words):
    before = (PACKAGE / "build.json").read_bytes() if (PACKAGE / "build.json").is_file() else None
    done = build(**environment)
    assert done.returncode == 1
    assert done.stderr.startswith("build_kernels: ")
    assert "Traceback" not in done.stderr
    assert all(word in done.stderr for word in words), done.stderr
    assert ((PACKAGE / "build.json").read_bytes() if before else None) == before


@needs_compiler
@pytest.mark.parametrize(
    "source", sorted((EXTENSION / "csrc").glob("c*/*.c*")), ids=lambda path: path.parent.name + "/" + path.name
)
def test_every_kernel_joins_the_operator_that_is_declared(source, request):
    if request.config.getoption("--plain"):
        pytest.skip("the kernels are hidden by --plain")
    from medsegan.ops import has_kernel, load_kernels
    from medsegan.ops.library import declared

    names = re.findall(r'\.impl\("(\w+)"', source.read_text())
    assert set(names) <= set(declared())
    if source.suffix == ".cu" and torch.version.cuda is None:
        pytest.skip("this torch was built without CUDA")
    device = source.parent.name
    assert [name for name in names if not has_kernel(name, device)] == [], load_kernels()[device]


@needs_compiler
def test_a_checkout_with_a_compiler_has_its_kernels(request):
    if request.config.getoption("--plain"):
        pytest.skip("the kernels are hidden by --plain")
    from medsegan.ops import is_compiled, load_kernels, operators

    assert [name for name in operators() if not is_compiled(name, "cpu")] == [], load_kernels()


@needs_nvcc
def test_cuda_kernels_are_compiled_wherever_there_is_an_nvcc():
    record = json.loads((PACKAGE / "build.json").read_text())
    if os.environ.get("MEDSEGAN_CUDA") == "0":
        pytest.skip("MEDSEGAN_CUDA=0")
    library = PACKAGE / "libmedsegan_cuda.so"
    assert library.is_file(), record["why_no_cuda"]
    found = shutil.which("cuobjdump") or shutil.which("/usr/local/cuda/bin/cuobjdump")
    if found is None:
        pytest.skip("there is no cuobjdump to look into the library")
    command = [found, "--list-elf", "--list-ptx", str(library)]
    listed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert all(f"sm_{arch}" in listed for arch in record["archs"])
    assert ".ptx" in listed


def test_what_is_built_already_is_not_built_again():
    if not (PACKAGE / "build.json").is_file():
        pytest.skip("no kernels were built here")
    before = (PACKAGE / "libmedsegan_voxels.so").stat().st_mtime_ns
    done = build()
    assert done.returncode == 0, done.stderr
    assert "compiling" not in done.stderr
    assert (PACKAGE / "libmedsegan_voxels.so").stat().st_mtime_ns == before


@pytest.mark.parametrize("name", ["voxels", "cpu", "cuda"])
def test_a_library_needs_no_python_and_only_the_stable_interface_of_torch(name):
    path = PACKAGE / f"libmedsegan_{name}.so"
    if not path.is_file() or shutil.which("nm") is None:
        pytest.skip(f"{path.name} was not built, or there is no nm")
    listed = subprocess.run(
        ["nm", "-D", "--undefined-only", str(path)], capture_output=True, text=True, check=True
    )
    symbols = [line.split()[-1] for line in listed.stdout.splitlines()]
    assert symbols
    assert [s for s in symbols if s.startswith(("Py", "_Py"))] == []
    # C++ names of torch are mangled with at, c10, torch or caffe2; its stable interface is plain C.
    assert [s for s in symbols if any(word in s for word in ("2at", "3c10", "5torch", "6caffe2"))] == []
    torch_symbols = [s for s in symbols if "torch" in s]
    assert bool(torch_symbols) == (name != "voxels")


@needs_compiler
def test_the_wheel_belongs_to_no_python_and_works_without_the_checkout(tmp_path):
    # Objects of the last build are taken again, so that this takes seconds.
    command = [sys.executable, "-m", "pip", "wheel", "--no-build-isolation", "--no-deps", "--no-index", "-q"]
    environment = {**os.environ, "MEDSEGAN_CUDA": "0", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    done = subprocess.run(
        [*command, "-w", str(tmp_path), str(EXTENSION)],
        capture_output=True,
        text=True,
        timeout=300,
        env=environment,
    )
    assert done.returncode == 0, done.stderr
    (wheel,) = tmp_path.glob("*.whl")
    assert wheel.name.startswith("medsegan_cuda-")
    assert "-py3-none-linux_" in wheel.name
    unpacked = tmp_path / "unpacked"
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        archive.extractall(unpacked)
    expected = {f"medsegan_cuda/{n}" for n in ("libmedsegan_voxels.so", "libmedsegan_cpu.so", "build.json")}
    assert expected <= names
    assert not any(Path(name).suffix in (".cpp", ".cu", ".h", ".o") for name in names)
    state = observe(unpacked)
    assert state["compiled"]
    assert state["has_voxels"]
