"""Scale, noise, bias and activation in one pass against their formula."""

import math

import pytest
import torch
from activation_scenes import CLAMP, SHAPES, act, along, bias_values, in_order, quarters, scale_values
from hypothesis import given
from hypothesis import strategies as st
from operator_checks import DEVICES, DTYPES, ORDERS, assert_close, require_kernel

from medsegan.ops import bias_act, modulate_noise_act
from medsegan.ops.modulate_noise_act import _grad, _reference, _tangent

OPS = torch.ops.medsegan


def inputs(shape, dtype=torch.float64, order="contiguous", device="cpu"):
    """Features, scale, noise and bias that want gradients."""
    noise = quarters((shape[0], 1, *shape[2:]), 4)
    x = in_order(quarters(shape, 0).to(device, dtype), order)
    small = [v.to(device, dtype) for v in (scale_values(shape), noise, bias_values(shape[1]))]
    return [v.requires_grad_() for v in (x, *small)]


def formula(x, scale, noise, bias, **how):
    return act(x * along(scale, x) + noise + along(bias, x), **how)


def check(shape, dtype, order, device="cpu", **how):
    """Value and gradients equal those of the formula in float64."""
    ours = inputs(shape, dtype, order, device)
    wide = [v.detach().double().requires_grad_() for v in ours]
    gradient = in_order(quarters(shape, 3).to(device, dtype), order)
    y, expected = modulate_noise_act(*ours, **how), formula(*wide, **how)
    assert y.dtype == dtype
    assert_close(y, expected)
    grads, truth = torch.autograd.grad(y, ours, gradient), torch.autograd.grad(expected, wide, gradient.double())
    for one, other in zip(grads, truth, strict=True):
        many = max(1.0, math.sqrt(y.numel() / max(1, one.numel())) * 4)  # a sum of so many errs by so much more
        assert_close(one / many, other / many)


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("order", ORDERS)
def test_it_is_the_formula_in_every_dtype_and_order(dtype, order, device):
    for shape in SHAPES:
        check(shape, dtype, order, device)
        check(shape, dtype, order, device, slope=0.01, clamp=CLAMP)


@given(st.lists(st.integers(0, 9), min_size=2, max_size=5), st.sampled_from(ORDERS), st.sampled_from(DTYPES))
def test_any_shape(shape, order, dtype):
    check(tuple(shape), dtype, order, clamp=CLAMP)


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("clamp", [None, CLAMP])
def test_kernels_give_what_the_references_give(dtype, clamp, device):
    require_kernel("modulate_noise_act", device)
    how = (0.2, math.sqrt(2), clamp)
    for order in ORDERS:
        x, scale, noise, bias = (v.detach() for v in inputs((2, 5, 9, 4), dtype, order, device))
        g, dx = (in_order(quarters(x.shape, i).to(device, dtype), order) for i in (5, 6))
        y = OPS.modulate_noise_act(x, scale, noise, bias, *how)
        expected = _reference(x, scale, noise, bias, *how)
        assert_close(y, expected)
        assert y.stride() == expected.stride()
        changes = (dx, scale.flip(1), noise.flip(2), bias.flip(0))
        tangents = [f(y, x, scale, *changes, *how) for f in (OPS.modulate_noise_act_tangent, _tangent)]
        assert_close(tangents[0] / 8, tangents[1] / 8)
        grads = [f(g, y, x, scale, *how) for f in (OPS.modulate_noise_act_grad, _grad)]
        for ours, theirs in zip(*grads, strict=True):
            assert_close(ours / 64, theirs / 64)


def test_without_noise_and_with_one_map_for_all_samples():
    x, scale, noise, bias = inputs((3, 4, 5, 6))
    assert_close(modulate_noise_act(x, scale, None, bias), modulate_noise_act(x, scale, 0 * noise, bias))
    grads = [
        torch.autograd.grad(modulate_noise_act(x, scale, n, bias).sum(), (x, scale, bias))
        for n in (None, 0 * noise)
    ]
    for one, other in zip(*grads, strict=True):
        assert_close(one, other)
    shared = noise[:1].detach().requires_grad_()
    y = modulate_noise_act(x, scale, shared, bias)
    assert_close(y, formula(x, scale, shared, bias))
    (ours,) = torch.autograd.grad(y.square().sum(), shared)
    (theirs,) = torch.autograd.grad(formula(x, scale, shared, bias).square().sum(), shared)
    assert_close(ours, theirs)


def test_a_scale_of_one_and_no_noise_is_bias_act():
    x, scale, _, bias = inputs((2, 3, 4, 5))
    assert torch.equal(modulate_noise_act(x, torch.ones_like(scale), None, bias), bias_act(x, bias))


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("order", ORDERS)
def test_nan_and_infinity_are_not_swallowed(order, device):
    x, scale, noise, bias = (v.detach() for v in inputs((2, 3, 5, 5), torch.float32, order, device))
    x[0, 1, 2, 3], x[1, 2, 0, 0], noise[0, 0, 4, 4] = math.nan, math.inf, math.nan
    y = modulate_noise_act(x, scale, noise, bias, clamp=CLAMP)
    expected = x.isnan()
    expected[0, :, 4, 4] = True
    assert torch.equal(y.isnan(), expected)
    assert y[1, 2, 0, 0].item() == pytest.approx(CLAMP)


