"""`verify` finds the same whether cases are looked at side by side or one after the other."""

import json
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from label_scenes import oblique_grid, organs, write_scan, write_seg
from PIL import Image
from verify_scenes import AFFINE, change, check, edit, write_clean_set

from medsegan.errors import UsageError
from medsegan.workflows import verify as workflow
from medsegan.workflows.processes.crew import CaseLostError
from medsegan.workflows.verification.examine import examine_case


def test_side_by_side_the_findings_are_the_same(tmp_path: Path) -> None:
    root = write_clean_set(tmp_path / "set")
    (root / "images/c0.nii.gz").write_bytes(b"no scan")
    edit(root / "labels/c1.nii.gz", ..., 0)
    change(root / "labels/c2.nii.gz", affine=AFFINE + 8 * np.eye(4, k=3))
    (root / "images/c3.nii.gz").write_bytes((root / "images/c4.nii.gz").read_bytes())
    alone, beside = check(root, workers=1), check(root, workers=2)
    assert {one.what for one in alone.findings} >= {
        "scan cannot be read",
        "empty labels",
        "labels do not lie on the scan",
    }
    assert len(alone.findings) >= 4
    assert beside.to_json() == alone.to_json()
    with pytest.raises(UsageError, match="--workers"):
        check(root, workers=0)


def test_every_fact_survives_the_way_between_processes(tmp_path: Path) -> None:
    """A picture, a series with named classes in DICOM, and a scan that cannot be read."""
    Image.fromarray(np.arange(32 * 32, dtype=np.uint16).reshape(32, 32)).save(tmp_path / "a.png")
    write_scan(tmp_path / "ct", oblique_grid())
    write_seg(organs(), tmp_path / "ct", tmp_path / "seg.dcm", ("Liver", "Spleen", "Left kidney"))
    nib.save(nib.Nifti1Image(np.zeros((4, 4, 4, 2), np.int16), AFFINE), tmp_path / "four.nii")
    how = {"series": None, "fix_gaps": False, "only": None, "show_names": True}
    for image, label in (("a.png", None), ("ct", "seg.dcm"), ("four.nii", None)):
        found = workflow.FoundCase(tmp_path / image, None if label is None else tmp_path / label, "p", "p")
        document = examine_case({"case": workflow.case_to_json(found), **how})
        facts = workflow.CaseFacts(found, "p").with_findings(json.loads(json.dumps(document)))
        assert json.loads(json.dumps(facts.to_json())) == json.loads(json.dumps(document))
        assert (facts.scan is None) == (image == "four.nii") == (facts.scan_error is not None)
        if label is not None:
            assert facts.label is not None
            assert set(facts.label.names.values()) == {"liver", "spleen", "left_kidney"}
            assert all(isinstance(value, int) for value in facts.label.counts)
        if image == "a.png":
            assert facts.scan is not None
            assert facts.scan.picture is not None
            assert facts.scan.picture.dtype == np.float32


def test_a_case_whose_process_dies_is_a_finding(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = write_clean_set(tmp_path / "set")

    def run(self: object, work: object, documents: list[dict[str, object]]) -> object:
        for number, document in enumerate(documents):
            lost = number == 1
            yield (
                number,
                CaseLostError("the process that worked on it crashed") if lost else examine_case(document),
            )

    monkeypatch.setattr(workflow.Crew, "run", run)
    errors = [one for one in check(root).findings if one.severity == "error"]
    assert [(one.case, one.what) for one in errors] == [("c1", "scan cannot be read")]
    assert "crashed" in errors[0].measured
