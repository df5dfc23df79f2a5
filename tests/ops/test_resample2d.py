"""Doubling and halving against interpolation and an explicit filter."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st
from operator_checks import DEVICES, DTYPES, ORDERS, assert_close, assert_same_order, features, require_kernel
from scipy.ndimage import correlate1d

from medsegan.ops import downsample2d, upfirdn2d, upsample2d
from medsegan.ops.resample2d import _downsample, _upsample

SIZES = st.tuples(st.integers(0, 3), st.integers(0, 20), st.integers(0, 40), st.integers(0, 40))


@pytest.mark.parametrize("shape", [(2, 3, 4, 4), (1, 5, 6, 10), (3, 1, 1, 1)])
def test_upsampling_is_bilinear_interpolation(shape):
    x = torch.randn(shape, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    expected = F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)
    torch.testing.assert_close(upsample2d(x), expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("shape", [(2, 3, 4, 4), (1, 5, 6, 10), (2, 1, 2, 2)])
def test_downsampling_is_the_binomial_filter_at_every_other_pixel(shape):
    x = np.random.default_rng(0).normal(size=shape)
    # An even filter has no middle: with origin -1, output i is made of inputs i-1 .. i+2.
    taps = np.array([1.0, 3.0, 3.0, 1.0]) / 8.0
    y = correlate1d(
        correlate1d(x, taps, axis=2, mode="nearest", origin=-1), taps, axis=3, mode="nearest", origin=-1
    )
    expected = torch.from_numpy(y[:, :, ::2, ::2].copy())
    torch.testing.assert_close(downsample2d(torch.from_numpy(x)), expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("resample", [upsample2d, downsample2d])
def test_constants_stay_constant_up_to_the_edge(resample):
    torch.testing.assert_close(resample(torch.full((1, 2, 8, 8), 3.5)).unique(), torch.tensor([3.5]))


def test_halving_is_the_transpose_of_doubling_also_at_the_edge():
    x = features((1, 2, 5, 7), torch.float64)
    y = features((1, 2, 10, 14), torch.float64)
    torch.testing.assert_close((upsample2d(x) * y).sum(), 4 * (x * downsample2d(y)).sum())


def test_away_from_the_edge_it_is_the_filter_of_upfirdn2d():
    taps = torch.tensor([1.0, 3.0, 3.0, 1.0], dtype=torch.float64) / 4
    x = features((1, 2, 8, 8), torch.float64)
    doubled = upfirdn2d(x, taps, up=(2, 2), padding=(2, 1, 2, 1))
    halved = upfirdn2d(x, taps / 2, down=(2, 2), padding=(1, 1, 1, 1))
    torch.testing.assert_close(upsample2d(x)[..., 1:-1, 1:-1], doubled[..., 1:-1, 1:-1])
    torch.testing.assert_close(downsample2d(x)[..., 1:-1, 1:-1], halved[..., 1:-1, 1:-1])


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("resample", [upsample2d, downsample2d])
@pytest.mark.parametrize("order", ["contiguous", "channels_last"])
def test_gradients_of_three_orders(resample, order, device):
    x = features((2, 2, 4, 6), torch.float64, order, device).requires_grad_()

    def power(t):  # so that no derivative up to the third vanishes
        return resample(t).pow(4).sum() / 10

    def gradient(t):
        return torch.autograd.grad(power(t), t, create_graph=True)[0]

    assert torch.autograd.gradcheck(power, x, fast_mode=True)
    assert torch.autograd.gradgradcheck(power, x, fast_mode=True)
    assert torch.autograd.gradgradcheck(lambda t: gradient(t).sin(), x, fast_mode=True)


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize(("name", "reference"), [("upsample2d", _upsample), ("downsample2d", _downsample)])
def test_the_kernel_gives_what_the_reference_gives(name, reference, order, dtype, device):
    require_kernel(name, device)
    # Channels around a group of lanes, a row longer than a strip, more rows than a block, one pixel, nothing.
    small = [(2, 3, 4, 4), (2, 8, 2, 6), (3, 2, 2, 2), (2, 0, 2, 2)]
    for shape in [*small, (1, 5, 70, 12), (1, 130, 4, 40), (1, 1, 2, 2600)]:
        x = features(shape, dtype, order, device)
        ours, expected = getattr(torch.ops.medsegan, name)(x, 1.5), reference(x, 1.5)
        assert ours.dtype == dtype
        assert_same_order(ours, expected)
        assert_close(ours, expected)


@given(size=SIZES, order=st.sampled_from(ORDERS))
def test_any_size_in_any_order(size, order):
    x = features(size, order=order)
    assert_close(torch.ops.medsegan.upsample2d(x, 1.0), _upsample(x, 1.0))
    even = x[:, :, : size[2] // 2 * 2, : size[3] // 2 * 2]
    assert_close(torch.ops.medsegan.downsample2d(even, 1.0), _downsample(even, 1.0))


@pytest.mark.parametrize("order", ["contiguous", "channels_last"])
def test_a_result_too_large_for_the_caches_is_the_same(order):
    x = features((1, 64, 96, 100), order=order)
    assert upsample2d(x).nbytes > 8 << 20
    assert_close(upsample2d(x), _upsample(x, 1.0))


@pytest.mark.parametrize("order", ["contiguous", "channels_last"])
@pytest.mark.parametrize("name", ["upsample2d", "downsample2d"])
def test_torch_accepts_the_operator(name, order):
    x = features((2, 3, 6, 4), torch.float32, order).requires_grad_()
    torch.library.opcheck(getattr(torch.ops.medsegan, name).default, (x, 2.0))


@pytest.mark.parametrize("order", ["contiguous", "channels_last"])
def test_they_compile_as_part_of_a_graph(order):
    def step(x):
        return downsample2d(upsample2d(x.sin()).cos()).square().sum()

    x = features((1, 3, 4, 6), order=order).requires_grad_()
    torch._dynamo.reset()
    compiled = torch.compile(step, fullgraph=True, backend="aot_eager")
    assert_close(*(torch.autograd.grad(f(x), x)[0] for f in (compiled, step)))


@pytest.mark.parametrize("device", DEVICES)
def test_an_image_may_begin_anywhere_in_memory(device):
    values = features((1 + 2 * 3 * 8 * 6,), device=device)
    x = values[1:].view(2, 3, 8, 6)
    assert_close(upsample2d(x), upsample2d(x.clone()))
    assert_close(downsample2d(x), downsample2d(x.clone()))


@pytest.mark.parametrize("resample", [upsample2d, downsample2d])
def test_nan_spreads_no_further_than_the_filter(resample):
    x = torch.zeros(1, 9, 16, 16).contiguous(memory_format=torch.channels_last)
    x[0, 4, 8, 8] = torch.nan
    y = resample(x)
    assert y[:, 4].isnan().any()
    assert not y[:, [0, 1, 2, 3, 5, 6, 7, 8]].isnan().any()
    assert y.isnan().sum() == (16 if resample is upsample2d else 4)


@pytest.mark.parametrize("order", ["contiguous", "channels_last"])
def test_threads_do_not_matter(order):
    require_kernel("upsample2d")
    x, threads = features((2, 40, 70, 36), order=order), torch.get_num_threads()
    results = []
    try:
        for count in (1, 2, 5):
            torch.set_num_threads(count)
            results.append((upsample2d(x), downsample2d(x)))
    finally:
        torch.set_num_threads(threads)
    assert all(torch.equal(a, b) for other in results[1:] for a, b in zip(results[0], other, strict=True))


def test_what_cannot_be_halved_is_refused():
    with pytest.raises(ValueError, match="only even sizes can be halved, got 3 x 4"):
        downsample2d(torch.zeros(1, 1, 3, 4))
    with pytest.raises(ValueError, match="expected feature maps"):
        upsample2d(torch.zeros(3, 4))


@pytest.mark.parametrize("resample", [upsample2d, downsample2d])
def test_memory_format_and_half_precision_do_not_matter(resample):
    x = torch.randn(2, 4, 8, 8, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(resample(x.contiguous(memory_format=torch.channels_last)), resample(x))
    assert resample(x.bfloat16()).dtype == torch.bfloat16


@pytest.mark.parametrize("resample", [upsample2d, downsample2d])
def test_autocast_changes_nothing(resample):
    x = torch.randn(1, 2, 4, 4, generator=torch.Generator().manual_seed(0))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = resample(x)
    assert torch.equal(found, resample(x))
