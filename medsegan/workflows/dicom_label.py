"""Labels written as a DICOM object of their scan, whatever the scan lies in."""

from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Literal

from ..errors import UsageError
from ..imaging import LabelVolume, is_archive, is_dicom_file, is_dicom_index
from ..imaging.archive import open_archive

DicomForm = Literal["seg", "labelmap", "rtstruct"]
DICOM_SUFFIX = ".dcm"


def write_as_dicom(
    label: LabelVolume,
    path: Path,
    source: Path,
    *,
    form: DicomForm | None,
    series: str | None,
    algorithm: str | None,
    reproducible_uids: bool,
) -> tuple[str, ...]:
    """Write labels as a segmentation or structure set of a DICOM series; what there is to tell of it comes back.

    Args:
        label: on the grid of the scan.
        path: ends in .dcm.
        source: the scan: a folder of slices, its DICOMDIR, a slice, or a zip archive.
        form: `None` = a binary segmentation.
        series: which series of the source; `None` if there is only one.
        algorithm: what made the labels; `None` = not known.
        reproducible_uids: whether the UIDs follow from the content, so that the same labels give the same file.

    Raises:
        UsageError: the source is no DICOM.
        DataError, InputError: see `write_dicom_label`.
    """
    if not holds_dicom(source):
        raise UsageError(
            f"{path}: labels in DICOM refer to the slices of a DICOM scan, and {source} is none; write .nii.gz"
        )
    from ..imaging import write_dicom_label

    with _as_folder(source) as folder:
        return write_dicom_label(
            label,
            path,
            source=folder,
            form=form or "seg",
            series=series,
            algorithm=algorithm,
            reproducible_uids=reproducible_uids,
        )


def holds_dicom(scan: Path) -> bool:
    """Whether a scan is a DICOM series by what it is called, and not a volume file or a picture."""
    return scan.is_dir() or is_archive(scan) or is_dicom_index(scan) or is_dicom_file(scan)


def _as_folder(source: Path) -> AbstractContextManager[Path]:
    if is_archive(source):
        return open_archive(source)
    return nullcontext(source.parent if is_dicom_index(source) else source)
