"""Models on disk: nothing lost, never a pickle, whole or not at all."""

import ast
import io
import json
import os
import pickle
import re

import pytest
import torch
from source_tree import read_sources

from medsegan.errors import ModelError
from medsegan.models import archive, read_archive, read_document, write_archive

TENSORS = {
    "a/weight": torch.arange(6.0).view(2, 3),
    "b": torch.tensor(3, dtype=torch.int64),
    "c": torch.zeros(2, dtype=torch.bfloat16),
}


class Trap:
    """Unpickling this creates a file."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


@pytest.fixture
def folder(tmp_path):
    write_archive(tmp_path, "model", TENSORS, {"size": 32, "names": ["a", "b"]})
    return tmp_path


def test_tensors_and_document_come_back(folder):
    tensors, document = read_archive(folder, "model")
    assert tensors.keys() == TENSORS.keys()
    for name, tensor in TENSORS.items():
        assert tensors[name].dtype == tensor.dtype
        assert torch.equal(tensors[name], tensor)
    assert document["size"] == 32
    assert document["names"] == ["a", "b"]
    assert sorted(p.name for p in folder.iterdir()) == ["model.json", "model.safetensors"]


def test_views_and_shared_tensors_are_kept_whole(tmp_path):
    base = torch.arange(12.0).view(3, 4)
    write_archive(tmp_path, "model", {"one": base, "same": base, "turned": base.T}, {})
    tensors, _ = read_archive(tmp_path, "model")
    assert torch.equal(tensors["same"], base)
    assert torch.equal(tensors["turned"], base.T)


def as_torch_file(trap):
    buffer = io.BytesIO()
    torch.save({"weights": torch.zeros(2), "trap": trap}, buffer)
    return buffer.getvalue()


@pytest.mark.parametrize(
    "make",
    [as_torch_file, *(lambda trap, p=protocol: pickle.dumps(trap, protocol=p) for protocol in range(2, 6))],
    ids=["torch.save", *(f"protocol{p}" for p in range(2, 6))],
)
def test_a_pickle_is_refused_and_never_run(folder, make):
    trap = folder / "sprung"
    (folder / "model.safetensors").write_bytes(make(Trap(trap)))
    with pytest.raises(ModelError, match=r"holds a pickle.*safetensors only"):
        read_archive(folder, "model")
    assert not trap.exists()


@pytest.mark.parametrize("protocol", [0, 1])
def test_old_pickles_without_a_mark_are_refused_too(folder, protocol):
    trap = folder / "sprung"
    (folder / "model.safetensors").write_bytes(pickle.dumps(Trap(trap), protocol=protocol))
    with pytest.raises(ModelError):
        read_archive(folder, "model")
    assert not trap.exists()


@pytest.mark.parametrize("length", [0x80, 0x180, 0x280, 0x380, 0x480, 0x580, 0x4B50])
def test_headers_whose_length_looks_like_a_pickle_are_read(tmp_path, length):
    """The first bytes of safetensors are the length of its header: 0x80 0x01 may be 384 as well as protocol 1."""
    for letters in range(1, length):
        name = "n" * letters
        header = json.dumps({name: {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}, separators=(",", ":"))
        if length - 8 < len(header) <= length:
            break
    write_archive(tmp_path, "model", {name: torch.ones(1)}, {})
    assert int.from_bytes((tmp_path / "model.safetensors").read_bytes()[:8], "little") == length
    assert read_archive(tmp_path, "model")[0].keys() == {name}


@pytest.mark.parametrize("keep", [0, 1, 7, 8, 20, -1])
def test_a_truncated_file_is_refused(folder, keep):
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(ModelError, match=r"model\.safetensors"):
        read_archive(folder, "model")


def test_damaged_bytes_in_the_header_are_refused(folder):
    path = folder / "model.safetensors"
    content = bytearray(path.read_bytes())
    content[8:40] = b"\xff" * 32
    path.write_bytes(content)
    with pytest.raises(ModelError, match="damaged"):
        read_archive(folder, "model")


def test_a_missing_half_is_refused(folder):
    (folder / "model.safetensors").unlink()
    with pytest.raises(ModelError, match="incomplete"):
        read_archive(folder, "model")
    (folder / "model.json").unlink()
    with pytest.raises(ModelError, match=re.escape("there is no model.json")):
        read_archive(folder, "model")


@pytest.mark.parametrize("text", ["", "{", "\x00\x01", "{'a': 1}"])
def test_a_damaged_document_is_refused(folder, text):
    (folder / "model.json").write_text(text)
    with pytest.raises(ModelError, match="damaged"):
        read_document(folder, "model")


@pytest.mark.parametrize("text", ['{"format_version": 2}', '{"format_version": "1"}', "{}", "[1]", "null"])
def test_another_version_is_refused(folder, text):
    (folder / "model.json").write_text(text)
    with pytest.raises(ModelError, match="reads version 1"):
        read_document(folder, "model")


@pytest.mark.parametrize("fails_at", ["save_file", "replace"])
def test_a_failed_write_leaves_what_was_there(folder, monkeypatch, fails_at):
    def fail(tensors, path):
        path.write_bytes(b"half")
        raise OSError("no space left on device")

    def refuse(source, target):
        raise OSError("no space left on device")

    if fails_at == "save_file":
        monkeypatch.setattr(archive, "save_file", fail)
    else:
        monkeypatch.setattr(os, "replace", refuse)
    with pytest.raises(OSError, match="no space"):
        write_archive(folder, "model", {"a/weight": torch.ones(1)}, {"size": 64})
    tensors, document = read_archive(folder, "model")
    assert torch.equal(tensors["b"], TENSORS["b"])
    assert document["size"] == 32


def test_the_document_is_written_last(tmp_path, monkeypatch):
    """A reader that finds the document may trust that the tensors are there."""
    order = []
    replace = os.replace
    monkeypatch.setattr(os, "replace", lambda a, b: (order.append(b.name), replace(a, b)))
    write_archive(tmp_path, "model", TENSORS, {})
    assert order == ["model.safetensors", "model.json"]


def test_nothing_imports_pickle():
    unsafe = {"pickle", "cPickle", "_pickle", "dill", "cloudpickle", "joblib", "shelve", "marshal"}
    offences = []
    for source in (*read_sources("medsegan"), *read_sources("cli")):
        for node in ast.walk(source.tree):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and node.level == 0:
                names = [node.module or ""]
            offences += [f"{source.path}: {name}" for name in names if name.split(".")[0] in unsafe]
    assert offences == []
