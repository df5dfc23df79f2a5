"""Where the patient is in the picture: the body without the table, the arms and the noise around them."""

import math

import numpy as np

from ..imaging import Modality
from ..shapes import Array, FloatArray, MaskArray
from ..voxels import connected_components

Span = tuple[float, float]

_BLOCK_MM = 4.0
_SLICE_MM = 6.0
_OPENING_MM = 8.0
_SMALLEST_BODY_MM = 100.0
_SMALLEST_BODY_FRACTION = 0.05
_LIMB_RATIO = 0.3
_AIR_BELOW_HU = -400.0
_BODY_ABOVE_HU = -300.0
_ABOVE_CLIPPED_AIR_HU = 6.0
_DARK_RATIO = 0.25
_TRIMMED_PERCENT = 2.0
_HISTOGRAM_BINS = 256
_EXACT_BLOCK = 256
"""So many numbers of two bytes have a sum that float32 holds exactly."""


def body_mask(array: Array, spacing_mm: tuple[float, float, float], modality: Modality) -> MaskArray:
    """Which voxels belong to the body; all False where nothing sets a body apart from its surroundings.

    CT: tissue is denser than -300 HU or, where the air was clipped away, above the darkest value. MR: Otsu's
    threshold (IEEE Trans. SMC 9, 1979) on the square roots, because the noise around a body lies far closer to its
    darkest tissue than to its brightest. An opening cuts off table and cables, limbs are left out by their size in
    each slice, holes are filled.

    Args:
        array: (S, H, W) intensities, S along the body.
        spacing_mm: distance of the voxels along S, H and W.
        modality: how to read the intensities; "unknown" is read like MR.
    """
    foreground = _ct_foreground(array) if modality == "ct" else _mr_foreground(array)
    if not foreground.any():
        return foreground
    opened = _opened(foreground, spacing_mm)
    body = np.zeros_like(opened)
    for index, mask in enumerate(opened):
        body[index] = _without_holes(_without_limbs(mask))
    return body


def body_box(
    array: Array, spacing_mm: tuple[float, float, float], modality: Modality
) -> tuple[Span, Span, Span] | None:
    """The edges of the body along each axis in voxel indices (voxel 0 reaches from -0.5 to 0.5), or `None`.

    Each edge is that of the widest slices, apart from the outermost two per cent. `None` where the image is too
    small to hold a body, or holds none; and of X-rays, whose field of view was set around the body by hand.

    Args:
        array: (S, H, W) intensities, S along the body.
        spacing_mm: distance of the voxels along S, H and W.
        modality: how to read the intensities; "unknown" is read like MR.
    """
    if modality == "xray":
        return None
    if max(array.shape[1] * spacing_mm[1], array.shape[2] * spacing_mm[2]) < _SMALLEST_BODY_MM:
        return None
    factors = _block_sizes(array.shape, spacing_mm)
    blocks = _block_means(array, factors)
    coarse_mm = (spacing_mm[0] * factors[0], spacing_mm[1] * factors[1], spacing_mm[2] * factors[2])
    body = body_mask(blocks, coarse_mm, modality)
    if body.mean() < _SMALLEST_BODY_FRACTION:
        return None
    spans = [_span(body, axis) for axis in range(3)]
    ends = [
        (low * factor - 0.5, n - 0.5 if high >= n_blocks else high * factor - 0.5)
        for (low, high), factor, n, n_blocks in zip(spans, factors, array.shape, blocks.shape, strict=True)
    ]
    return ends[0], ends[1], ends[2]


def _ct_foreground(array: Array) -> MaskArray:
    darkest = float(array.min())
    if darkest < _AIR_BELOW_HU:
        return np.asarray(array > _BODY_ABOVE_HU)
    return np.asarray(array > darkest + _ABOVE_CLIPPED_AIR_HU)


def _mr_foreground(array: Array) -> MaskArray:
    low, high = np.percentile(array, [0.1, 99.5])
    if not high > low:
        return np.zeros(array.shape, dtype=bool)
    roots = np.sqrt(np.clip((array - low) / (high - low), 0.0, 1.0)).astype(np.float32)
    threshold = _otsu_threshold(roots)
    foreground = roots > threshold
    # In a picture that is all tissue Otsu parts dark tissue from bright; only air is dark enough to be outside.
    if float(np.median(roots[~foreground])) ** 2 > _DARK_RATIO * float(np.median(roots[foreground])) ** 2:
        return np.zeros(array.shape, dtype=bool)
    return np.asarray(foreground)


def _otsu_threshold(values: FloatArray) -> float:
    """The threshold in 0..1 that parts the values into the two groups whose means differ most for their sizes."""
    counts, edges = np.histogram(values, bins=_HISTOGRAM_BINS, range=(0.0, 1.0))
    centres = 0.5 * (edges[1:] + edges[:-1])
    below = np.cumsum(counts)[:-1]
    above = counts.sum() - below
    sums = np.cumsum(counts * centres)
    means_below = sums[:-1] / np.maximum(below, 1)
    means_above = (sums[-1] - sums[:-1]) / np.maximum(above, 1)
    between = below.astype(np.float64) * above * (means_above - means_below) ** 2
    return float(edges[1 + int(between.argmax())])


