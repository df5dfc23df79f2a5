"""`convert`: the readers and writers of scans and labels as a command of their own."""

import time
from dataclasses import replace
from pathlib import Path

import numpy as np

from .. import __version__
from ..errors import DataError, UsageError
from ..imaging import (
    LabelVolume,
    Volume,
    align_label,
    as_intensities,
    belonging_notes,
    class_name_of,
    content_hash,
    find_dicom_files,
    is_dicom_label,
    is_picture_file,
    read_label,
    read_names,
    read_stored,
    read_volume,
    referenced_series,
    require_writable,
    series_of_file,
    write_dicom_label,
    write_label,
    write_volume,
)
from ..progress import SILENT, Progress
from ..shapes import Array
from .case_label import by_names
from .conversion.options import ConvertOptions, ConvertResult, Kind
from .conversion.output import require_output
from .conversion.scan_or_mask import kind_by_format, kind_by_values, require_kind
from .dicom_label import is_dicom_name
from .output_folder import make_folder_of
from .privacy.redaction import Redaction
from .provenance import Making, Origin, algorithm_of_file, series_setting, write_provenance

__all__ = ["ConvertOptions", "ConvertResult", "Kind", "convert"]

_EXACT_IN_FLOAT32 = 1 << 24
_UNKNOWN_MAKER = f"semiautomatic medsegan convert {__version__}"
"""DICOM leaves no place for not knowing; this promises the least."""


def convert(options: ConvertOptions, progress: Progress = SILENT) -> ConvertResult:
    """The scan or the labels that were read and written in another format, with a sidecar.

    Args:
        options: see `ConvertOptions`.
        progress: hears of notes.

    Raises:
        InputError, DataError: the source cannot be read, or the output not written.
        UsageError: options that make no sense together, or an output that is there already.
    """
    reference = () if options.reference is None else (options.reference,)
    redaction = Redaction((options.source, *reference, options.output), options.show_names)
    with redaction.of_errors():
        return _convert(options, redaction, progress)


def _convert(options: ConvertOptions, redaction: Redaction, progress: Progress) -> ConvertResult:
    began = time.perf_counter()
    by_format, reason = kind_by_format(options.source)
    asked: Kind | None = options.kind
    if asked is None and _means_mask(options):
        asked = "mask"
    elif asked is None and options.channel is not None:
        asked = "scan"
    require_kind(asked, by_format, options.source)
    require_output(options)
    origin = _origin(options)
    read = _read(options, asked or by_format, reason)
    is_mask = isinstance(read, LabelVolume)
    _require_options_of(options, is_mask)
    notes = redaction.of_notes(read.notes, options.source, options.reference)
    for note in notes:
        progress.note(note)
    if isinstance(read, LabelVolume):
        labels = {name: value for value, name in sorted(read.names.items())}
        notes += redaction.of_notes(_write_mask(read, options), options.reference or options.source)
    else:
        labels = {}
        _write_scan(read, options)
    result = ConvertResult(
        output=options.output,
        kind="mask" if is_mask else "scan",
        shape=read.grid.shape,
        spacing_mm=read.grid.spacing_mm,
        labels=labels,
        notes=notes,
        dry_run=options.dry_run,
    )
    if not options.dry_run:
        private = (options.source, *(() if options.reference is None else (options.reference,)))
        seconds = round(time.perf_counter() - began, 2)
        making = Making(seconds, notes=notes, labels=labels, private=private)
        write_provenance(options.output, origin, making, result.kind)
    return result


def _means_mask(options: ConvertOptions) -> bool:
    """Whether only labels can be meant."""
    asks = (options.form, options.reference, options.names, options.maker)
    return is_dicom_name(options.output) or options.resample_labels or any(option is not None for option in asks)


def _require_options_of(options: ConvertOptions, is_mask: bool) -> None:
    """Refuse options that would be passed over."""
    if is_mask and options.series is not None and options.reference is None:
        raise UsageError("--series chooses among images: labels have none; give their scan with --source")
    if is_mask and options.resample_labels and options.reference is None:
        raise UsageError("--resample-labels needs the scan whose grid is meant: give it with --source")


def _origin(options: ConvertOptions) -> Origin:
    settings = {
        "kind": options.kind,
        "series": series_setting(options.series),
        "form": options.form,
        "maker": options.maker,
        "names": None if options.names is None else dict(options.names),
        "fix_gaps": options.fix_gaps,
        "channel": options.channel,
        "resample_labels": options.resample_labels,
        "reproducible_uids": options.reproducible_uids,
    }
    source_hash = None if options.reference is None else content_hash(options.reference)
    return Origin("convert", content_hash(options.source), settings, None, source_hash)


def _read(options: ConvertOptions, kind: Kind | None, reason: str) -> Volume | LabelVolume:
    path = options.source
    if kind == "mask":
        label = _read_mask(options)
        return replace(label, notes=(f"read as labels: {reason}", *label.notes)) if reason else label
    if reason:
        return read_volume(path, series=options.series, fix_gaps=options.fix_gaps, channel=options.channel)
    if options.series is not None:
        raise UsageError(f"{path}: only DICOM has series, but series {options.series!r} was asked for")
    if kind is None and read_names(path)[0]:
        label = _read_mask(options)
        return replace(label, notes=("taken as labels: the file names its classes", *label.notes))
    is_picture = is_picture_file(path)
    stored = read_stored(path, channel=options.channel)
    if kind is None:
        kind, why = kind_by_values(stored, is_picture=is_picture)
        if kind == "mask":
            label = _read_mask(options)
            return replace(label, notes=(f"taken as labels: {why}", *label.notes))
        stored = replace(stored, notes=(f"taken as a scan: {why}", *stored.notes))
    array, notes = as_intensities(stored.array, path)
    notes += _rounding_notes(stored.array, array, path)
    return Volume(array, stored.grid, "unknown", stored.notes + notes, is_picture)


