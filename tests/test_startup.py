"""The command line starts at once: what is heavy is imported when it is used, never for the help."""

import subprocess
import sys

import pytest

HEAVY = (
    "torch",
    "monai",
    "numpy",
    "scipy",
    "skimage",
    "nibabel",
    "pydicom",
    "SimpleITK",
    "PIL",
    "rich",
)
COMMANDS = ("", "prepare", "train", "segment", "eval", "info", "doctor", "demo")

PROGRAM = """
import sys
from medsegan_cli.main import run
code = run(sys.argv[1:])
print("CODE", code)
print("LOADED", *sorted({name.partition(".")[0] for name in sys.modules}))
"""


def start(*arguments: str) -> list[str]:
    """The lines that a fresh interpreter prints for these arguments, and at the end the packages it then holds."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, *arguments], capture_output=True, text=True, timeout=120, check=True
    )
    return done.stdout.splitlines()


@pytest.mark.parametrize("command", COMMANDS)
def test_help_imports_nothing_heavy(command: str) -> None:
    *shown, code, loaded = start(*filter(None, [command]), "--help")
    assert shown[0].startswith("Usage: medsegan")
    assert code == "CODE 0"
    assert sorted(set(loaded.split()) & set(HEAVY)) == []
    assert "typer" in loaded.split()


def test_the_library_itself_imports_nothing_heavy() -> None:
    program = "import sys, medsegan.errors, medsegan.progress, medsegan.workflows; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    assert sorted({name.partition(".")[0] for name in done.stdout.split()} & set(HEAVY)) == []
    assert "medsegan.errors" in done.stdout.split()


def test_python_m_medsegan_is_the_command_line() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "medsegan", "--version"], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.startswith("medsegan ")
    assert done.stderr == ""
