"""One volume from a folder of DICOM slices: right, or refused with the reason."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ...errors import DataError, InputError
from ...shapes import Array
from ..formats import is_dicom_index
from ..volume import Outline, Volume
from .choice import choose_stack
from .claims import claim_notes
from .copies import join_copies
from .files import find_dicom_files
from .header import MODALITY_OF_CLASS, SliceHeader, read_headers
from .native import read_native
from .pixels import AIR, PlaneReader, read_pixels
from .place import Placement, place_slices
from .radiograph import RADIOGRAPH_CLASSES, choose_radiograph, is_radiograph, read_radiograph
from .recent import Recent
from .scales import air_notes, scale_notes
from .stacks import Stack, count_left_out, find_stacks, repeated_positions


def read_series(path: Path, series: str | None = None, *, fix_gaps: bool = False) -> Volume:
    """The CT or MR volume in a folder of DICOM slices, with what was left out or repaired in its notes.

    A folder with a single X-ray picture (CR, DX) is a volume of one slice.

    Args:
        path: a folder, searched with its subfolders; its DICOMDIR; or one slice, whose series is then read from
            its folder.
        series: a SeriesInstanceUID, or the number of a series in the list that the error shows; `None` if there
            is only one.
        fix_gaps: whether missing slices and a change of spacing are filled by interpolation, with a note; else
            they are refused.

    Returns:
        (columns, rows, slices) int16 where slope and intercept keep the values whole, else float32.

    Raises:
        InputError: there is no DICOM, or a file is damaged.
        DataError: the slices make no straight, even, complete volume, or it is not clear which series is meant.
    """
    found = _find_slices(path, series, fix_gaps)
    if isinstance(found, SliceHeader):
        return read_radiograph(found)
    place, notes = found
    modality = MODALITY_OF_CLASS[place.slices[0].sop_class]
    array = _stack_pixels(place.slices)
    notes = [*air_notes(float(array.min()), modality), *notes]
    if place.straightening is not None:
        fill = AIR if modality == "ct" else min(0, array.min())
        # Padding below air would drag down what is interpolated beside it.
        array = place.straightening.apply(np.maximum(array, array.dtype.type(fill)), fill)
    made_up = () if place.straightening is None else place.straightening.between
    frame_uid = place.slices[0].frame_uid
    return Volume(array, place.grid, modality, tuple(notes), frame_uid=frame_uid, made_up=made_up)


def read_series_outline(path: Path, series: str | None = None, *, fix_gaps: bool = False) -> Outline | None:
    """What the volume of `read_series` is and where it lies, from the headers; None where only pixels tell.

    Args and Raises: see `read_series`. That pixels are damaged goes unnoticed.
    """
    found = _find_slices(path, series, fix_gaps)
    if isinstance(found, SliceHeader):
        return None
    place, _ = found
    return Outline(place.grid, MODALITY_OF_CLASS[place.slices[0].sop_class])


_Slices = SliceHeader | tuple[Placement, list[str]]
"""A radiograph, or the slices of a volume in their places and all notes."""
_recent: Recent[_Slices] = Recent()


def _find_slices(path: Path, series: str | None, fix_gaps: bool) -> _Slices:
    if is_dicom_index(path):
        path = path.parent
    if is_radiograph(path):
        return read_headers(path)[0]
    files, n_others = _find_files(path)
    found = _recent.recall((path, series, fix_gaps), files, lambda: _choose(files, path, series, fix_gaps))
    if isinstance(found, SliceHeader):
        return found
    place, notes = found
    is_all = path.is_dir() and n_others > 0
    return place, [*([f"left out {n_others} files that are not DICOM"] if is_all else []), *notes]


def _choose(files: list[Path], path: Path, series: str | None, fix_gaps: bool) -> _Slices:
    headers = [header for file in files for header in read_headers(file)]
    radiographs = [header for header in headers if header.sop_class in RADIOGRAPH_CLASSES]
    if radiographs and not any(header.is_slice for header in headers):
        return choose_radiograph(radiographs, series, path)
    return _place(headers, path, series, fix_gaps)


def place_series(path: Path, series: str | None = None) -> Placement:
    """The slices of the volume that `read_series` reads, in their order and with their grid, without their pixels.

    Args:
        path: as for `read_series`.
        series: as for `read_series`.

    Raises:
        InputError: there is no DICOM, or a file is damaged.
        DataError: the slices make no volume even if gaps are filled, or it is not clear which series is meant.
    """
    if is_dicom_index(path):
        path = path.parent
    headers = [header for file in _find_files(path)[0] for header in read_headers(file)]
    return _place(headers, path, series, fix_gaps=True)[0]


def _place(
    headers: list[SliceHeader], path: Path, series: str | None, fix_gaps: bool
) -> tuple[Placement, list[str]]:
    """The slices that are meant and their place, and all notes on both."""
    notes: list[str] = []
    slices = [header for header in headers if header.is_slice]
    others = [header for header in headers if not header.is_slice]
    if not slices:
        raise DataError(
            f"{path}: holds no CT or MR slices but {count_left_out(others)}; give the images, not their "
            "annotations, and convert multi-frame images that are not enhanced ones to NIfTI"
        )
    if others:
        notes.append(f"left out {len(others)} DICOM files that are no CT or MR slices: {count_left_out(others)}")
    stacks, stack_notes = find_stacks(slices)
    if not stacks:
        raise DataError(f"{path}: holds nothing but localisers ({len(slices)} slices)")
    stack, choice_notes = choose_stack(join_copies(stacks), series, str(path), path if path.is_file() else None)
    _require_grey(stack)
    distinct, copy_notes = _without_copies(stack, str(path))
    place = place_slices(distinct, str(path), fix_gaps=fix_gaps)
    modality = MODALITY_OF_CLASS[place.slices[0].sop_class]
    notes += [*scale_notes(place.slices), *claim_notes(place.slices, modality)]
    return place, [*notes, *stack_notes, *choice_notes, *copy_notes, *place.notes]


def _find_files(path: Path) -> tuple[list[Path], int]:
    """The DICOM files of a folder, or beside a file, and the number of others."""
    if not path.exists():
        raise InputError(f"{path}: there is no such file or folder")
    files, n_others = find_dicom_files(path) if path.is_dir() else find_dicom_files(path.parent, below=False)
    if not files:
        raise InputError(f"{path}: holds no DICOM files ({n_others} others)")
    return files, n_others


def _require_grey(stack: Stack) -> None:
    for header in stack.slices:
        if header.photometric != "MONOCHROME2":
            raise DataError(
                f"{header.path}: PhotometricInterpretation is {header.photometric or 'missing'}, not MONOCHROME2; "
                "inverted and coloured images are not read as scans"
            )
        if header.is_mosaic:
            raise DataError(
                f"{header.path}: a mosaic holds a whole volume in one picture; convert it with dcm2niix"
            )


def _without_copies(stack: Stack, where: str) -> tuple[list[SliceHeader], list[str]]:
    """One slice per position: exact copies are dropped, anything else at one position is refused."""
    groups = repeated_positions(stack.slices) if all(header.position for header in stack.slices) else []
    for group in groups:
        if len(group) == 1:
            continue
        first = read_pixels(group[0].path, group[0].frame)
        for other in group[1:]:
            if not np.array_equal(first, read_pixels(other.path, other.frame)):
                shown = ", ".join(f"{number:.2f}" for number in group[0].position)
                raise DataError(
                    f"{where}: {len(group)} different slices lie at one position ({shown} mm) and no tag tells "
                    f"them apart ({len(groups)} positions, {len(stack.slices)} slices); keep one volume per folder"
                )
    distinct = [group[0] for group in groups] or list(stack.slices)
    n_copies = len(stack.slices) - len(distinct)
    return distinct, [f"dropped {n_copies} exact copies of slices"] if n_copies else []


def _stack_pixels(ordered: Sequence[SliceHeader]) -> Array:
    """(columns, rows, n) in order, int16 if all values allow, else float32; a row is dense in memory."""
    planes: Array = np.empty((len(ordered), *ordered[0].matrix), dtype=np.int16)
    decoder = PlaneReader()
    for index, header in enumerate(ordered):
        values = None
        if header.native is not None:
            plane = planes[index] if planes.dtype == np.int16 else np.empty(planes.shape[1:], dtype=np.int16)
            values = read_native(header.path, header.native, MODALITY_OF_CLASS[header.sop_class], plane)
        if values is None:
            values = decoder.read(header)
        is_small = values.dtype == np.int16 or (
            values.dtype.kind == "i" and values.min() >= -32768 and values.max() <= 32767
        )
        if not is_small and planes.dtype == np.int16:
            whole, planes = planes, np.empty(planes.shape, dtype=np.float32)
            planes[:index] = whole[:index]
        planes[index] = values
    return planes.transpose(2, 1, 0)