@pytest.mark.parametrize("order", ["contiguous", "channels_last"])
@pytest.mark.parametrize("clamp", [None, CLAMP])
def test_gradients_of_every_input_and_every_order(order, clamp):
    tensors = inputs((2, 3, 2, 3), order=order)
    # The square makes the second derivative by each single input not vanish.
    assert torch.autograd.gradcheck(lambda *a: modulate_noise_act(*a, clamp=clamp).square(), tensors)
    assert torch.autograd.gradgradcheck(lambda *a: modulate_noise_act(*a, clamp=clamp).square(), tensors)
    y = modulate_noise_act(*tensors, clamp=clamp).detach()
    x, scale, _, _ = tensors
    how = (0.2, math.sqrt(2), clamp)

    def tangent(*changed):
        return OPS.modulate_noise_act_tangent(y, *changed, *how)

    changed = [x, scale, *(v.detach().flip(0).requires_grad_() for v in tensors)]
    assert torch.autograd.gradcheck(tangent, changed)
    assert torch.autograd.gradgradcheck(tangent, changed, fast_mode=True)
    g = quarters(x.shape, 5).requires_grad_()
    assert torch.autograd.gradgradcheck(
        lambda *a: OPS.modulate_noise_act_grad(a[0], y, *a[1:], *how), (g, x, scale), fast_mode=True
    )


@pytest.mark.parametrize("clamp", [None, CLAMP])
def test_torch_finds_nothing_wrong_with_the_operators(clamp):
    tensors = inputs((2, 3, 4, 5), torch.float32)
    x, scale, _, bias = tensors
    y = modulate_noise_act(*tensors, clamp=clamp).detach()
    how = (0.2, math.sqrt(2), clamp)
    torch.library.opcheck(OPS.modulate_noise_act.default, (*tensors, *how))
    torch.library.opcheck(
        OPS.modulate_noise_act.default, (in_order(x.detach(), "channels_last"), scale, None, bias, *how)
    )
    torch.library.opcheck(OPS.modulate_noise_act_tangent.default, (y, x, scale, *tensors, *how))
    torch.library.opcheck(OPS.modulate_noise_act_grad.default, (x.detach(), y, x, scale, *how))


def test_it_can_be_compiled_with_its_gradients():
    compiled = torch.compile(modulate_noise_act, fullgraph=True, backend="aot_eager")
    ours, theirs = inputs((2, 3, 4, 4)), inputs((2, 3, 4, 4))
    y, expected = compiled(*ours), modulate_noise_act(*theirs)
    assert_close(y, expected)
    for a, b in zip(torch.autograd.grad(y.sum(), ours), torch.autograd.grad(expected.sum(), theirs), strict=True):
        assert_close(a, b)


@pytest.mark.parametrize("order", ["contiguous", "channels_last"])
def test_results_do_not_depend_on_the_number_of_threads(order):
    rng = torch.Generator().manual_seed(0)
    x = in_order(torch.randn(3, 17, 70, 41, generator=rng), order)
    scale, noise = torch.randn(3, 17, generator=rng), torch.randn(3, 1, 70, 41, generator=rng)
    before, results = torch.get_num_threads(), []
    try:
        for threads in (1, 2, 3):
            torch.set_num_threads(threads)
            y = modulate_noise_act(x, scale, noise, torch.zeros(17))
            results.append((y, *OPS.modulate_noise_act_grad(x, y, x, scale, 0.2, 1.5, None)))
    finally:
        torch.set_num_threads(before)
    for other in results[1:]:
        assert all(torch.equal(a, b) for a, b in zip(results[0], other, strict=True))


def test_what_it_says_about_bad_input():
    x, scale, noise, bias = inputs((2, 3, 4, 5), torch.float32)
    with pytest.raises(ValueError, match=r"slope, gain and clamp must be above 0, got 0\.2, 1\.0 and -1"):
        modulate_noise_act(x, scale, noise, bias, gain=1.0, clamp=-1)
    with pytest.raises(ValueError, match=r"scale must be \[2, 3\] of torch.float32 .* got \[3\]"):
        modulate_noise_act(x, bias, noise, bias)
    with pytest.raises(ValueError, match=r"noise must be \[2, 1, 4, 5\] .* got \[2, 3, 4, 5\]"):
        modulate_noise_act(x, scale, x, bias)
    with pytest.raises(ValueError, match=r"bias must be \[3\] .* torch.float64"):
        modulate_noise_act(x, scale, noise, bias.double())
    with pytest.raises(ValueError, match="features must be floating"):
        modulate_noise_act(x.long(), scale, noise, bias)


def test_kernels_refuse_what_the_function_would_have_refused():
    require_kernel("modulate_noise_act")
    x, scale, noise, bias = (v.detach() for v in inputs((2, 3, 4, 5), torch.float32))
    how = (0.2, 1.0, None)
    with pytest.raises(RuntimeError, match="scale does not go with features of 3 channels"):
        OPS.modulate_noise_act(x, bias, noise, bias, *how)
    with pytest.raises(RuntimeError, match=r"noise must be \[N, 1, ...\], one value for each place"):
        OPS.modulate_noise_act(x, scale, x, bias, *how)
    with pytest.raises(RuntimeError, match="bias and features differ in dtype"):
        OPS.modulate_noise_act(x, scale, noise, bias.double(), *how)
    with pytest.raises(RuntimeError, match="differ in dtype"):
        OPS.modulate_noise_act_grad(x.double(), x, x, scale, *how)
