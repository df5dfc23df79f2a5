"""Upsampling, filtering and downsampling against scipy along both axes, and against its own reference."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from operator_checks import DEVICES, DTYPES, ORDERS, assert_close, assert_same_order, features, require_kernel
from scipy.signal import upfirdn

from medsegan.ops import upfirdn2d
from medsegan.ops.upfirdn2d import _reference

factors = st.tuples(st.integers(1, 4), st.integers(1, 4))
paddings = st.tuples(*[st.integers(-3, 6)] * 4)


def explicit(image: np.ndarray, taps: np.ndarray, how: dict) -> np.ndarray:
    """[H', W'] of one plane, pixel by pixel from the definition; taps [kh, kw]."""
    (up_y, up_x), (down_y, down_x) = how["up"], how["down"]
    top, bottom, left, right = how["padding"]
    spread = np.zeros((image.shape[0] * up_y, image.shape[1] * up_x))
    spread[::up_y, ::up_x] = image
    grown = np.pad(spread, [(max(top, 0), max(bottom, 0)), (max(left, 0), max(right, 0))])
    cut = grown[max(-top, 0) : grown.shape[0] - max(-bottom, 0), max(-left, 0) : grown.shape[1] - max(-right, 0)]
    taps = taps if how.get("flip") else taps[::-1, ::-1]
    kh, kw = taps.shape
    rows, columns = range(0, cut.shape[0] - kh + 1, down_y), range(0, cut.shape[1] - kw + 1, down_x)
    return np.array([[(cut[r : r + kh, c : c + kw] * taps).sum() for c in columns] for r in rows])


def transform(kernel: torch.Tensor, **how):
    return lambda x: upfirdn2d(x, kernel, **how)


@given(
    size=st.tuples(st.integers(1, 7), st.integers(1, 7)),
    taps=st.tuples(st.integers(1, 5), st.integers(1, 5)),
    up=factors,
    down=factors,
    padding=paddings,
    flip=st.booleans(),
    channels_last=st.booleans(),
)
def test_it_is_the_definition_pixel_by_pixel(size, taps, up, down, padding, flip, channels_last):
    how = {"up": up, "down": down, "padding": padding, "flip": flip}
    x = features((2, 3, *size), torch.float64, "channels_last" if channels_last else "contiguous")
    kernel = torch.from_numpy(np.random.default_rng(sum(taps)).normal(size=taps))
    room = [size[i] * up[i] + padding[2 * i] + padding[2 * i + 1] - taps[i] for i in (0, 1)]
    if min(room) < 0:
        with pytest.raises(ValueError, match="larger than the padded image"):
            upfirdn2d(x, kernel, **how)
        return
    ours = upfirdn2d(x, kernel, gain=0.5, **how)
    expected = [[explicit(plane.numpy(), kernel.numpy(), how) for plane in image] for image in x]
    assert_close(ours, 0.5 * torch.from_numpy(np.array(expected)))


@given(
    length=st.integers(1, 9),
    taps=st.integers(1, 6),
    up=st.integers(1, 4),
    down=st.integers(1, 4),
)
def test_full_padding_is_scipys_upfirdn_along_both_axes(length, taps, up, down):
    x = features((1, 1, length, length + 2), torch.float64)
    kernel = torch.from_numpy(np.random.default_rng(taps).normal(size=taps))
    padding = (taps - 1, taps - up, taps - 1, taps - up)  # scipy appends no zeros to the last sample
    ours = upfirdn2d(x, kernel, (up, up), (down, down), padding)
    rows = upfirdn(kernel.numpy(), x[0, 0].numpy(), up, down, axis=0)
    expected = upfirdn(kernel.numpy(), rows, up, down, axis=1)
    assert_close(ours[0, 0], torch.from_numpy(expected))


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize(
    ("up", "down", "padding", "taps"),
    [
        (2, 1, (2, 1, 2, 1), (4,)),
        (1, 2, (1, 1, 1, 1), (4,)),
        (1, 1, (2, 1, 2, 1), (4,)),
        (2, 1, (2, 1, 2, 1), (4, 4)),
        (3, 2, (-1, 4, 3, -2), (5, 3)),
        (2, 2, (4, 4, 4, 4), (7,)),
    ],
)
def test_the_kernel_gives_what_the_reference_gives(device, dtype, order, up, down, padding, taps):
    require_kernel("upfirdn2d", device)
    kernel = features(taps, torch.float64, device=device)
    for shape in [(2, 3, 6, 8), (1, 1, 2, 2), (2, 16, 4, 34), (2, 0, 4, 4), (0, 3, 4, 4)]:
        x = features(shape, dtype, order, device)
        arguments = (x, kernel, [up, up], [down, down], list(padding), False, 1.5)
        ours, expected = torch.ops.medsegan.upfirdn2d(*arguments), _reference(*arguments)
        assert ours.dtype == dtype
        assert_same_order(ours, expected)
        assert_close(ours, expected)


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize(("up", "down", "before"), [(2, 1, 2), (1, 2, 1)])
@pytest.mark.parametrize("flip", [False, True])
def test_the_four_tap_route_is_the_general_filter(device, up, down, before, flip):
    x = features((2, 5, 6, 40), torch.float64, "channels_last", device)
    taps = features((4,), torch.float64, device=device)
    how = {"up": (up, up), "down": (down, down), "padding": (before, 1, before, 1), "flip": flip, "gain": 3.0}
    assert_close(upfirdn2d(x, taps, **how), upfirdn2d(x, torch.outer(taps, taps), **how))


@pytest.mark.parametrize("device", DEVICES)
def test_an_image_of_one_pixel_gives_the_filter(device):
    kernel = features((3, 4), device=device)
    x = torch.full((1, 1, 1, 1), 2.0, device=device)
    assert_close(upfirdn2d(x, kernel, padding=(2, 2, 3, 3))[0, 0], 2 * kernel)
    assert_close(upfirdn2d(x, kernel, padding=(2, 2, 3, 3), flip=True)[0, 0], 2 * kernel.flip(0, 1))


def test_nothing_but_padding_is_zeros():
    assert upfirdn2d(torch.zeros(2, 3, 0, 4), torch.ones(2), padding=(2, 1, 0, 0)).eq(0).all()
    assert upfirdn2d(torch.ones(1, 1, 2, 2), torch.ones(2, 2), padding=(-4, 6, 0, 0)).tolist() == [[[[0.0]] * 3]]


def test_nan_stays_where_the_filter_sees_it():
    x = torch.ones(1, 1, 8, 8)
    x[0, 0, 0, 0] = torch.nan
    y = upfirdn2d(x, torch.ones(3), padding=(1, 1, 1, 1))
    assert y.isnan().nonzero().tolist() == [[0, 0, r, c] for r in (0, 1) for c in (0, 1)]


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize(
    ("taps", "how"),
    [
        ((4,), {"up": (2, 2), "padding": (2, 1, 2, 1)}),
        ((4,), {"down": (2, 2), "padding": (1, 1, 1, 1)}),
        ((3, 2), {"up": (3, 2), "down": (2, 3), "padding": (1, -1, 2, 0), "flip": True, "gain": 0.7}),
        ((2, 5), {"up": (1, 2), "down": (3, 1), "padding": (-2, 3, 4, -1)}),
    ],
)
def test_gradients_of_three_orders(device, taps, how):
    x = features((2, 2, 4, 5), torch.float64, device=device)
    x = (x[..., :4] if how.get("down") == (2, 2) else x).clone().requires_grad_()
    apply = transform(features(taps, torch.float64, device=device), **how)

    def cubed(t):  # so that no derivative up to the third vanishes
        return apply(t).pow(4).sum() / 10

    def gradient(t):
        return torch.autograd.grad(cubed(t), t, create_graph=True)[0]

    assert torch.autograd.gradcheck(cubed, x, fast_mode=True)
    assert torch.autograd.gradgradcheck(cubed, x, fast_mode=True)
    assert torch.autograd.gradgradcheck(lambda t: gradient(t).sin(), x, fast_mode=True)


@given(size=st.integers(1, 6), taps=st.integers(1, 5), up=factors, down=factors, padding=paddings)
def test_the_gradient_is_the_transpose(size, taps, up, down, padding):
    x = features((1, 2, size, size + 1), torch.float64).requires_grad_()
    kernel = features((taps, taps + 1), torch.float64)
    how = ([*up], [*down], [*padding], False, 1.5)
    y = torch.ops.medsegan.upfirdn2d(x, kernel, *how)
    w = features(tuple(y.shape), torch.float64)
    (dx,) = torch.autograd.grad(y, x, w)
    moved = features((1, 2, size, size + 1), torch.float64).flip(-1)
    expected = (torch.ops.medsegan.upfirdn2d(moved, kernel, *how) * w).sum()
    assert_close((moved * dx).sum(), expected)


@pytest.mark.parametrize("order", ["contiguous", "channels_last"])
def test_torch_accepts_the_operator(order):
    x = features((2, 3, 6, 5), torch.float32, order).requires_grad_()
    arguments = (x, torch.ones(3, 2), [2, 1], [1, 3], [1, 2, 0, -1], False, 2.0)
    torch.library.opcheck(torch.ops.medsegan.upfirdn2d.default, arguments)


def test_it_compiles_as_part_of_a_graph():
    kernel = features((4,), torch.float32)

    def step(x):
        return upfirdn2d(x.sin(), kernel, up=(2, 2), padding=(2, 1, 2, 1)).cos().sum()

    x = features((1, 2, 4, 6)).requires_grad_()
    torch._dynamo.reset()
    compiled = torch.compile(step, fullgraph=True, backend="aot_eager")
    assert_close(*(torch.autograd.grad(f(x), x)[0] for f in (compiled, step)))


@pytest.mark.parametrize("order", ["contiguous", "channels_last"])
def test_threads_do_not_matter(order):
    require_kernel("upfirdn2d")
    x = features((3, 8, 66, 40), order=order)
    kernel, threads = features((5, 3)), torch.get_num_threads()
    results = []
    try:
        for count in (1, 2, 5):
            torch.set_num_threads(count)
            results.append(upfirdn2d(x, kernel, up=(2, 1), down=(1, 2), padding=(2, 2, 1, 1)))
    finally:
        torch.set_num_threads(threads)
    assert all(torch.equal(results[0], other) for other in results[1:])


@pytest.mark.parametrize(
    ("x", "kernel", "how", "sentence"),
    [
        (torch.ones(2, 2), torch.ones(2), {}, "expected images"),
        (torch.ones(1, 1, 2, 2), torch.ones(1, 2, 2), {}, "expected a floating filter"),
        (torch.ones(1, 1, 2, 2), torch.ones(0), {}, "expected a floating filter"),
        (torch.ones(1, 1, 2, 2), torch.ones(2, dtype=torch.int64), {}, "expected a floating filter"),
        (torch.ones(1, 1, 2, 2), torch.ones(2, requires_grad=True), {}, "the filter is a constant"),
        (torch.ones(1, 1, 2, 2), torch.ones(2), {"up": (0, 1)}, "factors of 1 or more"),
        (torch.ones(1, 1, 2, 2), torch.ones(3), {}, "larger than the padded image, by 1 pixels"),
    ],
)
def test_what_makes_no_sense_is_refused(x, kernel, how, sentence):
    with pytest.raises(ValueError, match=sentence):
        upfirdn2d(x, kernel, **how)
