"""Kernels that are missing, stale, foreign or broken: one line that says so, and everything runs."""

import json
import os
import subprocess
import sys

import pytest
from kernel_scenes import EXTENSION, copy_extension, observe

from medsegan.compiled import find_library

pytestmark = pytest.mark.skipif(
    not (EXTENSION / "medsegan_cuda" / "build.json").is_file(),
    reason="no kernels were built here: run `make kernels`",
)
RIGHT = [[1.0, pytest.approx(-0.2)]]


def edit_record(path, **changes):
    record = path / "medsegan_cuda" / "build.json"
    record.write_text(json.dumps({**json.loads(record.read_text()), **changes}))


def test_a_checkout_that_was_built_is_used(tmp_path):
    state = observe(copy_extension(tmp_path))
    assert state["compiled"]
    assert state["has_voxels"]
    assert state["result"] == RIGHT
    assert state["cpu"] == state["voxels"]
    assert state["cpu"].startswith("medsegan-cuda ")


def change_a_source(path):
    with (path / "csrc" / "check.h").open("a") as file:
        file.write("// changed\n")


def remove_the_libraries(path):
    for library in (path / "medsegan_cuda").glob("*.so"):
        library.unlink()


def break_the_libraries(path):
    for library in (path / "medsegan_cuda").glob("*.so"):
        library.write_bytes(b"\x7fELF and then nothing")


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (change_a_source, ("stale", "make kernels")),
        (remove_the_libraries, ("is missing", "make kernels")),
        (break_the_libraries, ("cannot be loaded", "libmedsegan_")),
        (lambda path: (path / "medsegan_cuda" / "build.json").unlink(), ("was not built", "make kernels")),
        (
            lambda path: (path / "medsegan_cuda" / "build.json").write_text("{}"),
            ("cannot be read", "make kernels"),
        ),
        (lambda path: (path / "medsegan_cuda" / "build.json").write_text("{"), ("cannot be read", "make kernels")),
        (lambda path: edit_record(path, interface=0), ("speaks interface 0", "install the version")),
    ],
    ids=["stale", "missing", "unloadable", "unbuilt", "foreign record", "damaged record", "other interface"],
)
def test_kernels_that_cannot_be_used_are_explained_in_one_line(tmp_path, damage, words):
    path = copy_extension(tmp_path)
    damage(path)
    state = observe(path)
    assert state["result"] == RIGHT
    assert not state["compiled"]
    assert not state["has_voxels"]
    for name in ("voxels", "cpu"):
        assert "\n" not in state[name]
        assert all(word in state[name] for word in words), state[name]


def test_a_cuda_library_is_not_loaded_by_a_torch_of_another_cuda(tmp_path):
    path = copy_extension(tmp_path)
    edit_record(path, cuda="7.5", why_no_cuda="")
    (path / "medsegan_cuda" / "libmedsegan_cuda.so").write_bytes(b"never opened")
    state = observe(path)
    assert state["compiled"]
    assert "was built with CUDA 7.5, this torch" in state["cuda"]


def test_without_the_distribution_the_reason_is_that():
    program = (
        "import sys\nsys.modules['medsegan_cuda'] = None\n"
        "from medsegan.compiled import find_library\nprint(find_library('cpu').why)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == "medsegan-cuda is not installed"


def test_something_else_of_that_name_is_no_kernel(tmp_path):
    (tmp_path / "medsegan_cuda").mkdir()
    program = "from medsegan.compiled import find_library\nprint(find_library('cpu').why)"
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True, env=environment
    )
    assert done.stdout.startswith("medsegan-cuda ")


def test_what_an_editor_leaves_beside_the_sources_disturbs_nothing(tmp_path):
    path = copy_extension(tmp_path)
    (path / "csrc" / "cpu" / ".#bias_act.cpp").symlink_to("nobody@nowhere")
    assert observe(path)["compiled"]


def test_asking_twice_gives_the_same_answer():
    assert find_library("cpu") == find_library("cpu")
