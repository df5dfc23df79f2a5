"""BIDS: images of one contrast, labels from derivatives, names from tables, and what is ambiguous is asked."""

from pathlib import Path

import pytest
from discovery_scenes import pairs, touch

from medsegan.errors import DataError, InputError, UsageError
from medsegan.workflows.datasets.discover import discover


def bids(root: Path, *derived: str, images: tuple[str, ...] = ("T1w",)) -> Path:
    """Two subjects, the second with two sessions, and files below derivatives."""
    stems = ["sub-01/anat/sub-01", "sub-02/ses-1/anat/sub-02_ses-1", "sub-02/ses-2/anat/sub-02_ses-2"]
    touch(root, *(f"{stem}_{suffix}.{end}" for stem in stems for suffix in images for end in ("nii.gz", "json")))
    touch(
        root,
        "dataset_description.json",
        "participants.tsv",
        "README",
        ".DS_Store",
        "sub-01/anat/._sub-01_T1w.nii.gz",
    )
    return touch(root, *(f"derivatives/{name}" for name in derived))


ONE, TWO = "seg/sub-01/anat/sub-01_dseg.nii.gz", "seg/sub-02/ses-2/anat/sub-02_ses-2_dseg.nii.gz"


def test_images_and_their_labels(tmp_path: Path) -> None:
    found = discover(
        [bids(tmp_path, ONE, TWO, "seg/sub-03/anat/sub-03_dseg.nii.gz", "seg/dataset_description.json")]
    )
    assert found.layout == "BIDS, T1w images and their labels in derivatives/"
    assert pairs(found) == {
        "sub-01_T1w": "sub-01_dseg.nii.gz",
        "sub-02_ses-1_T1w": None,
        "sub-02_ses-2_T1w": "sub-02_ses-2_dseg.nii.gz",
    }
    assert [case.patient for case in found.cases] == ["sub-01", "sub-02", "sub-02"]
    assert [path.name for path in found.orphans] == ["sub-03_dseg.nii.gz"]


@pytest.mark.parametrize(
    "name",
    [
        "sub-01_desc-manual_dseg.nii.gz",
        "sub-01_space-orig_dseg.nii.gz",
        "sub-01_desc-lesion_mask.nii.gz",
        "sub-01_T1w_label-SC_seg.nii.gz",
        "sub-01_T1w_seg-manual.nii.gz",
        "sub-01_label-liver_dseg.nii",
    ],
)
def test_names_of_labels(tmp_path: Path, name: str) -> None:
    found = discover([bids(tmp_path, f"labels/sub-01/anat/{name}")])
    assert pairs(found)["sub-01_T1w"] == name


def test_what_is_no_label_of_the_image(tmp_path: Path) -> None:
    found = discover(
        [
            bids(
                tmp_path,
                "p/sub-01/anat/sub-01_label-GM_probseg.nii.gz",
                "p/sub-01/anat/sub-01_space-MNI152NLin2009cAsym_dseg.nii.gz",
                "p/sub-01/anat/sub-01_T2w_seg.nii.gz",
                "p/sub-01/anat/sub-01_acq-other_dseg.nii.gz",
            )
        ]
    )
    assert found.n_labeled == 0
    assert found.layout == "BIDS, T1w images without labels"
    assert any("1 probseg files hold probabilities and are not read" in note for note in found.notes)
    assert any("1 label files lie in the space of a template" in note for note in found.notes)


def test_several_contrasts_are_asked_for(tmp_path: Path) -> None:
    root = bids(tmp_path, ONE, images=("T1w", "T2w"))
    with pytest.raises(
        DataError, match=r"T1w: 3 images, 1 with labels; T2w: 3 images, 1 with labels.*--contrast T1w"
    ):
        discover([root])
    assert list(pairs(discover([root], contrast="t2w"))) == [
        "sub-01_T2w",
        "sub-02_ses-1_T2w",
        "sub-02_ses-2_T2w",
    ]
    with pytest.raises(UsageError, match="no images 'FLAIR'; use one of T1w, T2w"):
        discover([root], contrast="FLAIR")


def test_several_labels_of_an_image(tmp_path: Path) -> None:
    brain = "fmriprep/sub-01/anat/sub-01_desc-brain_mask.nii.gz"
    aseg = "fmriprep/sub-01/anat/sub-01_desc-aseg_dseg.nii.gz"
    root = bids(tmp_path, brain, aseg, ONE)
    assert pairs(discover([root]))["sub-01_T1w"] == "sub-01_dseg.nii.gz"
    touch(tmp_path, "derivatives/fmriprep/sub-01/anat/sub-01_dseg.nii.gz")
    with pytest.raises(DataError, match=r"sub-01_T1w has 2 label files .*choose with --labels derivatives/NAME"):
        discover([root])
    found = discover([root], root / "derivatives" / "seg")
    assert found.cases[0].label == root / "derivatives" / ONE


def test_names_of_classes(tmp_path: Path) -> None:
    root = bids(tmp_path, ONE, TWO)
    (tmp_path / "derivatives/seg/dseg.tsv").write_text(
        "index\tname\tcolor\n0\tBackground\t#000\n2\tLeft Lung\t#fff\n"
    )
    assert discover([root]).class_names == {2: "Left_Lung"}
    own = tmp_path / "derivatives/seg/sub-01/anat/sub-01_dseg.tsv"
    own.write_text("index\tname\n2\tother\n")
    found = discover([root])
    assert found.class_names is None
    assert any("contradict each other" in note for note in found.notes)
    own.write_text("value\tname\n2\tother\n")
    with pytest.raises(DataError, match="expected columns index and name, found value, name"):
        discover([root])


def test_a_mask_names_its_class(tmp_path: Path) -> None:
    assert discover([bids(tmp_path, "l/sub-01/anat/sub-01_label-liver_mask.nii.gz")]).class_names == {1: "liver"}


def test_no_image_of_anatomy(tmp_path: Path) -> None:
    touch(tmp_path, "sub-01/anat/sub-01_dseg.nii.gz", "sub-01/func/sub-01_task-rest_bold.nii.gz")
    with pytest.raises(InputError, match="no image in anat"):
        discover([tmp_path])
    touch(tmp_path, "sub-01/anat/sub-01_T1w.nii.gz")
    found = discover([tmp_path])
    assert pairs(found) == {"sub-01_T1w": "sub-01_dseg.nii.gz"}
    assert any("1 images outside of anat" in note for note in found.notes)
