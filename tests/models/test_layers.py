"""The modulated convolution against the textbook form with one kernel for every sample."""

import math

import pytest
import torch
import torch.nn.functional as F

from medsegan.models.layers import EqualizedConv2d, EqualizedLinear, ModulatedConv2d
from medsegan.ops import bias_act, upsample2d

N, IN, OUT, WIDTH, SIDE = 3, 6, 5, 8, 10


def textbook(layer, x, w):
    """Equations 1 and 3 of StyleGAN2 word for word: one kernel for every sample, a convolution in N groups."""
    style = w @ (layer.style.weight / math.sqrt(w.shape[1])).T + layer.style.bias
    shared = layer.weight / math.sqrt(layer.weight[0].numel())
    kernels = style[:, None, :, None, None] * shared[None]
    if layer.demodulate:
        kernels = kernels / torch.sqrt(kernels.square().sum(dim=(2, 3, 4), keepdim=True) + 1e-8)
    n, out, in_, k, _ = kernels.shape
    folded = x.reshape(1, n * in_, *x.shape[2:])
    y = F.conv2d(folded, kernels.reshape(n * out, in_, k, k), padding=k // 2, groups=n)
    y = y.view(n, out, *x.shape[2:])
    return upsample2d(y) if layer.upsample else y


def run_with_gradients(function, layer, x, w):
    """The output, and the gradients of a weighted sum of it by features, codes and all weights."""
    x, w = x.clone().requires_grad_(), w.clone().requires_grad_()
    y = function(x, w)
    weights = torch.randn(y.shape, generator=torch.Generator().manual_seed(7))
    return y, torch.autograd.grad((y * weights).sum(), [x, w, *layer.parameters()])


@pytest.mark.parametrize("upsample", [False, True])
@pytest.mark.parametrize("kernel", [1, 3])
@pytest.mark.parametrize("demodulate", [True, False])
def test_modulated_convolution_equals_the_textbook_form(demodulate, kernel, upsample):
    torch.manual_seed(0)
    layer = ModulatedConv2d(IN, OUT, kernel, WIDTH, demodulate=demodulate, upsample=upsample)
    x, w = torch.randn(N, IN, SIDE, SIDE), torch.randn(N, WIDTH)
    mine, my_gradients = run_with_gradients(layer, layer, x, w)
    theirs, their_gradients = run_with_gradients(lambda a, b: textbook(layer, a, b), layer, x, w)
    torch.testing.assert_close(mine, theirs, rtol=1e-5, atol=1e-5)
    for one, other in zip(my_gradients, their_gradients, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-4)


def test_demodulated_output_has_unit_variance_whatever_the_style():
    torch.manual_seed(0)
    layer = ModulatedConv2d(64, 32, 3, WIDTH)
    y = layer(torch.randn(4, 64, 16, 16), torch.randn(4, WIDTH) * 5)[:, :, 1:-1, 1:-1]
    torch.testing.assert_close(y.var(dim=(1, 2, 3)), torch.ones(4), rtol=0, atol=0.2)


def test_each_sample_follows_its_own_style():
    torch.manual_seed(0)
    layer = ModulatedConv2d(IN, OUT, 3, WIDTH)
    x, w = torch.randn(2, IN, SIDE, SIDE), torch.randn(2, WIDTH)
    both, changed = layer(x, w), layer(x, torch.stack([w[0], -w[1]]))
    torch.testing.assert_close(both[0], changed[0])
    assert not torch.allclose(both[1], changed[1], atol=1e-2)


def test_equalised_layers_scale_at_run_time():
    torch.manual_seed(0)
    linear = EqualizedLinear(50, 7, bias=0.3, activate=True, rate=0.1)
    x = torch.randn(4, 50)
    expected = bias_act(x @ (linear.weight * 0.1 / math.sqrt(50)).T, torch.full((7,), 0.3))
    torch.testing.assert_close(linear(x), expected)
    assert linear.weight.std().item() == pytest.approx(10.0, rel=0.15)
    conv = EqualizedConv2d(4, 7, 3, stride=2, activate=False)
    image = torch.randn(2, 4, 8, 8)
    torch.testing.assert_close(conv(image), F.conv2d(image, conv.weight / 6.0, stride=2, padding=1))
