"""Doubling and halving against interpolation and an explicit filter."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from scipy.ndimage import correlate1d

from medsegan.ops import downsample2d, upsample2d


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


def test_halving_is_the_transpose_of_doubling_away_from_the_edge():
    x = torch.zeros(1, 1, 8, 8, dtype=torch.float64)
    y = torch.zeros(1, 1, 16, 16, dtype=torch.float64)
    rng = torch.Generator().manual_seed(0)
    x[..., 3:5, 3:5] = torch.randn(2, 2, generator=rng, dtype=torch.float64)
    y[..., 6:10, 6:10] = torch.randn(4, 4, generator=rng, dtype=torch.float64)
    torch.testing.assert_close((upsample2d(x) * y).sum(), 4 * (x * downsample2d(y)).sum())


@pytest.mark.parametrize("resample", [upsample2d, downsample2d])
def test_gradients_of_first_and_second_order(resample):
    x = torch.randn(
        1, 2, 4, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(0), requires_grad=True
    )
    # The square makes the second derivative of the whole not vanish.
    assert torch.autograd.gradcheck(lambda t: resample(t).square(), x, fast_mode=True)
    assert torch.autograd.gradgradcheck(lambda t: resample(t).square(), x, fast_mode=True)


@pytest.mark.parametrize("resample", [upsample2d, downsample2d])
def test_memory_format_and_half_precision_do_not_matter(resample):
    x = torch.randn(2, 4, 8, 8, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(resample(x.contiguous(memory_format=torch.channels_last)), resample(x))
    assert resample(x.bfloat16()).dtype == torch.bfloat16
