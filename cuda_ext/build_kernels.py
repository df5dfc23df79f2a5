"""Compile the kernels ahead of time: `python build_kernels.py` puts the libraries beside the package's code.

Environment:
    MEDSEGAN_CUDA: auto (default: CUDA kernels if there is an nvcc), 0 (never), 1 (an error without nvcc).
    MEDSEGAN_CUDA_ARCHS: compute capabilities without the point, such as "80;90;100"; the last one also as PTX.
    CXX, NVCC, CUDA_HOME: other compilers than the c++ and nvcc on PATH.
"""

import hashlib
import importlib.util
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from importlib import metadata
from pathlib import Path

ROOT = Path(__file__).resolve().parent
sys.path.insert(0, str(ROOT))  # setuptools runs this file from a folder of its own

from medsegan_cuda.build_record import (  # noqa: E402
    FOLDER,
    INTERFACE,
    SOURCES,
    BuildRecord,
    hash_sources,
    library_path,
    read_record,
)

OBJECTS = ROOT / "build" / "objects"
DEFAULT_ARCHS = ("80", "90", "100")

# The oldest torch whose C interface is used: one library serves every later one.
TORCH_TARGET = "-DTORCH_TARGET_VERSION=0x020a000000000000"
# AVX2, FMA and F16C: every x86 server and laptop since 2013. The loader asks the processor before it loads.
SIMD = ["-march=x86-64-v3"] if platform.machine() in ("x86_64", "AMD64") else []
CXX_FLAGS = ["-std=c++20", "-O3", "-fPIC", "-fvisibility=hidden", "-Wall", "-Wextra"]
# Contraction (a*b+c in one rounding) would make results depend on how a loop was vectorised.
MATH_FLAGS = ["-fopenmp-simd", "-fno-math-errno", "-fno-trapping-math", "-ffp-contract=off"]


class BuildError(Exception):
    """The kernels cannot be compiled here; the message says what to do."""


@dataclass(frozen=True)
class Toolchain:
    """What compiles: the C++ compiler, nvcc or None and why, torch's headers, and the architectures."""

    cxx: str
    nvcc: str | None
    why_no_cuda: str
    torch: Path
    archs: tuple[str, ...]


@dataclass(frozen=True)
class Unit:
    """One source file and the command that compiles it, without source and object."""

    source: Path
    command: tuple[str, ...]


def find_toolchain() -> Toolchain:
    """The compilers of this machine.

    Raises:
        BuildError: no C++ compiler, no torch, or CUDA was demanded and there is no nvcc.
    """
    cxx = _named("CXX", "c++", "g++", "clang++")
    if cxx is None:
        raise BuildError("no C++ compiler found; install g++ or clang++, or set CXX")
    spec = importlib.util.find_spec("torch")
    if spec is None or spec.origin is None:
        raise BuildError("torch is not installed; install torch>=2.10 first, then build with --no-build-isolation")
    nvcc, why = _find_nvcc(os.environ.get("MEDSEGAN_CUDA", "auto"))
    return Toolchain(cxx, nvcc, why, Path(spec.origin).parent, _choose_archs(nvcc) if nvcc else ())


def _named(variable: str, *defaults: str) -> str | None:
    """The compiler that a variable names, else the first of the usual ones; None if there is none.

    Raises:
        BuildError: the variable names something that is not there; another compiler is never taken in silence.
    """
    name = os.environ.get(variable)
    if name and shutil.which(name) is None:
        raise BuildError(
            f"{variable} is {name!r}, which is no program on PATH; name one compiler without arguments"
        )
    return shutil.which(name) if name else next(filter(None, map(shutil.which, defaults)), None)


def _find_nvcc(wish: str) -> tuple[str | None, str]:
    """Path of nvcc or None, and why there is none. Never asks for a GPU: builders have none."""
    if wish not in ("auto", "0", "1"):
        raise BuildError(f"MEDSEGAN_CUDA is {wish!r}; expected auto, 0 or 1")
    if wish == "0":
        return None, "MEDSEGAN_CUDA=0 when it was built"
    home = os.environ.get("CUDA_HOME", "")
    nvcc = _named("NVCC", *([f"{home}/bin/nvcc"] if home else []), "nvcc", "/usr/local/cuda/bin/nvcc")
    if nvcc is None and wish == "1":
        raise BuildError("MEDSEGAN_CUDA=1, but no nvcc is on PATH or in CUDA_HOME; install the CUDA toolkit")
    return nvcc, "" if nvcc else "no nvcc when it was built"


