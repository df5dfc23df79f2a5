"""Whatever a list of cases holds, it is read or refused in one sentence."""

import json
from pathlib import Path
from typing import Any

import pytest
from discovery_scenes import touch
from hypothesis import given, settings
from hypothesis import strategies as st

from medsegan.errors import MedseganError
from medsegan.workflows.datasets.discover import discover

WORDS = st.sampled_from(
    [
        *(
            "channel_names",
            "modality",
            "labels",
            "training",
            "validation",
            "testing",
            "test",
            "dataset",
            "file_ending",
        ),
        *("image", "images", "label", "fold", "train", "val", "background", "ignore", "0", "1", "x"),
    ]
)
LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 70000),
    st.floats(),
    st.sampled_from(
        ["a.nii.gz", "imagesTr/a_0000.nii.gz", "labelsTr/a.nii.gz", "..", "", ".", "/", "\0", "a" * 300, ".nii.gz"]
    ),
)
DOCUMENTS = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=5), max_leaves=20
)


LISTS = st.lists(st.dictionaries(WORDS, LEAVES, max_size=3) | LEAVES, max_size=3)
LIKELY = st.fixed_dictionaries(
    {},
    optional={
        "training": LISTS,
        "testing": LISTS,
        "test": LISTS,
        "labels": st.dictionaries(WORDS, LEAVES | st.lists(LEAVES, max_size=2), max_size=3),
        "channel_names": st.dictionaries(WORDS, LEAVES, max_size=2),
        "modality": st.dictionaries(WORDS, LEAVES, max_size=2),
        "dataset": st.dictionaries(
            WORDS, st.fixed_dictionaries({"images": st.lists(LEAVES, max_size=2)}), max_size=2
        ),
        "file_ending": LEAVES,
    },
)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return touch(tmp_path_factory.mktemp("set"), "imagesTr/a_0000.nii.gz", "labelsTr/a.nii.gz", "a.nii.gz")


@pytest.mark.parametrize("name", ["dataset.json", "list.json", "splits_final.json"])
@settings(max_examples=150)
@given(document=DOCUMENTS | LIKELY)
def test_any_json_is_read_or_refused(root: Path, name: str, document: Any) -> None:
    for path in root.glob("*.json"):
        path.unlink()
    if name == "splits_final.json":
        (root / "dataset.json").write_text(json.dumps({"channel_names": {"0": "CT"}, "labels": {}}))
    (root / name).write_text(json.dumps(document))
    for paths in ([root], [root / name]):
        try:
            found = discover(paths)
        except MedseganError:
            continue  # refused in one sentence; anything else would be a fault
        assert found.cases
