"""Where a conversion may write, and with which options: everything that can be refused before it reads."""

from ...errors import UsageError
from ...imaging import WRITABLE
from ..dicom_label import DICOM_SUFFIX, holds_dicom, is_dicom_name
from .options import ConvertOptions


def require_output(options: ConvertOptions) -> None:
    """Nothing, if the output can be written where and how it is asked for.

    Raises:
        UsageError: an unknown suffix, a place that is taken or lies in what is read, or options that need others.
    """
    output, reference = options.output, options.reference
    is_dicom = is_dicom_name(output)
    if not is_dicom and not output.name.lower().endswith(WRITABLE):
        raise UsageError(
            f"{output}: the suffix decides the format; use one of {', '.join(WRITABLE)}, or {DICOM_SUFFIX} for "
            "labels in DICOM"
        )
    if options.form is not None and not is_dicom:
        raise UsageError(f"--as {options.form} writes DICOM, but OUTPUT is {output}; give it a name in .dcm")
    if options.reproducible_uids and not is_dicom:
        raise UsageError("--reproducible-uids: only labels in DICOM have UIDs; write .dcm or leave it out")
    if options.maker is not None and not is_dicom:
        raise UsageError("--made-by: only labels in DICOM say who made them; write .dcm or leave it out")
    if is_dicom and reference is None:
        raise UsageError(
            f"{output}: labels in DICOM refer to the slices of their scan; give its folder with --source"
        )
    if is_dicom and reference is not None and reference.exists() and not holds_dicom(reference):
        raise UsageError(f"--source {reference} is no DICOM, but labels in DICOM refer to DICOM slices")
    _require_place(options)


def _require_place(options: ConvertOptions) -> None:
    output = options.output
    if output.is_dir():
        raise UsageError(f"{output} is a folder; give the name of the file to write")
    place = output.resolve()
    for path in (options.source, options.reference):
        if path is None:
            continue
        if path.resolve() == place:
            raise UsageError(f"{output} is what is read; give another place to write to")
        if path.is_dir() and path.resolve() in place.parents:
            raise UsageError(
                f"{output} lies in {path}, which is read, and would be taken for a part of it; write elsewhere"
            )
    if output.exists() and not options.overwrite:
        raise UsageError(f"{output} is there already; pass --overwrite to replace it")