def _choose_archs(nvcc: str) -> tuple[str, ...]:
    """The architectures that were asked for, else those of the usual ones that this nvcc knows."""
    wish = os.environ.get("MEDSEGAN_CUDA_ARCHS")
    if wish is None:
        listed = subprocess.run([nvcc, "--list-gpu-arch"], capture_output=True, text=True).stdout.split()
        known = tuple(arch for arch in DEFAULT_ARCHS if f"compute_{arch}" in listed)
        return known or DEFAULT_ARCHS
    chosen = tuple(arch.strip() for arch in wish.replace(",", ";").split(";") if arch.strip())
    if not chosen or not all(arch.isdigit() for arch in chosen):
        raise BuildError(f"MEDSEGAN_CUDA_ARCHS is {wish!r}; expected capabilities without a point, as in '80;90'")
    return chosen


def _torch_flags(tools: Toolchain) -> list[str]:
    include = tools.torch / "include"
    api = include / "torch/csrc/api/include"
    return [TORCH_TARGET, "-isystem", str(include), "-isystem", str(api)]  # nvcc wants them as two words


def _units(tools: Toolchain) -> dict[str, list[Unit]]:
    """The files of each library with their commands; a library without files is not built."""
    cxx = [tools.cxx, *CXX_FLAGS, f"-I{SOURCES}"]
    torch = _torch_flags(tools)
    commands = {
        "voxels": ("*.cpp", [*cxx, *MATH_FLAGS, *SIMD, "-pthread"]),
        "cpu": ("*.cpp", [*cxx, *MATH_FLAGS, *SIMD, *torch]),
    }
    if tools.nvcc:
        gpu = [f"-gencode=arch=compute_{a},code=sm_{a}" for a in tools.archs]
        gpu.append(f"-gencode=arch=compute_{tools.archs[-1]},code=compute_{tools.archs[-1]}")
        host = ["-Xcompiler", "-fPIC,-fvisibility=hidden", "-ccbin", tools.cxx]
        nvcc = [tools.nvcc, "-std=c++20", "-O3", *host, "--expt-relaxed-constexpr", "-DUSE_CUDA", "--threads=0"]
        commands["cuda"] = ("*.cu", [*nvcc, *gpu, f"-I{SOURCES}", *torch])
    units = {}
    for name, (pattern, command) in commands.items():
        units[name] = [Unit(source, tuple(command)) for source in sorted((SOURCES / name).glob(pattern))]
        if name == "voxels":  # the probe must run on a processor without AVX2
            baseline = tuple(word for word in command if word not in SIMD)
            units[name] = [Unit(u.source, baseline) if u.source.stem == "probe" else u for u in units[name]]
    return {name: files for name, files in units.items() if files}


def _compile(unit: Unit, headers: bytes) -> Path:
    """The object of one file; taken from the last build if file, headers and command are the same."""
    key = hashlib.sha256(repr(unit.command).encode() + headers + unit.source.read_bytes()).hexdigest()[:24]
    target = OBJECTS / f"{unit.source.parent.name}-{unit.source.stem}-{key}.o"
    if not target.is_file():
        for old in OBJECTS.glob(f"{unit.source.parent.name}-{unit.source.stem}-*.o"):
            old.unlink(missing_ok=True)
        partial = target.with_suffix(f".{os.getpid()}.part.o")
        _run([*unit.command, "-c", str(unit.source), "-o", str(partial)])
        partial.replace(target)
    return target


