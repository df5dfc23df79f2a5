"""The options that several commands share, each described once."""

from pathlib import Path
from typing import Annotated, Any, Literal

import typer

WorkspaceOption = Annotated[
    Path | None,
    typer.Option(
        "-C", "--workspace", metavar="DIR", help="Workspace; default: the nearest medsegan.toml upwards."
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print the result as one JSON document.")]
OverwriteOption = Annotated[bool, typer.Option("--overwrite", help="Replace what is there already.")]
WorkersOption = Annotated[
    int | None,
    typer.Option("--workers", min=1, metavar="N", help="Cases done side by side; default: by cores and memory."),
]
SkipExistingOption = Annotated[
    bool, typer.Option("--skip-existing", help="Take over what is done already and unchanged, do the rest.")
]
DryRunOption = Annotated[
    bool, typer.Option("--dry-run", help="Say what would be read, chosen and written, and do nothing.")
]
FixGapsOption = Annotated[
    bool,
    typer.Option("--fix-gaps", help="Fill missing or unevenly spaced DICOM slices by interpolation, and say so."),
]
ContrastOption = Annotated[
    str | None,
    typer.Option(
        "--contrast",
        metavar="NAME|N",
        help="Which image of a case, where it has several: a channel of nnU-Net or of the Decathlon, a suffix of "
        "BIDS such as T1w.",
    ),
]
ChannelOption = Annotated[
    int | None,
    typer.Option("--contrast", min=0, metavar="N", help="Which volume of a NIfTI file of several, from 0."),
]
LabelsOption = Annotated[Path | None, typer.Option("--labels", metavar="DIR", help="Folder of the label files.")]
SeriesOption = Annotated[
    str | None,
    typer.Option("--series", metavar="UID|N", help="Which series, where a DICOM folder holds several."),
]
SeedOption = Annotated[
    int | None, typer.Option("--seed", metavar="N", help="Seed of every random choice; default 0.")
]
DeviceOption = Annotated[
    str | None,
    typer.Option(
        "--device",
        metavar="auto|cpu|cuda|cuda:N|mps",
        help="Where to compute; default auto, which says what it took.",
    ),
]
ModalityOption = Annotated[
    Literal["ct", "mr", "xray"] | None,
    typer.Option("--modality", help="Kind of scanner; default: found out and said."),
]
QualityOption = Annotated[
    Literal["fast", "balanced", "best"] | None,
    typer.Option("--quality", help="fast: the encoder's codes alone; balanced (default), best: optimised."),
]
StepsOption = Annotated[
    int | None, typer.Option("--steps", min=0, metavar="N", help="Steps of optimisation, in place of --quality.")
]
ObjectiveOption = Annotated[
    Literal["auto", "appearance", "structure"] | None,
    typer.Option(
        "--objective",
        help="What optimisation compares: appearance (intensities) or structure, blind to contrast; "
        "auto (default) is appearance.",
    ),
]
KeepLargestOption = Annotated[
    bool | None,
    typer.Option(
        "--keep-largest/--keep-all",
        help="Of classes that the training labels show in one piece keep the largest 3D part (default), or all.",
    ),
]

DicomFormOption = Annotated[
    Literal["seg", "labelmap", "rtstruct"] | None,
    typer.Option(
        "--as",
        help="Labels in DICOM (.dcm): a segmentation, one mask a class (default), a label map, or contours.",
    ),
]
ReproducibleUidsOption = Annotated[
    bool,
    typer.Option("--reproducible-uids", help="Derive the UIDs of labels in DICOM from their content."),
]
ResampleLabelsOption = Annotated[
    bool,
    typer.Option("--resample-labels", help="Resample labels that lie on another grid than their scan."),
]


def given(**options: Any) -> dict[str, Any]:
    """The options that the user gave; for all others the library's own default holds, stated there alone."""
    return {name: value for name, value in options.items() if value is not None}
