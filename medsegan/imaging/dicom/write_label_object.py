"""Labels as a DICOM object of their scan: written, read back, and only then given its name."""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal, get_args

from ... import __version__
from ...atomic import atomic_file
from ...errors import InputError, UsageError
from ...shapes import LabelArray
from ..placed import place_block
from ..volume import LabelVolume
from .new_uids import NewUids
from .onto_series import labels_on_series
from .onto_slices import OnSlices, labels_on_slices
from .proof import require_same_place, require_same_voxels
from .rtstruct import read_rtstruct
from .seg import read_seg
from .segments import Maker, Segment, describe_segments, maker_of
from .source_series import SourceSeries, open_source
from .write_rtstruct import write_rtstruct
from .write_seg import write_seg

DicomForm = Literal["seg", "labelmap", "rtstruct"]


def write_dicom_label(
    label: LabelVolume,
    path: Path,
    *,
    source: Path,
    form: DicomForm = "seg",
    series: str | None = None,
    algorithm: str | None = None,
    reproducible_uids: bool = False,
) -> tuple[str, ...]:
    """Notes on what was written: a segmentation (SEG) or structure set (RTSTRUCT) of a DICOM series.

    The object belongs to the record of the patient: by the standard it carries the patient, the study and the
    frame of reference of its series, word for word, and is a series of its own in that study. Nothing of the
    patient is in the notes.

    Of a series that was straightened for reading (tilted gantry, gaps), a segmentation has the labels on the
    slices as they were acquired, each plane moved by at most half a pixel; contours stay where they are.

    Args:
        label: on the voxels of the series, in any order and direction of axes. Its `names` name the segments,
            "label 3" where there is none; classes without a voxel are not written.
        path: ends in .dcm; a file there is replaced once the new one is complete and proven.
        source: the series: a folder, a zip archive or one of its files, as `read_volume` takes it.
        form: "seg" has a bit for each voxel of each class, which all viewers read; "labelmap" one value for each
            voxel (DICOM 2024c); "rtstruct" contours along the edges of the pixels.
        series: which series of the source, as `read_volume` takes it.
        algorithm: what made the labels, "name 1.2"; "manual" or "semiautomatic" (with a program behind it or not)
            where a person did; `None` = this program, automatically.
        reproducible_uids: whether UIDs follow from the source and the labels, and times from the study, so that
            the same input gives the same bytes; else they are new each time.

    Raises:
        UsageError: the form or the suffix is not known, or the path is that of an image of the series.
        InputError: the source cannot be read or the file not written.
        DataError: nothing is labelled, the labels do not lie on the series, or do not come back from the file.
        MedseganError: highdicom is needed and not installed.
    """
    if form not in get_args(DicomForm):
        raise UsageError(f"form {form!r} is not known; use one of {', '.join(get_args(DicomForm))}")
    if path.suffix.lower() != ".dcm":
        raise UsageError(f"{path}: DICOM objects are written as .dcm")
    if not path.parent.is_dir():
        raise InputError(f"{path.parent}: there is no such folder to write into")
    segments, notes = describe_segments(label.array, label.names, keep_values=form != "seg", where=str(path))
    with open_source(source, series) as opened:
        if any(header.path.resolve() == path.resolve() for header in opened.placement.slices):
            raise UsageError(f"{path} is an image of the series that is read; give another place to write to")
        array = labels_on_series(label, opened.placement.grid, opened.where)
        content = _content(array, segments, opened, (form, algorithm or "")) if reproducible_uids else None
        made = maker_of(algorithm), NewUids(content)
        try:
            write = _write_contours if form == "rtstruct" else _write_frames
            with atomic_file(path, ".dcm") as partial:
                notes += write(label, array, segments, opened, (partial, path, form), made)
        except OSError as error:
            raise InputError(f"{path}: cannot be written ({error})") from error
    return notes


def _write_contours(
    label: LabelVolume,
    array: LabelArray,
    segments: Sequence[Segment],
    source: SourceSeries,
    target: tuple[Path, Path, DicomForm],
    made: tuple[Maker, NewUids],
) -> tuple[str, ...]:
    """Write a structure set, read it back and compare it with the labels, voxel by voxel and in mm."""
    partial, path, _ = target
    write_rtstruct(array, segments, source, partial, made)
    written = read_rtstruct(partial, source.placement.grid)
    require_same_place(label, written, segments, path)
    require_same_voxels(array, written.array, segments, path)
    return ()


def _write_frames(
    label: LabelVolume,
    array: LabelArray,
    segments: Sequence[Segment],
    source: SourceSeries,
    target: tuple[Path, Path, DicomForm],
    made: tuple[Maker, NewUids],
) -> tuple[str, ...]:
    """Write a segmentation, read it back and compare it with the labels, voxel by voxel and in mm."""
    partial, path, form = target
    moved = OnSlices(array, array, source.placement.grid, label, ())
    if source.placement.straightening is not None:
        moved = labels_on_slices(array, source.placement, source.where)
    write_seg(moved.array, segments, source, partial, "BINARY" if form == "seg" else "LABELMAP", made)
    written = read_seg(partial)
    require_same_place(moved.kept, written, segments, path)
    placed, _ = place_block(written.array, written.grid, moved.grid, str(path))
    require_same_voxels(moved.even, placed, segments, path)
    return moved.notes


def _content(
    array: LabelArray, segments: Sequence[Segment], source: SourceSeries, settings: tuple[str, str]
) -> list[bytes]:
    """All that the object is made of, for its UIDs."""
    texts = [__version__, *settings, source.series_uid, *(one.instance_uid for one in source.references)]
    texts += [f"{segment.value} {segment.number} {segment.name}" for segment in segments]
    return [*(text.encode() for text in texts), array.astype("<u2").tobytes()]
