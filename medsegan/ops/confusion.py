"""How often each class of one label volume meets each class of another, as an operator of torch."""

import torch

from ..voxels.confusion import MAX_CLASSES
from ..voxels.confusion import confusion as on_arrays
from .library import declare


def confusion(prediction: torch.Tensor, reference: torch.Tensor, n_classes: int) -> torch.Tensor:
    """[K, K] int64 voxel counts: row r, column p for class r in the reference and class p in the prediction.

    Args:
        prediction: integers 0..K-1 (uint8, uint16, int16, int32 or int64), any shape.
        reference: integers 0..K-1, the same shape and dtype.
        n_classes: K, 1 to 4096.

    Raises:
        ValueError: shapes or dtypes differ, or K is out of its range.
        DataError: a value is not 0..K-1; on a GPU it is a RuntimeError that says the same.
    """
    require_label_pair(prediction, reference)
    if not 1 <= n_classes <= MAX_CLASSES:
        raise ValueError(f"n_classes must be 1 to {MAX_CLASSES}, got {n_classes}")
    return torch.ops.medsegan.confusion(prediction, reference, n_classes)


def require_label_pair(prediction: torch.Tensor, reference: torch.Tensor) -> None:
    """Nothing, if the tensors can be compared voxel by voxel.

    Raises:
        ValueError: their shapes, dtypes or devices differ.
    """
    for what in ("shape", "dtype", "device"):
        one, other = getattr(prediction, what), getattr(reference, what)
        if one != other:
            raise ValueError(f"prediction and reference differ in {what}: {one} and {other}")


def _reference(prediction: torch.Tensor, reference: torch.Tensor, n_classes: int) -> torch.Tensor:
    volumes = [volume.detach().cpu().numpy() for volume in (prediction, reference)]
    counts = on_arrays(volumes[0], volumes[1], n_classes, threads=torch.get_num_threads())
    return torch.from_numpy(counts).to(prediction.device)


declare(
    "confusion(Tensor prediction, Tensor reference, int n_classes) -> Tensor",
    _reference,
    lambda prediction, reference, n_classes: prediction.new_empty((n_classes, n_classes), dtype=torch.int64),
)
