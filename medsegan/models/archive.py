"""Tensors and a JSON document in one folder: the form of every model and checkpoint. Never a pickle.

A folder holds `<name>.safetensors` and `<name>.json`; reading either can run no code.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from ..atomic import atomic_file
from ..errors import ModelError

FORMAT_VERSION = 1


def write_archive(
    folder: Path, name: str, tensors: Mapping[str, torch.Tensor], document: Mapping[str, Any]
) -> None:
    """Write both files; each appears whole or not at all, the document last, so that it vouches for the tensors.

    Args:
        folder: made if it is not there.
        name: stem of both files.
        tensors: any shapes and types; copied to the CPU.
        document: anything that JSON can hold.
    """
    folder.mkdir(parents=True, exist_ok=True)
    cpu = {key: value.detach().to("cpu").contiguous().clone() for key, value in tensors.items()}
    with atomic_file(folder / f"{name}.safetensors") as partial:
        save_file(cpu, partial)
    text = json.dumps({"format_version": FORMAT_VERSION, **document}, indent=1) + "\n"
    with atomic_file(folder / f"{name}.json") as partial:
        partial.write_text(text, encoding="utf-8")


def read_document(folder: Path, name: str) -> dict[str, Any]:
    """The JSON document of an archive.

    Raises:
        ModelError: it is missing, damaged or of another version.
    """
    path = folder / f"{name}.json"
    if not path.is_file():
        raise ModelError(f"there is no {path.name} in {folder}; train a model first, or give the folder of a run")
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        raise ModelError(f"{path} is not readable as JSON ({error}); the model is damaged") from error
    version = document.get("format_version") if isinstance(document, dict) else None
    if version != FORMAT_VERSION:
        raise ModelError(f"{path} has format version {version}, this medsegan reads version {FORMAT_VERSION}")
    return document


def read_archive(folder: Path, name: str) -> tuple[dict[str, torch.Tensor], dict[str, Any]]:
    """The tensors (on the CPU) and the document of an archive.

    Raises:
        ModelError: a file is missing, is damaged, or is a pickle instead of safetensors.
    """
    document = read_document(folder, name)
    path = folder / f"{name}.safetensors"
    if not path.is_file():
        raise ModelError(f"there is no {path.name} beside {name}.json in {folder}; the model is incomplete")
    try:
        return load_file(path), document
    except (SafetensorError, ValueError, OSError) as error:
        if _is_pickle(path):
            raise ModelError(
                f"{path} holds a pickle, which can run code when loaded; medsegan reads safetensors only"
            ) from error
        raise ModelError(f"{path} is not a readable safetensors file ({error}); the model is damaged") from error


def _is_pickle(path: Path) -> bool:
    """Whether a file that is no safetensors starts like a pickle (0x80) or a zip of pickles (torch.save).

    Only asked after reading has failed, which runs no code: the first bytes of safetensors are a length, and some
    lengths look like this too.
    """
    with path.open("rb") as file:
        head = file.read(2)
    return head == b"PK" or (
        head[:1] == b"\x80" and head[1:] in (b"\x00", b"\x01", b"\x02", b"\x03", b"\x04", b"\x05")
    )