def _link(name: str, objects: list[Path], tools: Toolchain, folder: Path) -> None:
    """The library from its objects, put in place at once, so that nobody loads half of one."""
    target = library_path(name, folder)
    partial = target.with_suffix(f".{os.getpid()}.part")
    files = [str(path) for path in objects]
    with tempfile.TemporaryDirectory() as stubs:
        if name == "voxels":
            command = [tools.cxx, "-shared", "-pthread", *files]
        elif name == "cpu":
            command = [tools.cxx, "-shared", *files, f"-L{tools.torch / 'lib'}", "-ltorch_cpu"]
        else:
            _stub(tools.cxx, Path(stubs))
            assert tools.nvcc is not None
            search = [f"-L{stubs}", f"-L{tools.torch / 'lib'}"]
            torch = [*search, "-Xlinker", "--no-as-needed", "-ltorch_cuda", "-ltorch_cpu"]
            command = [tools.nvcc, "-shared", "-cudart", "static", "-ccbin", tools.cxx, *files, *torch]
        _run([*command, "-o", str(partial)])
    partial.replace(target)


def _stub(cxx: str, folder: Path) -> None:
    """An empty libtorch_cuda.so: a CPU build of torch has none to link with, and only the name is needed."""
    source = folder / "stub.cpp"
    source.write_text("")
    library = str(folder / "libtorch_cuda.so")
    _run([cxx, "-shared", "-fPIC", "-Wl,-soname,libtorch_cuda.so", str(source), "-o", library])


def _run(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        raise BuildError(f"this command failed:\n  {' '.join(command)}\n{done.stdout}{done.stderr}")


def build(folder: Path = FOLDER, jobs: int | None = None) -> BuildRecord:
    """Compile and link everything that can be built here into `folder`; nothing if all of it is there already.

    CUDA kernels that do not compile cost the CPU kernels nothing, unless MEDSEGAN_CUDA=1 demands them.

    Raises:
        BuildError: see `find_toolchain`; or a compiler failed.
    """
    tools = find_toolchain()
    record = _expected_record(tools)
    units = _units(tools)
    if read_record(folder) == record and all(library_path(name, folder).is_file() for name in units):
        return record
    print("compiling the kernels (minutes, once)", file=sys.stderr)
    OBJECTS.mkdir(parents=True, exist_ok=True)
    folder.mkdir(parents=True, exist_ok=True)
    headers = b"".join(path.read_bytes() for path in sorted(SOURCES.rglob("*.h")) + sorted(SOURCES.rglob("*.cuh")))
    with ThreadPoolExecutor(jobs or len(os.sched_getaffinity(0))) as pool:
        objects = {name: [pool.submit(_compile, unit, headers) for unit in files] for name, files in units.items()}
    library_path("cuda", folder).unlink(missing_ok=True)
    for name, futures in objects.items():
        try:
            _link(name, [future.result() for future in futures], tools, folder)
        except BuildError as error:
            if name != "cuda" or os.environ.get("MEDSEGAN_CUDA") == "1":
                raise
            print(error, file=sys.stderr)
            record = replace(record, cuda="", why_no_cuda="its sources did not compile with this nvcc", archs=())
    record.write(folder)
    return record


def _expected_record(tools: Toolchain) -> BuildRecord:
    return BuildRecord(
        interface=INTERFACE,
        sources=hash_sources(),
        torch=metadata.version("torch"),
        compiler=_first_line(tools.cxx),
        cuda=_release(tools.nvcc) if tools.nvcc else "",
        why_no_cuda=tools.why_no_cuda,
        archs=tools.archs,
    )


def _first_line(compiler: str) -> str:
    return subprocess.run([compiler, "--version"], capture_output=True, text=True).stdout.partition("\n")[0]


def _release(nvcc: str) -> str:
    text = subprocess.run([nvcc, "--version"], capture_output=True, text=True).stdout
    return text.partition("release ")[2].partition(",")[0]


if __name__ == "__main__":
    try:
        made = build()
    except BuildError as error:
        sys.exit(f"build_kernels: {error}")
    cuda = f"CUDA {made.cuda} for {', '.join(made.archs)}" if made.cuda else f"no CUDA: {made.why_no_cuda}"
    print(f"built for torch >= 2.10 with {made.compiler}; {cuda}")
