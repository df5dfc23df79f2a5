"""Masks of one slice: their surface is the outline in the picture."""

import numpy as np

from ..shapes import LabelArray


def outlines_if_flat(labels: LabelArray) -> LabelArray:
    """The labels of the voxels at the outline of each class, else 0, if the volume is one slice; else as they are.

    Outside of its slice a volume is background, so that every voxel of a single slice would be surface and a
    boundary in the middle of another mask would count as met. The outline is made of the voxels with one of the
    four neighbours in the slice outside of the class; the edge of the picture counts as outside, as in 3D.

    Args:
        labels: (I, J, K) integers.
    """
    flat = [axis for axis, n in enumerate(labels.shape) if n == 1]
    if len(flat) != 1:
        return labels
    picture: LabelArray = np.moveaxis(labels, flat[0], 0)[0]
    padded: LabelArray = np.pad(picture.astype(np.int64), 1, constant_values=-1)
    inner = np.ones(picture.shape, dtype=bool)
    for row, column in ((0, 1), (2, 1), (1, 0), (1, 2)):
        neighbours = padded[row : row + picture.shape[0], column : column + picture.shape[1]]
        inner &= neighbours == picture
    return np.expand_dims(np.where(inner, picture.dtype.type(0), picture), flat[0])
