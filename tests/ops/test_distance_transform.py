"""Distances of mask tensors, on every device, against scipy."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from operator_checks import DEVICES, require_kernel
from scipy import ndimage

from medsegan import voxels
from medsegan.ops import distance_transform, nearest_outside


def scipys(mask: np.ndarray, spacing_mm: tuple[float, ...]) -> torch.Tensor:
    found = ndimage.distance_transform_edt(mask, sampling=spacing_mm)
    return torch.from_numpy(found.astype(np.float32))


def random_mask(shape: tuple[int, ...], device: str = "cpu") -> torch.Tensor:
    """Mostly inside, the same for the same shape; every item of a batch has voxels outside."""
    mask = torch.rand(shape, generator=torch.Generator().manual_seed(sum(shape))) < 0.97
    mask[..., 0, 0] = False
    return mask.to(device)


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("spacing_mm", [(1.0, 1.0, 1.0), (0.7, 0.7, 2.5), (3.0, 1.0, 2.0), (0.9, 1.7)])
@settings(max_examples=25)
@given(mask=hnp.arrays(bool, hnp.array_shapes(min_dims=3, max_dims=3, max_side=40)))
def test_it_is_exactly_scipys(device, spacing_mm, mask):
    items = [mask] if len(spacing_mm) == 3 else list(mask)
    for item in items:
        item.flat[0] = False
    expected = torch.stack([scipys(item, spacing_mm) for item in items]).view(mask.shape)
    ours = distance_transform(torch.from_numpy(mask).to(device), spacing_mm)
    assert torch.equal(ours.cpu(), expected)


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("shape", [(3, 33, 70), (2, 2, 17, 40, 35), (1, 1, 1), (5, 1, 300), (4, 300, 1)])
def test_distances_and_indices_are_those_of_the_numpy_operator(device, shape):
    mask = random_mask(shape)
    mask[-1] = True
    spacing_mm = (0.8, 1.6, 2.4)[: 3 if len(shape) == 5 else 2]
    distances, indices = nearest_outside(mask.to(device), spacing_mm)
    expected = voxels.nearest_outside(mask.numpy(), spacing_mm)
    assert torch.equal(distances.cpu(), torch.from_numpy(expected[0]))
    assert torch.equal(distance_transform(mask.to(device), spacing_mm).cpu(), distances.cpu())
    if device == "cpu" or voxels.library.load()[0] is not None:  # scipy breaks ties in another way
        assert torch.equal(indices.cpu(), torch.from_numpy(expected[1]))


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0)])
def test_any_order_in_memory_gives_a_contiguous_result(device, order):
    mask = random_mask((20, 21, 22), device).permute(order)
    expected = distance_transform(mask.contiguous(), (1.0, 1.5, 2.0))
    ours = distance_transform(mask, (1.0, 1.5, 2.0))
    assert torch.equal(ours, expected)
    assert ours.is_contiguous()


@pytest.mark.parametrize("device", DEVICES)
def test_without_a_voxel_outside_distances_are_infinite(device):
    distances, indices = nearest_outside(torch.ones(2, 40, 5, device=device), (1.0, 1.0))
    assert torch.isinf(distances).all()
    assert (indices == -1).all()


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("shape", [(0, 3, 4), (3, 0, 4), (3, 4, 0)])
def test_empty_tensors_give_empty_results(device, shape):
    distances, indices = nearest_outside(torch.ones(shape, dtype=torch.bool, device=device), (1.0, 1.0, 1.0))
    assert distances.shape == indices.shape == torch.Size(shape)
    assert (distances.dtype, indices.dtype) == (torch.float32, torch.int64)


@pytest.mark.parametrize("device", DEVICES)
def test_other_types_are_in_the_mask_where_they_are_not_zero(device):
    labels = torch.randint(0, 3, (9, 30, 31), generator=torch.Generator().manual_seed(0)).to(device)
    expected = distance_transform(labels != 0, (1.0, 1.0))
    for dtype in (torch.uint8, torch.int64, torch.float32, torch.bfloat16):
        assert torch.equal(distance_transform(labels.to(dtype), (1.0, 1.0)), expected)


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("shape", [(2, 9, 8, 7), (1, 5, 1), (0, 4, 4)])
def test_torch_finds_the_operators_in_order(device, shape):
    mask = torch.ones(shape, dtype=torch.bool, device=device)
    mask[..., 0, 0] = False
    for operator in (torch.ops.medsegan.distance_transform, torch.ops.medsegan.nearest_outside):
        for input in (mask, mask.transpose(0, -1)):
            torch.library.opcheck(operator.default, (input, [0.5, 2.0]))


@pytest.mark.parametrize("device", DEVICES)
def test_it_compiles_into_one_graph(device):
    mask = random_mask((2, 17, 18), device)

    @torch.compile(fullgraph=True, backend="aot_eager")
    def mean_depth(mask: torch.Tensor) -> torch.Tensor:
        distances, indices = nearest_outside(mask, (1.0, 2.0))
        return distances.mean() + distance_transform(~mask, (1.0, 2.0)).mean() + (indices < 0).sum()

    expected = distance_transform(mask, (1.0, 2.0)).mean() + distance_transform(~mask, (1.0, 2.0)).mean()
    torch.testing.assert_close(mean_depth(mask), expected)


@given(threads=st.integers(2, 5))
@settings(max_examples=4)
def test_results_do_not_depend_on_the_number_of_threads(threads):
    mask = random_mask((40, 35, 50))
    one = distance_transform(mask, (0.7, 0.9, 1.1))
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        assert torch.equal(distance_transform(mask, (0.7, 0.9, 1.1)), one)
    finally:
        torch.set_num_threads(before)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA GPU is visible")
def test_the_gpu_has_kernels_of_its_own():
    for name in ("distance_transform", "nearest_outside"):
        require_kernel(name, "cuda")


@pytest.mark.parametrize("spacing_mm", [(1.0,), (1.0, 1.0, 1.0), (0.0, 1.0), (1.0, float("inf"))])
def test_impossible_spacings_are_refused(spacing_mm):
    for operator in (distance_transform, nearest_outside):
        with pytest.raises(ValueError, match="spacings"):
            operator(torch.ones(3, 4, dtype=torch.bool), spacing_mm)
