"""A sidecar says what a file was made from, says nothing of the patient, and tells what is not what it was."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from medsegan import __version__
from medsegan.workflows.provenance import (
    Making,
    Origin,
    algorithm_of_file,
    find_difference,
    series_setting,
    sidecar_of,
    write_provenance,
)

ORIGIN = Origin("segment", "a" * 64, {"steps": 20, "window": (-1.5, 2.5), "form": None}, "b" * 64)


@pytest.fixture
def mask(tmp_path: Path) -> Path:
    """A mask with its sidecar."""
    path = tmp_path / "mask.nii.gz"
    path.write_bytes(b"voxels")
    write_provenance(path, ORIGIN, Making(1.5, "cpu", 3, ("read as ct",), {"liver": 6}))
    return path


def test_the_document_has_what_is_needed_to_make_the_file_again(mask: Path) -> None:
    document = json.loads((mask.parent / "mask.medsegan.json").read_text())
    assert document == {
        "schema_version": 1,
        "medsegan": __version__,
        "command": "segment",
        "input": {"sha256": "a" * 64},
        "source": None,
        "model": {"sha256": "b" * 64},
        "settings": {"steps": 20, "window": [-1.5, 2.5], "form": None},
        "device": "cpu",
        "seed": 3,
        "seconds": 1.5,
        "notes": ["read as ct"],
        "labels": {"liver": 6},
        "output": {
            "role": "mask",
            "suffix": ".nii.gz",
            "sha256": "38d11342e7802dc460247dcec95b945557f05a1bcc74a4db37f42d7e2b8b43de",
        },
    }
    assert [path.name for path in mask.parent.iterdir() if "partial" in path.name] == []


def test_each_of_the_four_differences_is_named(mask: Path) -> None:
    assert find_difference(mask, ORIGIN) is None
    assert find_difference(mask, replace(ORIGIN, command="eval")) is None
    assert find_difference(mask, replace(ORIGIN, input_hash="c" * 64)) == "was made from another input"
    assert find_difference(mask, replace(ORIGIN, model_hash=None)) == "was made from another model"
    assert find_difference(mask, replace(ORIGIN, source_hash="c" * 64)) == "was made from another source"
    changed = replace(ORIGIN, settings={**ORIGIN.settings, "steps": 60})
    assert find_difference(mask, changed) == "was made with other settings (steps 20 and not 60)"
    mask.write_bytes(b"edited")
    assert find_difference(mask, ORIGIN) == "was changed since it was made"


@pytest.mark.parametrize("text", [None, "", "{", "[]", '{"schema_version": 99, "output": {}}', '{"output": 1}'])
def test_a_file_without_a_sound_sidecar_is_not_trusted(mask: Path, text: str | None) -> None:
    sidecar_of(mask).unlink()
    if text is not None:
        sidecar_of(mask).write_text(text)
    assert "has no sidecar" in str(find_difference(mask, ORIGIN))
    assert algorithm_of_file(mask) is None


def test_two_formats_of_one_name_have_a_sidecar_each(mask: Path) -> None:
    other = mask.with_name("mask.dcm")
    other.write_bytes(b"object")
    write_provenance(other, ORIGIN, Making(1.0))
    assert sidecar_of(other).name == "mask.dcm.medsegan.json"
    assert find_difference(mask, ORIGIN) is None
    assert find_difference(other, ORIGIN) is None
    mask.unlink()
    assert find_difference(other, ORIGIN) is None
    other.with_name("mask.mha").write_bytes(b"image")
    assert "has no sidecar" in str(find_difference(other.with_name("mask.mha"), ORIGIN))


def test_notes_lose_what_identifies(mask: Path) -> None:
    source = mask.parent / "Smith^John" / "scan 7.nii.gz"
    notes = (
        f"{source}: 2 slices",
        f"from {source.parent}/IM01.dcm, in Smith^John",
        "scan 7 of series 1.2.840.113619.2.55.3",
        "spacing 1.25 mm, version 0.1.0",
    )
    write_provenance(mask, ORIGIN, Making(1.0, notes=notes, private=(source, source.parent)))
    assert json.loads(sidecar_of(mask).read_text())["notes"] == [
        "(path): 2 slices",
        "from (path), in (name)",
        "(name) of series (uid)",
        "spacing 1.25 mm, version 0.1.0",
    ]


def test_a_series_is_recorded_by_number_or_hash() -> None:
    assert series_setting(None) is None
    assert series_setting("2") == "2"
    hashed = series_setting("1.2.840.99")
    assert hashed is not None
    assert "840" not in hashed
    assert hashed == series_setting("1.2.840.99") != series_setting("1.2.840.98")


def test_who_made_a_mask_is_known_until_it_is_changed(mask: Path) -> None:
    assert algorithm_of_file(mask) == f"medsegan model {'b' * 12} {__version__}"
    mask.write_bytes(b"edited")
    assert algorithm_of_file(mask) is None
