"""What masks are called: like their scans, unless that names somebody or no system can store it."""

from pathlib import Path

import numpy as np
import pydicom
import pytest
from hypothesis import given
from hypothesis import strategies as st

from medsegan.geometry import Grid
from medsegan.imaging import Volume, read_patient_words, write_series
from medsegan.workflows.segmentation.names import LONGEST_NAME, ScanNames, safe_name
from medsegan.workflows.segmentation.options import SegmentOptions


@pytest.fixture(scope="module")
def series(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A series of two slices, whose patient is Jane Doe."""
    folder = tmp_path_factory.mktemp("in") / "series"
    affine = np.diag([-1.0, -1.0, 2.0, 1.0])
    write_series(Volume(np.zeros((4, 5, 2), np.int16), Grid((4, 5, 2), affine), "ct"), folder, seed_uid="1")
    change(
        folder, PatientName="Doe^Jane^X", PatientID="PAT-0042", PatientBirthDate="19560131", StudyDate="20200203"
    )
    return folder


def change(folder: Path, **tags: str) -> None:
    """Set elements in every file of a series."""
    for path in folder.iterdir():
        dataset = pydicom.dcmread(path)
        for keyword, value in tags.items():
            setattr(dataset, keyword, value)
        dataset.save_as(path)


def test_words_of_a_header(series: Path) -> None:
    words = read_patient_words(series)
    assert {"doe", "jane", "doe^jane^x", "pat-0042", "19560131", "1956-01-31", "31.01.1956", "20200203"} <= words
    assert "x" not in words
    assert "20200203" not in read_patient_words(series, only_identity=True)
    assert read_patient_words(Path(__file__)) == frozenset()


@pytest.mark.parametrize(
    ("stem", "is_telling"),
    [
        ("DOE_JANE", True),
        ("x/jane-2", True),
        ("PAT-0042", True),
        ("born_1956-01-31", True),
        ("case_07", False),
        ("2020/CT", False),
    ],
)
def test_names_that_tell_become_ids(series: Path, tmp_path: Path, stem: str, is_telling: bool) -> None:
    names = ScanNames(None, SegmentOptions(series.parent, tmp_path / "masks"))
    assert names.is_telling(series, stem) is is_telling
    assert names.stem(series, stem) == (names.case_id(series) if is_telling else stem)


def test_replaced_identities_name_nobody(series: Path, tmp_path: Path) -> None:
    """As in public archives, where the folders are called by the pseudonyms that the headers hold."""
    names = ScanNames(None, SegmentOptions(series.parent, tmp_path / "masks"))
    change(series, PatientIdentityRemoved="YES")
    assert names.stem(series, "PAT-0042") == "PAT-0042"
    change(series, PatientIdentityRemoved="NO")
    assert names.stem(series, "PAT-0042") != "PAT-0042"


@given(st.text(min_size=1, max_size=300).filter(lambda text: "/" not in text))
def test_every_system_takes_the_name(name: str) -> None:
    safe = safe_name(name)
    assert not set('<>:"|?*\\/') & set(safe)
    assert not any(ord(char) < 32 for char in safe)
    assert safe == safe.rstrip(" .")
    assert 0 < len(safe.encode(errors="surrogateescape")) <= LONGEST_NAME + 5
    assert safe_name(safe) == safe


def test_names_that_were_two_stay_two() -> None:
    names = ["a:b", "a?b", "a_b", "A" * 300, "A" * 301, "con", "NUL.x", "trailing. "]
    assert len({safe_name(name).lower() for name in names}) == len(names)
    assert [safe_name(name) for name in ("case_07", "Müller", "a b.c")] == ["case_07", "Müller", "a b.c"]
