"""Each layout with what real downloads put beside it, recognised by name and read in full."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest
from discovery_scenes import pairs, touch

from medsegan.errors import DataError, InputError, UsageError
from medsegan.workflows.datasets.discover import Discovery, discover
from medsegan.workflows.datasets.scan_list import list_scans

RUBBISH = ("README.md", "README", ".DS_Store", "._case_1.nii.gz", "Thumbs.db", "clinical.csv", "LICENSE.pdf")


def litter(folder: Path) -> Path:
    """What archives and systems leave in every folder of a download."""
    for place in (folder, *(path for path in folder.rglob("*") if path.is_dir())):
        touch(place, *RUBBISH)
    return touch(folder, "__MACOSX/._imagesTr", "__MACOSX/imagesTr/case_9.nii.gz", ".git/x.nii.gz")


def write_json(path: Path, document: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document))
    return path


def note_with(found: Discovery, words: str) -> str:
    return next(note for note in found.notes if words in note)


def nnunet(root: Path, cases: tuple[str, ...] = ("a", "b"), n_channels: int = 1, **more: Any) -> Path:
    names = [f"imagesTr/{case}_{channel:04d}.nii.gz" for case in cases for channel in range(n_channels)]
    touch(root, *names, *(f"labelsTr/{case}.nii.gz" for case in cases))
    channels = {str(channel): name for channel, name in enumerate(("T1", "FLAIR", "T2")[:n_channels])}
    labels = {"background": 0, "liver": 1}
    write_json(
        root / "dataset.json",
        {"channel_names": channels, "labels": labels, "numTraining": 2, "file_ending": ".nii.gz", **more},
    )
    return litter(root)


def test_nnunet_with_all_its_parts(tmp_path: Path) -> None:
    root = nnunet(tmp_path / "Dataset042_Liver")
    touch(root, "imagesTs/x_0000.nii.gz", "imagesTs/y_0000.nii.gz", "labelsTs/x.nii.gz", "labelsTr/stray.nii.gz")
    found = discover([root])
    assert found.layout == "nnU-Net v2, imagesTr/ and labelsTr/ with dataset.json"
    assert pairs(found) == {"a": "a.nii.gz", "b": "b.nii.gz"}
    assert found.class_names == {1: "liver"}
    assert found.label_values == {0, 1}
    assert [path.name for path in found.orphans] == ["stray.nii.gz"]
    assert {case.stem: case.label is not None for case in found.test_cases} == {
        "imagesTs/x": True,
        "imagesTs/y": False,
    }
    assert {case.given_splits for case in found.test_cases} == {("test",)}
    assert {case.given_splits for case in found.cases} == {("train",)}


def test_nnunet_reads_the_channel_that_is_asked_for(tmp_path: Path) -> None:
    root = nnunet(tmp_path, n_channels=2)
    first, second = discover([root]), discover([root], contrast="flair")
    assert [case.image.name for case in first.cases] == ["a_0000.nii.gz", "b_0000.nii.gz"]
    assert note_with(first, "channels").endswith("0 (T1), 1 (FLAIR); 0 alone is read, --contrast chooses another")
    assert [case.image.name for case in second.cases] == ["a_0001.nii.gz", "b_0001.nii.gz"]
    assert [case.image for case in discover([root], contrast="1").cases] == [case.image for case in second.cases]
    assert pairs(first) == pairs(second)
    with pytest.raises(UsageError, match=r"no channel 'T2'; use one of 0 \(T1\), 1 \(FLAIR\)"):
        discover([root], contrast="T2")


def test_nnunet_regions_and_what_nobody_annotated(tmp_path: Path) -> None:
    labels = {"background": 0, "whole": [1, 2, 3], "core": [2, 3], "enhancing": [3], "ignore": 4}
    found = discover([nnunet(tmp_path, labels=labels, regions_class_order=[1, 2, 3])])
    assert found.class_names == {1: "label_1", 2: "label_2", 3: "enhancing"}
    assert found.label_values == {0, 1, 2, 3, 4}
    assert "whole = 1+2+3, core = 2+3" in note_with(found, "regions")
    assert "4 marks what nobody annotated" in note_with(found, "ignore")


def test_nnunet_file_ending(tmp_path: Path) -> None:
    touch(tmp_path, "imagesTr/a_0000.nrrd")
    found = discover([nnunet(tmp_path)])
    assert "1 files do not end in .nii.gz" in note_with(found, "do not end")
    with pytest.raises(DataError, match=r"files end in '\.mha', but there are only others"):
        discover([nnunet(tmp_path, file_ending=".mha")])


def test_nnunet_cases_listed_in_the_dataset(tmp_path: Path) -> None:
    touch(tmp_path, "elsewhere/i1_0000.nii.gz", "elsewhere/i1_0001.nii.gz", "elsewhere/l1.nii.gz")
    dataset = {
        "one": {
            "images": ["../elsewhere/i1_0000.nii.gz", "../elsewhere/i1_0001.nii.gz"],
            "label": "../elsewhere/l1.nii.gz",
        },
        "two": {"images": ["../elsewhere/gone.nii.gz"], "label": "../elsewhere/gone_too.nii.gz"},
    }
    root = tmp_path / "Dataset001_X"
    channels = {"0": "CT", "1": "PET"}
    write_json(root / "dataset.json", {"channel_names": channels, "labels": {"background": 0}, "dataset": dataset})
    found = discover([root], contrast="PET")
    assert pairs(found) == {"one": "l1.nii.gz"}
    assert found.cases[0].image.name == "i1_0001.nii.gz"
    assert found.missing == ("../elsewhere/gone.nii.gz",)
    write_json(
        root / "dataset.json", {"channel_names": channels, "labels": {}, "dataset": {"one": {"images": []}}}
    )
    with pytest.raises(DataError, match="needs a list of"):
        discover([root])


def test_nnunet_folds(tmp_path: Path) -> None:
    root = nnunet(tmp_path, cases=("a", "b", "c"))
    folds = [{"train": ["b", "c", "z"], "val": ["a"]}, {"train": ["a", "b"], "val": ["b", "c"]}]
    write_json(root / "splits_final.json", folds)
    found = discover([root])
    assert [set(case.given_splits) for case in found.cases] == [
        {"fold 0"},
        {"fold 1", "the training of fold 1"},
        {"fold 1"},
    ]
    assert "names 1 cases that are not there" in note_with(found, "not there")
    write_json(root / "splits_final.json", [{"train": ["a"], "val": ["b"]}])
    assert [case.given_splits for case in discover([root]).cases] == [("train",), ("val",), ("train",)]
    write_json(root / "splits_final.json", {"train": ["a"]})
    with pytest.raises(DataError, match="expected a list of folds"):
        discover([root])


def decathlon(root: Path, cases: tuple[str, ...] = ("a", "b"), ending: str = "", **more: Any) -> Path:
    training = [{"image": f"./imagesTr/{case}.nii.gz", "label": f"./labelsTr/{case}.nii.gz"} for case in cases]
    touch(
        root,
        *(f"imagesTr/{case}{ending}.nii.gz" for case in cases),
        *(f"labelsTr/{case}.nii.gz" for case in cases),
    )
    document = {"modality": {"0": "MRI"}, "labels": {"0": "background", "1": "Anterior"}, "training": training}
    write_json(root / "dataset.json", {"name": "X", "tensorImageSize": "3D", **document, **more})
    return litter(root)


def test_decathlon_with_its_test_set_and_what_is_not_listed(tmp_path: Path) -> None:
    root = decathlon(tmp_path / "Task04_Hippocampus", test=["./imagesTs/t.nii.gz", "./imagesTs/gone.nii.gz"])
    touch(root, "imagesTs/t.nii.gz", "imagesTs/._t.nii.gz", "imagesTr/extra.nii.gz", "labelsTr/extra.nii.gz")
    found = discover([root])
    assert found.layout == "Medical Segmentation Decathlon, cases and names from dataset.json"
    assert pairs(found) == {"a": "a.nii.gz", "b": "b.nii.gz"}
    assert [case.stem for case in found.test_cases] == ["imagesTs/t"]
    assert "1 test images that dataset.json lists are not there" in found.notes
    assert [path.name for path in found.unlisted] == ["extra.nii.gz"]
    assert [path.name for path in found.orphans] == ["extra.nii.gz"]
    assert pairs(discover([root / "dataset.json"])) == pairs(found)


def test_decathlon_with_several_images_in_a_file_asks_for_one_by_their_names(tmp_path: Path) -> None:
    root = decathlon(tmp_path, modality={"0": "FLAIR", "1": "T1w"})
    assert len(discover([root]).cases) == 2  # files of three axes, whatever the list says
    nib.save(nib.Nifti1Image(np.zeros((4, 4, 3, 2), np.int16), np.eye(4)), root / "imagesTr/a.nii.gz")
    with pytest.raises(DataError, match=r"each file holds 2 images \(0 \(FLAIR\), 1 \(T1w\)\)"):
        discover([root])
    touch(root, "imagesTs/t.nii.gz")
    for contrast in ("1", "t1W"):
        found = discover([root], contrast=contrast)
        assert {case.channel for case in (*found.cases, *found.test_cases)} == {1}
        assert "1 alone is read, as --contrast asks" in note_with(found, "each case has 2 channels")
    with pytest.raises(UsageError, match="there is no channel 'T2'"):
        discover([root], contrast="T2")


def test_nnunet_v1(tmp_path: Path) -> None:
    root = decathlon(tmp_path / "Task501_X", ending="_0000", modality={"0": "CT", "1": "PET"})
    touch(root, "imagesTr/a_0001.nii.gz", "imagesTr/new_0000.nii.gz")
    found = discover([root])
    assert found.layout.startswith("nnU-Net v1, the old style of dataset.json")
    assert [case.image.name for case in found.cases] == ["a_0000.nii.gz", "b_0000.nii.gz"]
    assert pairs(found) == {"a": "a.nii.gz", "b": "b.nii.gz"}
    assert [path.name for path in found.unlisted] == ["new_0000.nii.gz"]
    second = discover([root], contrast="pet")
    assert [case.image.name for case in second.cases] == ["a_0001.nii.gz"]
    assert "1 cases have no channel 1" in note_with(second, "no channel")


def test_datalist(tmp_path: Path) -> None:
    touch(tmp_path, *(f"p{n}/image.nii.gz" for n in range(5)), *(f"p{n}/label.nii.gz" for n in range(3)))
    document = {
        "description": "anything",
        "labels": {"0": "background", "1": "left lung"},
        "training": [
            {"image": f"p{n}/image.nii.gz", "label": f"p{n}/label.nii.gz", "fold": n % 2, "age": 50}
            for n in range(3)
        ],
        "validation": [{"image": "p3/image.nii.gz"}],
        "testing": [{"image": "p4/image.nii.gz"}, {"image": "gone.nii.gz"}],
    }
    path = write_json(tmp_path / "folds.json", document)
    for paths in ([path], [litter(tmp_path)], [path, tmp_path]):
        found = discover(paths)
        assert found.layout == "MONAI datalist, 3 train, 1 val, 2 test"
        assert pairs(found) == {
            "p0": "label.nii.gz",
            "p1": "label.nii.gz",
            "p2": "label.nii.gz",
            "p3": None,
        }
        assert [case.given_splits[0] for case in found.cases] == ["fold 0", "fold 1", "fold 0", "val"]
        assert [case.image.parent.name for case in found.test_cases] == ["p4"]
        assert found.class_names == {1: "left_lung"}
        assert "1 test images that folds.json lists are not there" in found.notes
    assert not any("'age'" in note for note in found.notes)


def test_datalist_relative_to_another_folder(tmp_path: Path) -> None:
    touch(tmp_path / "data", "sub/a.nii.gz", "sub/b.nii.gz")
    listed = [{"image": "sub/a.nii.gz"}, {"image": str(tmp_path / "data/sub/b.nii.gz")}]
    path = write_json(tmp_path / "lists" / "one.json", {"training": listed})
    assert len(discover([path, tmp_path / "data"]).cases) == 2
    assert discover([path]).missing == ("sub/a.nii.gz",)
    write_json(path, {"training": listed[:1]})
    with pytest.raises(InputError, match="none of the 1 images"):
        discover([path])
    with pytest.raises(UsageError, match="leave --labels out"):
        discover([path], tmp_path / "data")
    with pytest.raises(UsageError, match="stands alone"):
        discover([tmp_path / "data", path])


def test_keys_that_are_almost_right_are_named(tmp_path: Path) -> None:
    touch(tmp_path, "a.nii.gz", "b.nii.gz", "l.nii.gz")
    cases = [{"image": "a.nii.gz", "lable": "l.nii.gz", "fold:": 0}, {"image": "b.nii.gz", "fold:": 1}]
    found = discover([write_json(tmp_path / "x.json", {"training": cases, "testin": [{"image": "a.nii.gz"}]})])
    assert note_with(found, "lable") == "1 cases have the key 'lable', which is not read; is 'label' meant?"
    assert "2 cases have the key 'fold:'" in note_with(found, "fold:")
    assert "'testin' is not read" in note_with(found, "testin")
    assert found.n_labeled == 0
    write_json(tmp_path / "x.json", {"training": [{"images": "a.nii.gz"}]})
    with pytest.raises(DataError, match=r'needs an "image".*found the keys .images'):
        discover([tmp_path / "x.json"])


def test_datalist_with_several_images_of_a_case(tmp_path: Path) -> None:
    touch(tmp_path, "t1.nii.gz", "t2.nii.gz", "seg.nii.gz")
    case = {"image": ["t1.nii.gz", "t2.nii.gz"], "label": ["seg.nii.gz"]}
    path = write_json(tmp_path / "x.json", {"training": [case]})
    assert discover([path]).cases[0].image.name == "t1.nii.gz"
    assert "2 channels" in note_with(discover([path]), "channels")
    assert discover([path], contrast="1").cases[0].image.name == "t2.nii.gz"


def test_two_datalists_are_one_too_many_and_other_json_is_none(tmp_path: Path) -> None:
    touch(tmp_path, "a.nii.gz", "b.nii.gz")
    write_json(tmp_path / "a.json", {"EchoTime": 0.03})
    (tmp_path / "broken.json").write_text("{")
    assert discover([tmp_path]).layout == "volume files without labels"
    for name in ("one.json", "two.json"):
        write_json(tmp_path / name, {"training": [{"image": "a.nii.gz"}]})
    with pytest.raises(DataError, match=r"2 lists of cases, one\.json, two\.json"):
        discover([tmp_path])
    write_json(tmp_path / "list.json", [1])
    with pytest.raises(DataError, match="expected a list of cases"):
        discover([tmp_path / "list.json"])


@pytest.mark.parametrize("part", ["train", "Training"])
def test_parts_with_folders_of_images_and_masks(tmp_path: Path, part: str) -> None:
    touch(
        tmp_path, f"{part}/images/a.png", f"{part}/images/b.png", f"{part}/masks/a.png", f"{part}/masks/b_mask.png"
    )
    touch(tmp_path, "test/images/c.png", "test/masks/c.png", "val/images/d.png", "val/masks/stray.png")
    found = discover([litter(tmp_path)])
    assert {case.image.name: case.label and case.label.name for case in found.cases} == {
        "a.png": "a.png",
        "b.png": "b_mask.png",
        "c.png": "c.png",
        "d.png": None,
    }
    assert {case.image.name: case.given_splits for case in found.cases} == {
        "a.png": ("train",),
        "b.png": ("train",),
        "c.png": ("test",),
        "d.png": ("val",),
    }
    assert [path.name for path in found.orphans] == ["stray.png"]
    assert len({case.patient for case in found.cases}) == 4  # a part is not one patient


def test_patients_with_folders_of_images_and_labels(tmp_path: Path) -> None:
    touch(tmp_path, *(f"p{n}/{kind}/scan.nii.gz" for n in (1, 2) for kind in ("images", "labels")))
    found = discover([litter(tmp_path)])
    assert {case.image.parent.parent.name: case.label.parent.name for case in found.cases if case.label} == {
        "p1": "labels",
        "p2": "labels",
    }


BRATS = ("flair", "t1", "t1ce", "t2")


@pytest.mark.parametrize(("name", "mark"), [("B20_001", "_"), ("B-GLI-00001-000", "-")])
def test_several_contrasts_of_a_patient_are_asked_for(tmp_path: Path, name: str, mark: str) -> None:
    for n in range(2):
        touch(tmp_path, *(f"{name}{n}/{name}{n}{mark}{word}.nii.gz" for word in (*BRATS, "seg")))
    with pytest.raises(DataError, match=r"2 label files have several images each \(flair: 2 images; t1: 2 images"):
        discover([litter(tmp_path)])
    found = discover([tmp_path], contrast="T2")
    assert pairs(found) == {f"{name}{n}/{name}{n}": f"{name}{n}{mark}seg.nii.gz" for n in range(2)}
    assert {case.image.name for case in found.cases} == {f"{name}{n}{mark}t2.nii.gz" for n in range(2)}
    assert note_with(found, "t2") == "the t2 images are read; 6 others are left out"
    with pytest.raises(UsageError, match="no images 'pd'; use one of flair, t1, t1ce, t2"):
        discover([tmp_path], contrast="pd")


def test_one_contrast_is_paired_without_a_question(tmp_path: Path) -> None:
    found = discover([touch(tmp_path, "p1_flair.nii.gz", "p1_seg.nii.gz", "p2_flair.nii.gz", "p2_seg.nii.gz")])
    assert pairs(found) == {"p1": "p1_seg.nii.gz", "p2": "p2_seg.nii.gz"}
    touch(tmp_path, "p3_flair.nii.gz", "p4_t1.nii.gz")
    assert pairs(discover([tmp_path])) == {"p1": "p1_seg.nii.gz", "p2": "p2_seg.nii.gz", "p3": None}


def test_channels_beside_their_labels_are_no_contrasts(tmp_path: Path) -> None:
    touch(tmp_path, *(f"p{n}_{end}.nii.gz" for n in (1, 2) for end in ("0000", "0001", "seg")))
    assert pairs(discover([tmp_path])) == {"p1": "p1_seg.nii.gz", "p2": "p2_seg.nii.gz"}


def test_several_sets_of_nnunet_below_one_folder(tmp_path: Path) -> None:
    for name in ("Dataset001_X", "Dataset002_Y"):
        touch(
            tmp_path,
            *(f"{name}/{file}" for n in (1, 2) for file in (f"imagesTr/c{n}_0000.nii", f"labelsTr/c{n}.nii")),
        )
    found = discover([tmp_path])
    assert pairs(found) == {
        f"{name}/c{n}": f"c{n}.nii" for name in ("Dataset001_X", "Dataset002_Y") for n in (1, 2)
    }


def test_a_test_set_alone(tmp_path: Path) -> None:
    touch(tmp_path, "imagesTs/a.nii.gz", "imagesTs/b.nii.gz", "labelsTs/a.nii.gz")
    for paths in ([tmp_path], [tmp_path / "imagesTs", tmp_path / "labelsTs"]):
        assert pairs(discover(paths)) == {"a": "a.nii.gz", "b": None}
    assert [scan.path.name for scan in list_scans(tmp_path).scans] == ["a.nii.gz", "b.nii.gz"]


def test_several_pairs_of_folders_without_a_list(tmp_path: Path) -> None:
    names = ("imagesTr/a", "labelsTr/a", "imagesTs/b", "labelsTs/b")
    touch(tmp_path, *(f"{name}.nii.gz" for name in names))
    found = discover([tmp_path])
    assert pairs(found) == {"a": "a.nii.gz"}
    assert [case.stem for case in found.test_cases] == ["imagesTs/b"]


def test_parts_as_inner_folders(tmp_path: Path) -> None:
    touch(tmp_path, "images/train/a.png", "images/test/b.png", "labels/train/a.png", "labels/test/b.png")
    found = discover([tmp_path])
    assert {case.image.name: case.given_splits for case in found.cases} == {
        "a.png": ("train",),
        "b.png": ("test",),
    }
    assert found.n_labeled == 2


def test_a_choice_where_there_is_none_is_refused(tmp_path: Path) -> None:
    touch(tmp_path, "images/a.nii.gz", "labels/a.nii.gz")
    with pytest.raises(UsageError, match="here each case has one"):
        discover([tmp_path], contrast="T1w")


@pytest.mark.parametrize("name", ["cxr_jsrt", "cxr_shenzhen", "abdomen_mr"])
def test_real_sets_without_orphans(real_scans: Callable[[str], Path], name: str) -> None:
    found = discover([real_scans(name)])
    assert found.n_labeled == len(found.cases) == len({case.patient for case in found.cases})
    assert found.orphans == ()
