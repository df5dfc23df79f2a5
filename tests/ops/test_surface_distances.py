"""The operator `surface_distances` of torch: the lists of the numpy one, end to end, on every device."""

from itertools import pairwise

import numpy as np
import pytest
import torch
from operator_checks import DEVICES

from medsegan.ops import surface_distances
from medsegan.voxels import surface_distances as on_arrays

SPACING = (0.8, 1.1, 2.5)
DTYPES = (torch.uint8, torch.uint16, torch.int16, torch.int32, torch.int64)


def scene(seed=0, dtype=torch.uint8):
    """Lumps of two classes with a few stray voxels, more rows and columns than one block of any kernel holds."""
    rng = np.random.default_rng(seed)
    shape = tuple(rng.integers(20, 75, 3))
    i, j, k = np.ogrid[tuple(slice(-1, 1, n * 1j) for n in shape)]
    volumes = []
    for _ in range(2):
        shift = rng.uniform(-0.1, 0.1, 3)
        inside = (i - shift[0]) ** 2 + (j - shift[1]) ** 2 + (k - shift[2]) ** 2 < 0.3
        volumes.append(np.where(inside, np.where(j + k + i * 0 > 0.2, 2, 1), 0))
        volumes[-1][tuple(rng.integers(0, shape, (5, 3)).T)] = 1
    return [torch.from_numpy(volume).to(dtype) for volume in volumes]


def lists_of(found, n_labels):
    """[class][list] of (distances, weights)."""
    ends = found.offsets.tolist()
    pieces = [(found.distances_mm[a:b].cpu().numpy(), found.weights[a:b].cpu().numpy()) for a, b in pairwise(ends)]
    assert ends[0] == 0
    assert ends[-1] == found.distances_mm.numel() == found.weights.numel()
    return [pieces[4 * n : 4 * n + 4] for n in range(n_labels)]


def assert_as_arrays(volumes, labels, device):
    found = surface_distances(*(volume.to(device) for volume in volumes), labels, SPACING)
    assert {(t.device.type, t.dtype) for t in found} == {(device, torch.float64), (device, torch.int64)}
    expected = on_arrays(*(np.ascontiguousarray(volume.numpy()) for volume in volumes), labels, SPACING)
    for lists, one in zip(lists_of(found, len(labels)), expected, strict=True):
        surfels = one.surfels
        theirs = (
            (one.prediction_to_reference_mm, None),
            (one.reference_to_prediction_mm, None),
            (surfels.prediction_to_reference_mm, surfels.prediction_mm2),
            (surfels.reference_to_prediction_mm, surfels.reference_mm2),
        )
        for (distances, weights), (their_distances, their_weights) in zip(lists, theirs, strict=True):
            np.testing.assert_allclose(distances, their_distances, rtol=1e-12)
            np.testing.assert_allclose(weights, 1 if their_weights is None else their_weights, rtol=1e-12)


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("seed", range(4))
def test_equals_the_one_of_numpy(seed, device):
    assert_as_arrays(scene(seed), [1, 2, 5], device)


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("dtype", DTYPES)
def test_every_type(dtype, device):
    assert_as_arrays([volume[:20, :20, :30] for volume in scene(1, dtype)], [2, 1, -1, 300], device)


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("shape", [(1, 1, 1), (1, 40, 1), (33, 1, 2), (0, 4, 4)])
def test_one_voxel_one_row_and_nothing(shape, device):
    assert_as_arrays([torch.ones(shape, dtype=torch.uint8)] * 2, [1, 2], device)


@pytest.mark.parametrize("device", DEVICES)
def test_one_empty_surface_is_infinitely_far(device):
    volumes = [torch.zeros(4, 5, 6, dtype=torch.int32), torch.ones(4, 5, 6, dtype=torch.int32)]
    assert_as_arrays(volumes, [1], device)
    found = surface_distances(*(volume.to(device) for volume in volumes), [1], SPACING)
    assert found.distances_mm.isinf().all()


@pytest.mark.parametrize("device", DEVICES)
def test_strides_do_not_matter(device):
    pair = [volume.to(device) for volume in scene(2)]
    expected = surface_distances(*pair, [1, 2], SPACING)
    turned = [volume.permute(2, 1, 0).contiguous().permute(2, 1, 0) for volume in pair]
    for one, other in zip(surface_distances(*turned, [1, 2], SPACING), expected, strict=True):
        torch.testing.assert_close(one, other)


@pytest.mark.parametrize("device", DEVICES)
def test_surfels_can_be_left_out(device):
    pair = [volume.to(device) for volume in scene(3)]
    short, full = (surface_distances(*pair, [1], SPACING, surfels=wish) for wish in (False, True))
    assert short.offsets.tolist() == [*full.offsets.tolist()[:3], *[full.offsets[2].item()] * 2]
    torch.testing.assert_close(short.distances_mm, full.distances_mm[: full.offsets[2].item()])
    assert (short.weights == 1).all()


def test_pairs_that_have_no_distances_are_refused():
    prediction, reference = scene()
    with pytest.raises(ValueError, match="2D"):
        surface_distances(prediction[0], reference[0], [1], SPACING)
    with pytest.raises(ValueError, match="dtype"):
        surface_distances(prediction, reference.long(), [1], SPACING)
    with pytest.raises(ValueError, match="distinct"):
        surface_distances(prediction, reference, [1, 1], SPACING)
    with pytest.raises(ValueError, match="positive spacings"):
        surface_distances(prediction, reference, [1], (1.0, 0.0, 1.0))


@pytest.mark.parametrize("device", DEVICES)
def test_the_operator_is_sound_and_compiles(device):
    pair = [volume[:12, :12, :12].contiguous().to(device) for volume in scene()]
    torch.library.opcheck(torch.ops.medsegan.surface_distances, (*pair, [1, 2], list(SPACING), True))

    def mean_distance(prediction, reference):
        found = surface_distances(prediction, reference, [1, 2], SPACING)
        return (found.distances_mm * found.weights).sum() / found.weights.sum()

    compiled = torch.compile(mean_distance, fullgraph=True, backend="aot_eager")
    torch.testing.assert_close(compiled(*pair), mean_distance(*pair))
