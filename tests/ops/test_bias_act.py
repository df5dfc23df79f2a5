"""Bias, leaky ReLU, gain and clamp against their formula."""

import math

import pytest
import torch
from activation_scenes import CLAMP, SHAPES, act, along, bias_values, in_order, quarters
from hypothesis import given
from hypothesis import strategies as st
from operator_checks import DEVICES, DTYPES, ORDERS, assert_close, require_kernel

from medsegan.ops import bias_act
from medsegan.ops.activation import GAIN
from medsegan.ops.bias_act import _grad, _reference, _tangent

OPS = torch.ops.medsegan


def check(shape, dtype, order, device="cpu", slope=0.2, gain=GAIN, clamp=None, with_bias=True):
    """Value and gradients equal those of the formula in float64."""
    x = in_order(quarters(shape, 0).to(device, dtype), order).requires_grad_()
    bias = bias_values(shape[1]).to(device, dtype).requires_grad_()
    gradient = in_order(quarters(shape, 3).to(device, dtype), order)
    y = bias_act(x, bias if with_bias else None, slope, gain, clamp)
    wide_x, wide_bias = x.detach().double().requires_grad_(), bias.detach().double().requires_grad_()
    expected = act(wide_x + along(wide_bias, x) if with_bias else wide_x + 0 * wide_bias.sum(), slope, gain, clamp)
    assert y.dtype == dtype
    assert_close(y, expected)
    ours = torch.autograd.grad(y, (x, bias), gradient, allow_unused=True)
    theirs = torch.autograd.grad(expected, (wide_x, wide_bias), gradient.double())
    assert_close(ours[0], theirs[0])
    if with_bias:
        many = max(1.0, math.sqrt(x.numel() / max(1, shape[1])))
        assert_close(ours[1] / many, theirs[1] / many)


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("order", ORDERS)
def test_it_is_the_formula_in_every_dtype_and_order(dtype, order, device):
    for shape in SHAPES:
        check(shape, dtype, order, device)
        check(shape, dtype, order, device, clamp=CLAMP)


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("order", ORDERS)
def test_slope_gain_and_a_missing_bias(order, device):
    shape = (2, 5, 6, 7)
    check(shape, torch.float32, order, device, slope=1.0, gain=1.0)
    check(shape, torch.float32, order, device, slope=0.01, gain=3.0)
    # Without a bias zero is among the values; the formula has another derivative there than ours.
    x = in_order(quarters(shape, 0) + 1 / 16, order).to(device, torch.float32)
    assert_close(bias_act(x), act(x))
    assert_close(bias_act(x, slope=1.0, gain=1.0), x)


@given(st.lists(st.integers(0, 9), min_size=2, max_size=5), st.sampled_from(ORDERS), st.sampled_from(DTYPES))
def test_any_shape(shape, order, dtype):
    check(tuple(shape), dtype, order, clamp=CLAMP)


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("clamp", [None, CLAMP])
def test_kernels_give_what_the_references_give(dtype, clamp, device):
    require_kernel("bias_act", device)
    for order in ORDERS:
        x, t, g = (in_order(quarters((2, 5, 9, 4), i).to(device, dtype), order) for i in range(3))
        bias, how = bias_values(5).to(device, dtype), (0.2, 1.5, clamp)
        y = OPS.bias_act(x, bias, *how)
        assert_close(y, _reference(x, bias, *how))
        assert y.stride() == _reference(x, bias, *how).stride()
        assert_close(OPS.bias_act_tangent(t, bias, y, *how), _tangent(t, bias, y, *how))
        assert_close(OPS.bias_act_tangent(t, None, y, *how), _tangent(t, None, y, *how))
        for ours, theirs in zip(OPS.bias_act_grad(g, y, *how), _grad(g, y, *how), strict=True):
            assert_close(ours / 8, theirs / 8)


def test_memory_order_is_kept():
    x = quarters((2, 5, 4, 3), 0)
    bias = bias_values(5)
    assert bias_act(x, bias).is_contiguous()
    assert bias_act(in_order(x, "channels_last"), bias).is_contiguous(memory_format=torch.channels_last)
    assert bias_act(in_order(x, "permuted"), bias).is_contiguous()


def test_gradients_may_come_in_another_order_or_expanded():
    x, bias = quarters((2, 5, 4, 3), 0).requires_grad_(), bias_values(5).requires_grad_()
    y = bias_act(x, bias)
    expected = torch.autograd.grad(y, (x, bias), torch.ones_like(y), retain_graph=True)
    for gradient in (torch.ones(()).double().expand(y.shape), in_order(torch.ones_like(y), "channels_last")):
        for ours, theirs in zip(
            torch.autograd.grad(y, (x, bias), gradient, retain_graph=True), expected, strict=True
        ):
            assert_close(ours, theirs)


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("order", ORDERS)
def test_nan_and_infinity_are_not_swallowed(order, device):
    x = in_order(quarters((2, 3, 5, 5), 0), order).to(device, torch.float32)
    x[0, 1, 2, 3], x[1, 2, 0, 0], x[1, 2, 0, 1] = math.nan, math.inf, -math.inf
    for clamp, top in ((None, math.inf), (CLAMP, CLAMP)):
        y = bias_act(x, bias_values(3).to(device, torch.float32), clamp=clamp)
        assert torch.equal(y.isnan(), x.isnan())
        assert y[1, 2, 0, 0].item() == pytest.approx(top)
        assert y[1, 2, 0, 1].item() == pytest.approx(-top)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_clamped_values_have_no_gradient_though_the_limit_is_rounded(dtype):
    x = torch.full((2, 3, 4, 4), 5.0, dtype=dtype, requires_grad=True)
    for clamp in (0.3, 1.1, 0.7):
        (gradient,) = torch.autograd.grad(bias_act(x, clamp=clamp).sum(), x)
        assert not gradient.any()


