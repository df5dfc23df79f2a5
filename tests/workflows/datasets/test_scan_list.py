"""Of a folder only the scans are segmented, each once, whatever lies beside them."""

import json
from pathlib import Path

import pytest
from discovery_scenes import touch

from medsegan.errors import DataError, InputError
from medsegan.workflows.datasets.scan_list import list_scans


@pytest.mark.parametrize(
    ("scans", "others"),
    [
        (("images/a.nii.gz", "images/b.mha"), ("labels/a.nii.gz", "labels/b.nii.gz")),
        (("p1_ct.nii.gz", "p2_ct.nii.gz"), ("p1_label.nii.gz", "p2_seg_2.nii.gz")),
        (("p1_ct.nii.gz", "p1_mr.nii.gz"), ("p1_label.nii.gz",)),
        (("s1/ct.nii.gz", "s2/ct.nii.gz"), ("s1/segmentations/liver.nii.gz", "s2/segmentations/liver.nii.gz")),
        (("c1_0000.nii.gz", "c2_0000.nii.gz"), ("c1_0001.nii.gz", "c2_0001.nii.gz")),
        (("study_0000.nii.gz", "study_0001.nii.gz"), ()),
    ],
)
def test_images_alone_are_scans(tmp_path: Path, scans: tuple[str, ...], others: tuple[str, ...]) -> None:
    found = list_scans(touch(tmp_path, *scans, *others))
    assert {scan.path.relative_to(tmp_path).as_posix() for scan in found.scans} == set(scans)
    assert {path.relative_to(tmp_path).as_posix() for path in found.left_out} == set(others)


@pytest.mark.parametrize("start", [".", "imagesTs"])
def test_channels_of_nnunet_are_left_out_wherever_one_begins(tmp_path: Path, start: str) -> None:
    touch(tmp_path, "imagesTs/c1_0000.nii.gz", "imagesTs/c1_0001.nii.gz", "imagesTs/c2_0000.nii.gz")
    (tmp_path / "dataset.json").write_text(json.dumps({"channel_names": {"0": "CT"}, "labels": {}}))
    found = list_scans(tmp_path / start)
    assert [scan.path.name for scan in found.scans] == ["c1_0000.nii.gz", "c2_0000.nii.gz"]
    assert [path.name for path in found.left_out] == ["c1_0001.nii.gz"]


def test_two_scans_of_one_name_are_refused_with_both(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"x\.mha and .*x\.nii\.gz go by one name, x"):
        list_scans(touch(tmp_path, "x.nii.gz", "x.mha"))


@pytest.mark.parametrize(("names", "message"), [((), "no file"), (("labels/a.nii",), "only 1 label files")])
def test_a_folder_without_scans_is_refused(tmp_path: Path, names: tuple[str, ...], message: str) -> None:
    with pytest.raises(InputError, match=message):
        list_scans(touch(tmp_path, *names))
