"""Write a small data set of phantoms, look at it, and score a deliberately shifted label against its reference.

python examples/own_phantoms.py phantoms/
"""

import sys
from pathlib import Path

import numpy as np

from medsegan.imaging import LabelVolume, read_label
from medsegan.metrics import score_case
from medsegan.phantoms import PhantomLabels, write_dataset


def main(folder: Path, n_cases: int = 2) -> None:
    """Fill the folder and print the volume of each organ, with the Dice that a shift of one voxel leaves."""
    classes = PhantomLabels.as_dict()
    for scan in write_dataset(folder, "ct", n_cases, seed=0):
        label = read_label(folder / "labels" / scan.name)
        shifted = LabelVolume(np.roll(label.array, 1, axis=0), label.grid)
        print(f"{scan.name}: {label.grid.shape} voxels")
        for score in score_case(shifted, label, classes):
            dice = "absent" if score.dice is None else f"Dice after a shift of one voxel {score.dice:.3f}"
            print(f"  {score.class_name:<13} {score.reference_ml:7.1f} ml  {dice}")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "phantoms"))
