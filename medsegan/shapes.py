"""The axis letters of every array in medsegan, written once.

Image tower (numpy):
    (I, J, K)      a volume in the voxel order of its file; `Grid.world_from_voxel` maps indices to RAS+ mm
    (S, H, W)      a stack of slices; S runs along the normal of the plane, H down, W to the right
Learning tower (torch):
    [N, C, H, W]   a batch of images, C channels, values in [-1, 1]
    [N, K, H, W]   logits or probabilities of K classes, class 0 is background
    [N, H, W]      labels, integers in 0..K-1
    [N, Z]         a latent z;  [N, L, W] a code w+, one w of width W for each of L layers
"""

from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
FloatArray = npt.NDArray[np.floating[Any]]
LabelArray = npt.NDArray[np.integer[Any]]
MaskArray = npt.NDArray[np.bool_]
Shape3 = tuple[int, int, int]