def _rounding_notes(stored: Array, array: Array, path: Path) -> tuple[str, ...]:
    """What was lost of values that need more than 32 bits."""
    if array.dtype != np.float32 or stored.dtype == np.float32:
        return ()
    if stored.dtype.kind in "iu":
        if max(abs(int(stored.min())), abs(int(stored.max()))) > _EXACT_IN_FLOAT32:
            raise DataError(
                f"{path}: integers from {stored.min()} to {stored.max()} would be rounded, since scans are "
                f"written with at most 32 bits; values up to {_EXACT_IN_FLOAT32} can be kept"
            )
        return ()
    with np.errstate(invalid="ignore"):
        off = float(np.nanmax(np.abs(stored - array), initial=0.0, where=np.isfinite(stored)))
    return (f"values of {stored.dtype} are written as float32, up to {off:.2g} off",) if off else ()


def _read_mask(options: ConvertOptions) -> LabelVolume:
    """The labels on the grid of their scan, if that is given, with the names and values that were asked for."""
    path = options.source
    if options.channel is not None and options.reference is None:
        raise UsageError("--contrast chooses among images: labels have none; give their scan with --source")
    notes: tuple[str, ...] = ()
    scan: Volume | None = None
    if options.reference is not None:
        series, notes = _series_of_reference(options)
        scan = read_volume(options.reference, series=series, fix_gaps=options.fix_gaps, channel=options.channel)
        notes = (*(f"source: {note}" for note in scan.notes), *notes)
    grid = None if scan is None else scan.grid
    label = read_label(path, on=grid, resample=options.resample_labels, straight=grid is not None)
    notes = (*label.notes, *notes)
    if grid is None and path.is_file() and is_dicom_label(path):
        notes += ("laid on the smallest box around its frames; --source lays it on its scan",)
    if scan is not None:
        label, note = align_label(label, scan.grid, resample=options.resample_labels)
        notes += () if note is None else (note,)
        notes += belonging_notes(path, label.array, scan)
    if options.names is not None:
        label, name_notes = _with_names(label, dict(options.names), path)
        notes += name_notes
    return replace(label, notes=notes)


def _series_of_reference(options: ConvertOptions) -> tuple[str | None, tuple[str, ...]]:
    """Which series of the scan the labels were drawn on, as they say themselves."""
    reference = options.reference
    if options.series is not None or reference is None or not reference.is_dir():
        return options.series, ()
    drawn_on = referenced_series(options.source) if is_dicom_label(options.source) else frozenset()
    if not drawn_on:
        return None, ()
    held = {series_of_file(file) for file in find_dicom_files(reference)[0]} & drawn_on
    if not held:
        return None, ("the labels were drawn on another series than the source holds; laid on it by place alone",)
    return (held.pop() if len(held) == 1 else None), ()


def _with_names(label: LabelVolume, names: dict[str, int], path: Path) -> tuple[LabelVolume, tuple[str, ...]]:
    """The labels with the names and values that were asked for, and what became of all others."""
    wanted = {value: name for name, value in names.items()}
    if not label.names:
        values = np.flatnonzero(np.bincount(label.array.ravel()))
        unnamed = [int(value) for value in values if value > 0 and int(value) not in wanted]
        note = (f"no name for the values {', '.join(map(str, unnamed[:8]))}",) if unnamed else ()
        return replace(label, names=wanted), note
    known = {class_name_of(name) for name in label.names.values()}
    chosen = {class_name_of(name) for name in names}
    unknown = sorted(chosen - known)
    if unknown:
        raise DataError(
            f"{path}: has no class {', '.join(unknown)}; its classes are {', '.join(sorted(known))}: "
            "name those of them that are wanted"
        )
    dropped = sorted(known - chosen)
    note = (f"left out, since --names does not list them: {', '.join(dropped)}",) if dropped else ()
    return replace(label, array=by_names(label, names), names=wanted), note


def _write_scan(volume: Volume, options: ConvertOptions) -> None:
    if options.dry_run:
        require_writable(options.output, volume.grid)
        return
    make_folder_of(options.output)
    write_volume(volume, options.output, like=options.source)


def _write_mask(label: LabelVolume, options: ConvertOptions) -> tuple[str, ...]:
    reference = options.reference
    is_dicom = is_dicom_name(options.output)
    if options.dry_run:
        if not is_dicom:
            require_writable(options.output, label.grid)
        return ()
    make_folder_of(options.output)
    if not is_dicom or reference is None:
        like = reference if reference is not None else options.source
        write_label(label, options.output, like=like)
        return ()
    maker = options.maker or algorithm_of_file(options.source)
    notes = () if maker else ("nothing says who made the labels: written as semiautomatic; --made-by says it",)
    return notes + write_dicom_label(
        label,
        options.output,
        source=reference,
        form=options.form or "seg",
        series=_series_of_reference(options)[0],
        algorithm=maker or _UNKNOWN_MAKER,
        reproducible_uids=options.reproducible_uids,
    )