def test_it_keeps_the_variance_of_he_initialised_layers():
    x = torch.randn(200_000, 1, generator=torch.Generator().manual_seed(0))
    # He's gain for slope 0.2 is sqrt(2 / 1.04); sqrt(2) is what StyleGAN rounds it to.
    assert bias_act(x, torch.zeros(1)).square().mean().item() == pytest.approx(1.04, abs=0.02)


@pytest.mark.parametrize("order", ["contiguous", "channels_last"])
@pytest.mark.parametrize("clamp", [None, CLAMP])
def test_gradients_of_first_and_second_order(order, clamp):
    x = in_order(quarters((2, 3, 2, 3), 0), order).requires_grad_()
    bias = bias_values(3).requires_grad_()
    assert torch.autograd.gradcheck(lambda a, b: bias_act(a, b, clamp=clamp).square(), (x, bias))
    assert torch.autograd.gradgradcheck(lambda a, b: bias_act(a, b, clamp=clamp).square(), (x, bias))
    y = bias_act(x, bias, clamp=clamp).detach()
    tangent = lambda t, b: OPS.bias_act_tangent(t, b, y, 0.2, 1.5, clamp)  # noqa: E731
    assert torch.autograd.gradcheck(tangent, (x, bias))
    assert torch.autograd.gradgradcheck(tangent, (x, bias))


@pytest.mark.parametrize("clamp", [None, CLAMP])
def test_torch_finds_nothing_wrong_with_the_operators(clamp):
    x, bias = quarters((2, 3, 4, 5), 0).float().requires_grad_(), bias_values(3).float().requires_grad_()
    y = bias_act(x, bias, clamp=clamp).detach()
    how = (0.2, math.sqrt(2), clamp)
    torch.library.opcheck(OPS.bias_act.default, (x, bias, *how))
    torch.library.opcheck(OPS.bias_act.default, (in_order(x.detach(), "channels_last"), None, *how))
    torch.library.opcheck(OPS.bias_act_tangent.default, (x, bias, y, *how))
    torch.library.opcheck(OPS.bias_act_grad.default, (x, y, *how))


def test_it_can_be_compiled_with_its_gradients():
    x, bias = quarters((2, 3, 4, 4), 0), bias_values(3)
    compiled = torch.compile(bias_act, fullgraph=True, backend="aot_eager")
    assert_close(compiled(x, bias), bias_act(x, bias))
    a, b = x.clone().requires_grad_(), x.clone().requires_grad_()
    compiled(a, bias).square().sum().backward()
    bias_act(b, bias).square().sum().backward()
    assert_close(a.grad, b.grad)


@pytest.mark.parametrize("order", ["contiguous", "channels_last"])
def test_results_do_not_depend_on_the_number_of_threads(order):
    x = in_order(torch.randn(3, 17, 70, 41, generator=torch.Generator().manual_seed(0)), order)
    y = bias_act(x, torch.zeros(17))
    before, results = torch.get_num_threads(), []
    try:
        for threads in (1, 2, 3):
            torch.set_num_threads(threads)
            results.append((bias_act(x, torch.zeros(17)), *OPS.bias_act_grad(x, y, 0.2, 1.5, None)))
    finally:
        torch.set_num_threads(before)
    for other in results[1:]:
        assert all(torch.equal(a, b) for a, b in zip(results[0], other, strict=True))


def test_what_it_says_about_bad_input():
    x = torch.zeros(2, 3, 4, 4)
    with pytest.raises(ValueError, match=r"slope, gain and clamp must be above 0, got 0, 1\.0 and None"):
        bias_act(x, slope=0, gain=1.0)
    with pytest.raises(ValueError, match="above 0"):
        bias_act(x, clamp=0.0)
    with pytest.raises(
        ValueError, match=r"bias must be \[3\] of torch.float32 for features \[2, 3, 4, 4\], got \[4\]"
    ):
        bias_act(x, torch.zeros(4))
    with pytest.raises(ValueError, match=r"got \[3\] of torch.float64"):
        bias_act(x, torch.zeros(3).double())
    with pytest.raises(ValueError, match=r"features must be floating \[N, C, ...\], got \[3\]"):
        bias_act(torch.zeros(3))
    with pytest.raises(ValueError, match=r"torch\.int64"):
        bias_act(torch.zeros(2, 3, dtype=torch.int64))


def test_kernels_refuse_what_the_function_would_have_refused():
    require_kernel("bias_act")
    x = torch.zeros(2, 3, 4, 4)
    with pytest.raises(RuntimeError, match="bias does not go with features of 3 channels"):
        OPS.bias_act(x, torch.zeros(4), 0.2, 1.0, None)
    with pytest.raises(RuntimeError, match="bias and features differ in dtype"):
        OPS.bias_act(x, torch.zeros(3).double(), 0.2, 1.0, None)
    with pytest.raises(RuntimeError, match="differ in dimension 3: 4 and 5"):
        OPS.bias_act_grad(torch.zeros(2, 3, 4, 5), x, 0.2, 1.0, None)
    with pytest.raises(RuntimeError, match="works on float32, float64, float16 and bfloat16"):
        OPS.bias_act(x.int(), None, 0.2, 1.0, None)
