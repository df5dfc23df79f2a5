"""The four verbs as library calls, on phantoms: prepare, train, segment, evaluate.

The budget is that of a rehearsal, so the labels are poor; the calls are those of real work.

python examples/segment_from_python.py work/
"""

import sys
from pathlib import Path

from medsegan.imaging import write_volume
from medsegan.metrics import tabulate
from medsegan.phantoms import PhantomLabels, generate_case, write_dataset
from medsegan.progress import Progress
from medsegan.workflows.evaluate import EvaluateOptions, evaluate
from medsegan.workflows.prepare import PrepareOptions, prepare
from medsegan.workflows.segment import SegmentOptions, segment
from medsegan.workflows.train import TrainOptions, train
from medsegan.workflows.workspace import Workspace


class Diary(Progress):
    """A listener that prints the beginning of each stage and every note."""

    def start(self, title: str, total: float, unit: str) -> None:
        """Print the stage."""
        print(f"{title}: {total:,.0f} {unit}")

    def note(self, text: str) -> None:
        """Print the note."""
        print(text)


def main(folder: Path, n_cases: int = 8, n_images: int = 2000) -> None:
    """Make phantoms, train a U-Net on three labelled patients, segment a new scan and score the test patients."""
    diary = Diary()
    write_dataset(folder / "scans", "ct", n_cases, seed=0)
    root = folder / "workspace"
    classes = PhantomLabels.as_dict()
    prepare(root, PrepareOptions(paths=(folder / "scans",), classes=classes, size=32), diary)

    workspace = Workspace.find(override=root)
    run = train(workspace, TrainOptions(method="unet", labeled=3, images=n_images, device="cpu"), diary).run

    scan = folder / "new.nii.gz"
    write_volume(generate_case(seed=1, index=0, appearance="ct").volume, scan)
    result = segment(workspace, SegmentOptions(source=scan, output=folder / "new_mask.nii.gz", model=run), diary)
    print(f"wrote {result.cases[0].output}: {result.cases[0].volumes_ml}")

    table = tabulate(evaluate(workspace, EvaluateOptions(domain="ct", run=run), diary).report)
    print(table.title)
    for row in table.rows:
        print("  ".join(row))


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "work"))