def _opened(mask: MaskArray, spacing_mm: tuple[float, float, float]) -> MaskArray:
    """The mask without what is thinner than the opening, in each slice; the picture's edge counts as body."""
    rows, columns = (max(1, round(0.5 * _OPENING_MM / spacing)) for spacing in spacing_mm[1:])
    y, x = np.mgrid[-rows : rows + 1, -columns : columns + 1]
    steps = np.argwhere((y / rows) ** 2 + (x / columns) ** 2 <= 1.0)
    shape = mask.shape
    pad = ((0, 0), (rows, rows), (columns, columns))
    around = np.pad(np.pad(mask, pad, mode="edge"), pad)
    eroded = np.ones((shape[0], shape[1] + 2 * rows, shape[2] + 2 * columns), dtype=np.bool_)
    for down, right in steps:
        eroded &= around[:, down : down + eroded.shape[1], right : right + eroded.shape[2]]
    opened = np.zeros(shape, dtype=np.bool_)
    for down, right in steps:
        opened |= eroded[:, down : down + shape[1], right : right + shape[2]]
    return opened


def _without_limbs(mask: MaskArray) -> MaskArray:
    """The parts of a slice that are not much smaller than its largest: two legs stay, arms beside a trunk go."""
    parts, sizes, _ = connected_components(mask, 4)
    if len(sizes) < 2:
        return mask
    return np.append(False, sizes >= _LIMB_RATIO * sizes.max())[parts]


def _without_holes(mask: MaskArray) -> MaskArray:
    """The mask and what of its surroundings does not reach the edge of the picture."""
    parts, sizes, _ = connected_components(~mask, 4)
    is_outside = np.zeros(len(sizes) + 1, dtype=np.bool_)
    for edge in (parts[0], parts[-1], parts[:, 0], parts[:, -1]):
        is_outside[edge] = True
    is_outside[0] = False
    return ~is_outside[parts]


def _block_sizes(shape: tuple[int, ...], spacing_mm: tuple[float, float, float]) -> tuple[int, int, int]:
    wanted = (_SLICE_MM, _BLOCK_MM, _BLOCK_MM)
    sizes = [max(1, min(n, round(w / mm))) for n, w, mm in zip(shape, wanted, spacing_mm, strict=True)]
    return sizes[0], sizes[1], sizes[2]


def _block_means(array: Array, factors: tuple[int, int, int]) -> FloatArray:
    """Means over blocks of rows and columns of one slice in each block of slices; the last block may be short."""
    picked = array[factors[0] // 2 :: factors[0]]
    if array.dtype.kind in "iu" and array.dtype.itemsize <= 2 and factors[1] <= _EXACT_BLOCK:
        means = _row_block_means(picked, factors[1])
    else:
        # Copied to one memory order first: sums depend on it in the last bit, and frames must not.
        means = _axis_block_means(np.ascontiguousarray(picked).astype(np.float32), 1, factors[1])
    return _axis_block_means(means, 2, factors[2])


def _axis_block_means(values: FloatArray, axis: int, factor: int) -> FloatArray:
    starts = np.arange(0, values.shape[axis], factor)
    counts = np.diff(np.append(starts, values.shape[axis])).astype(np.float32)
    shape = [1, 1, 1]
    shape[axis] = len(counts)
    return np.asarray(np.add.reduceat(values, starts, axis=axis) / counts.reshape(shape), dtype=np.float32)


def _row_block_means(array: Array, factor: int) -> FloatArray:
    """Means over blocks of rows of whole numbers of two bytes at most, whose sums are exact in any order."""
    n_slices, height, width = array.shape
    full = height // factor
    means = np.empty((n_slices, -(-height // factor), width), dtype=np.float32)
    plane = np.empty((height, width), dtype=np.float32)
    for values, sums in zip(array, means, strict=True):
        np.copyto(plane, values)
        sums[:full] = plane[: full * factor : factor]
        for row in range(1, factor):
            sums[:full] += plane[row : full * factor : factor]
        if full < len(sums):
            sums[full] = plane[full * factor :].sum(axis=0)
            sums[full] /= np.float32(height - full * factor)
        sums[:full] /= np.float32(factor)
    return means


def _span(body: MaskArray, axis: int) -> tuple[float, float]:
    """First and behind-the-last index of the body along an axis; across it without the widest two per cent."""
    if axis == 0:
        used = np.flatnonzero(body.any(axis=(1, 2)))
        return float(used[0]), float(used[-1] + 1)
    profiles = np.asarray(body.any(axis=3 - axis))
    profiles = profiles[profiles.any(axis=1)]
    first = profiles.argmax(axis=1)
    behind = profiles.shape[1] - profiles[:, ::-1].argmax(axis=1)
    low = math.floor(np.percentile(first, _TRIMMED_PERCENT))
    high = math.ceil(np.percentile(behind, 100.0 - _TRIMMED_PERCENT))
    return float(low), float(high)
