"""What was found in the folders that a user names: which scans, and which labels belong to them."""

from dataclasses import dataclass, field
from pathlib import Path

from ...imaging import is_archive


@dataclass(frozen=True)
class FoundCase:
    """One scan of one patient.

    Args:
        image: the scan, a file, or a folder or zip archive of DICOM files.
        label: its labels; None for a scan without labels.
        patient: who was scanned: a hash of the PatientID of a DICOM scan, else what names of files and folders
            tell; splits go by it.
        stem: what this case is called among the others; unique.
        given_splits: the parts that the data set itself puts this case into: "train", "test", "fold 2"; empty
            where it says nothing, and more than one where it contradicts itself.
        channel: which volume of a file with several, counted from 0; None = it holds one.
    """

    image: Path
    label: Path | None
    patient: str
    stem: str
    given_splits: tuple[str, ...] = ()
    channel: int | None = None

    def series(self, asked: str | None) -> str | None:
        """The series to read of this scan: the one asked for if it is DICOM, which alone has series."""
        return asked if self.is_dicom else None

    @property
    def is_dicom(self) -> bool:
        """Whether the scan is a folder or an archive of DICOM files."""
        return self.image.is_dir() or is_archive(self.image)


@dataclass(frozen=True)
class Discovery:
    """All cases found, and how they were recognised.

    Args:
        layout: the layout in words, without paths.
        cases: in order of their names.
        orphans: label files that belong to no scan.
        class_names: value in the label files -> name, where the data set itself says so; without background.
        names_from: where the names of classes stand, in words, without paths.
        notes: what was left out or assumed, without names of files.
        label_values: every value that the data set says its labels may have, with 0 and with the one that marks
            what is not annotated; None where it says nothing.
        test_cases: the test set that the layout sets apart; `prepare` leaves it out, `verify` looks at it.
        missing: files that a list of the data set names and that are not there, as it names them.
        unlisted: scans that lie beside those of the list and that it does not name.
        pictures: PNG and TIFF files beside scans with a place, which are left out.
    """

    layout: str
    cases: tuple[FoundCase, ...]
    orphans: tuple[Path, ...] = ()
    class_names: dict[int, str] | None = None
    notes: tuple[str, ...] = field(default=())
    names_from: str = "dataset.json"
    label_values: frozenset[int] | None = None
    test_cases: tuple[FoundCase, ...] = ()
    missing: tuple[str, ...] = ()
    unlisted: tuple[Path, ...] = ()
    pictures: tuple[Path, ...] = ()

    @property
    def n_labeled(self) -> int:
        """Number of cases with labels."""
        return sum(case.label is not None for case in self.cases)
