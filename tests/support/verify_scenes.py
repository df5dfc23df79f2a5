"""Small sets of scans in which nothing is wrong, and ways to make one thing wrong."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np

from medsegan.workflows.verify import Finding, VerifyOptions, VerifyResult, verify

SHAPE = (40, 36, 12)
AFFINE = np.array([[-2.0, 0, 0, 40], [0, -2.0, 0, 36], [0, 0, 5.0, -30], [0, 0, 0, 1]])
N_CASES = 5


def write_clean_case(image: Path, label: Path | None, seed: int, appearance: str = "ct") -> None:
    """A body with a spine and two organs, at another place in each; a CT has thousands of values."""
    random = np.random.default_rng(seed)
    i, j, k = np.indices(SHAPE)
    x, y = random.uniform(-2, 2, 2)
    body = ((i - 19.5) / 17) ** 2 + ((j - 17.5) / 13) ** 2 <= 1
    right = ((i - 11 - x) / 6) ** 2 + ((j - 17) / 7) ** 2 + ((k - 5.5) / 5) ** 2 <= 1
    left = ((i - 28) / 4) ** 2 + ((j - 20 - y) / 4) ** 2 + ((k - 5.5) / 4) ** 2 <= 1
    bone = ((i - 19.5) / 3) ** 2 + ((j - 8) / 3) ** 2 <= 1
    values, noise = ((-1000, 20, 90, 180, 600), 60) if appearance == "ct" else ((15, 300, 600, 150, 60), 5)
    array = np.select([bone, left, right, body], [values[4], values[3], values[2], values[1]], values[0])
    array = np.clip(array + random.normal(0, noise, SHAPE), -1024 if appearance == "ct" else 0, None)
    save(image, array.astype(np.int16), AFFINE)
    if label is not None:
        save(label, (right + 2 * left).astype(np.uint8), AFFINE)


def write_clean_set(root: Path, appearance: str = "ct") -> Path:
    """The cases c0, c1, ... in images/ and labels/."""
    for n in range(N_CASES):
        write_clean_case(root / f"images/c{n}.nii.gz", root / f"labels/c{n}.nii.gz", n, appearance)
    return root


def save(path: Path, array: np.ndarray, affine: np.ndarray) -> None:
    """A NIfTI file in place of what was there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    nib.save(nib.Nifti1Image(array, affine), path)


def change(path: Path, of_array: Callable[[np.ndarray], np.ndarray] | None = None, affine: Any = None) -> None:
    """A file rewritten with other voxels or another place."""
    image = nib.load(path)
    array = np.asanyarray(image.dataobj).copy()
    save(path, array if of_array is None else of_array(array), image.affine if affine is None else affine)


def edit(path: Path, index: Any, value: int) -> None:
    """A file rewritten with some voxels at another value."""

    def put(array: np.ndarray) -> np.ndarray:
        array[index] = value
        return array

    change(path, put)


def check(*paths: Path, **options: Any) -> VerifyResult:
    return verify(VerifyOptions(paths, **options))


def finding(result: VerifyResult, what: str) -> Finding:
    """The one finding of a kind."""
    [found] = [one for one in result.findings if one.what == what]
    return found
