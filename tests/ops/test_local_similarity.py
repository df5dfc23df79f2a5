"""Local correlation and self-similarity context: their definitions, what they are blind to, and their kernels."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from operator_checks import DEVICES, DTYPES, ORDERS, TOLERANCE, assert_close, features, require_kernel

from medsegan.ops import local_correlation, self_similarity
from medsegan.ops import local_similarity as module
from medsegan.ops.local_similarity import FLAT

EXACT = torch.float64
REFERENCES = {
    "local_correlation": (module._correlation, module._correlation_gradient),
    "self_similarity": (module._self_similarity, module._self_similarity_gradient),
}
OPTIONS = {"local_correlation": (2, FLAT), "self_similarity": (1, 2, FLAT)}
NAMES = pytest.mark.parametrize("name", OPTIONS)
DISTANCES = pytest.mark.parametrize("distance", [local_correlation, self_similarity])


def operator(name):
    return getattr(torch.ops.medsegan, name)


def reference(name, *inputs):
    return module._reference(REFERENCES[name][0])(*inputs)


def reference_gradient(name, *inputs):
    return module._reference_gradient(REFERENCES[name][1])(*inputs)


def pair(shape, dtype=torch.float32, order="contiguous", device="cpu"):
    """An image, and a target that is like it in part; both have flat windows at the left."""
    x = features(shape, EXACT)
    target = 0.5 * x + torch.roll(x, 1, -1)
    if shape[-1] > 8:
        x[..., :3], target[..., 2:7] = 0.25, -0.5
    if order == "channels_last":
        x, target = (y.contiguous(memory_format=torch.channels_last) for y in (x, target))
    if order == "permuted":
        x, target = (y.transpose(0, -1).contiguous().transpose(0, -1) for y in (x, target))
    return x.to(dtype=dtype, device=device), target.to(dtype=dtype, device=device)


def gradient_values(count, dtype=torch.float32, device="cpu"):
    return torch.linspace(-1.0, 2.0, count, dtype=EXACT).to(dtype=dtype, device=device)


def assert_equals_the_reference(name, x, target, options):
    """Value and gradient; the memory order of the gradient too."""
    g = gradient_values(x.shape[0], x.dtype, x.device)
    assert_close(operator(name)(x, target, *options), reference(name, x, target, *options))
    ours = operator(f"{name}_grad")(g, x, target, *options)
    expected = reference_gradient(name, g, x, target, *options)
    assert ours.stride() == expected.stride()
    size = max(1.0, x[0].numel()) if x.shape[0] else 1.0
    assert_close(ours * size, expected * size)  # each pixel's gradient is about 1 / size


def squares(length, radius, at):
    return range(max(0, at - radius), min(length, at + radius + 1))


def correlation_by_hand(x, target, radius, flat):
    """One plane, window by window, from the definition."""
    height, width = x.shape
    total = 0.0
    for i in range(height):
        for j in range(width):
            window = np.ix_(squares(height, radius, i), squares(width, radius, j))
            a, b = x[window], target[window]
            if b.var() > flat:
                covariance = ((a - a.mean()) * (b - b.mean())).mean()
                total += 1 - covariance**2 / (max(a.var(), flat) * b.var())
    return total / (height * width)


def contexts_by_hand(x, radius, dilation, flat):
    """The four descriptors of every pixel of one plane, from the definition."""
    height, width = x.shape

    def at(i, j):
        return x[min(max(i, 0), height - 1), min(max(j, 0), width - 1)]

    steps = [(-dilation, 0), (0, dilation), (dilation, 0), (0, -dilation)]
    pairs = [(a, b) for n, a in enumerate(steps) for b in steps[n + 1 :] if math.dist(a, b) < 1.5 * dilation]
    assert len(pairs) == 4  # all pairs but those of opposite neighbours
    found = np.zeros((height, width, 4))
    for i in range(height):
        for j in range(width):
            inside = [(p, q) for p in squares(height, radius, i) for q in squares(width, radius, j)]
            distances = np.array(
                [
                    np.mean([(at(p + a[0], q + a[1]) - at(p + b[0], q + b[1])) ** 2 for p, q in inside])
                    for a, b in pairs
                ]
            )
            found[i, j] = np.exp(-distances / max(distances.mean(), flat))
    return found


@pytest.mark.parametrize("radius", [1, 3, 20])
def test_local_correlation_is_its_definition(radius):
    x, target = pair((2, 2, 7, 10), EXACT)
    by_plane = [
        [correlation_by_hand(a, b, radius, FLAT) for a, b in zip(p, q, strict=True)]
        for p, q in zip(x.numpy(), target.numpy(), strict=True)
    ]
    assert_close(local_correlation(x, target, radius), torch.tensor(by_plane, dtype=EXACT).mean(dim=1))


@pytest.mark.parametrize(("radius", "dilation"), [(0, 1), (1, 1), (2, 2), (1, 9)])
def test_self_similarity_is_its_definition(radius, dilation):
    x, target = pair((2, 1, 6, 9), EXACT)
    found = []
    for p, q in zip(x[:, 0].numpy(), target[:, 0].numpy(), strict=True):
        ours, theirs = (contexts_by_hand(image, radius, dilation, FLAT) for image in (p, q))
        found.append(((ours - theirs) ** 2).mean())
    assert_close(self_similarity(x, target, radius, dilation), torch.tensor(found, dtype=EXACT))


def test_local_correlation_agrees_with_monai_away_from_edges_and_flat_windows():
    """MONAI counts zeros beyond the edge as pixels, so only the map inside is comparable."""
    losses = pytest.importorskip("monai.losses", reason="monai is not installed")

    rng = torch.Generator().manual_seed(0)
    x, target = (torch.rand(1, 1, 40, 40, dtype=EXACT, generator=rng) for _ in range(2))
    target = target + x
    theirs = losses.LocalNormalizedCrossCorrelationLoss(2, 9, reduction="none", smooth_dr=0.0)(x, target)[
        ..., 4:-4, 4:-4
    ]
    windows = module._Windows(x, target, 4, FLAT)
    ours = 1 - windows.covariance.square() / (windows.variance * windows.variance_target)
    assert_close(ours[..., 4:-4, 4:-4], 1 + theirs)


@NAMES
@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("order", ORDERS)
def test_the_kernel_equals_the_reference(name, device, dtype, order):
    require_kernel(name, device)
    x, target = pair((3, 2, 21, 18), dtype, order, device)
    assert_equals_the_reference(name, x, target, OPTIONS[name])


@NAMES
@pytest.mark.parametrize("device", DEVICES)
@settings(max_examples=25)
@given(
    shape=st.tuples(st.integers(0, 2), st.integers(1, 2), st.integers(1, 14), st.integers(1, 14)),
    radius=st.integers(1, 9),
    dilation=st.integers(1, 16),
)
def test_shapes_and_reaches(name, device, shape, radius, dilation):
    require_kernel(name, device)
    x, target = pair(shape, EXACT, device=device)
    options = (radius, FLAT) if name == "local_correlation" else (radius - 1, dilation, FLAT)
    assert_equals_the_reference(name, x, target, options)


@NAMES
@pytest.mark.parametrize("device", DEVICES)
def test_strips_and_tiles_meet(name, device):
    """Images larger than what one thread or block works on."""
    require_kernel(name, device)
    x, target = pair((1, 1, 290, 150), EXACT, device=device)
    assert_equals_the_reference(name, x, target, OPTIONS[name])


@NAMES
@pytest.mark.parametrize("shape", [(0, 1, 4, 4), (2, 0, 4, 4), (2, 1, 0, 4), (2, 1, 4, 0)])
def test_empty_images_have_no_distance(name, shape):
    x = torch.zeros(shape, requires_grad=True)
    value = operator(name)(x, torch.zeros(shape), *OPTIONS[name])
    assert torch.equal(value, torch.zeros(shape[0]))
    assert torch.autograd.grad(value.sum(), x)[0].shape == shape


@NAMES
@pytest.mark.parametrize("device", DEVICES)
def test_gradients_of_first_and_second_order(name, device):
    x, target = pair((2, 2, 4, 5), EXACT, device=device)
    x.requires_grad_()
    for options in (OPTIONS[name], (1, FLAT) if name == "local_correlation" else (0, 1, FLAT)):

        def distance(image, options=options):
            return operator(name)(image, target, *options)

        assert torch.autograd.gradcheck(distance, x)
        assert torch.autograd.gradgradcheck(distance, x)


@NAMES
@pytest.mark.parametrize("device", DEVICES)
def test_torch_approves_of_the_registration(name, device):
    x, target = pair((2, 1, 6, 7), device=device)
    torch.library.opcheck(operator(name), (x.requires_grad_(), target, *OPTIONS[name]))
    g = gradient_values(2, device=device).requires_grad_()
    arguments = (g, x.detach().requires_grad_(), target, *OPTIONS[name])
    torch.library.opcheck(operator(f"{name}_grad"), arguments)


@DISTANCES
def test_it_compiles_as_one_graph(distance):
    x, target = pair((2, 1, 9, 12))
    x.requires_grad_()
    compiled = torch.compile(lambda a: 2 * distance(torch.tanh(a), target), fullgraph=True, backend="aot_eager")
    value = compiled(x)
    assert_close(value, 2 * distance(torch.tanh(x), target))
    expected = torch.autograd.grad((2 * distance(torch.tanh(x), target)).sum(), x)[0]
    assert_close(torch.autograd.grad(value.sum(), x)[0], expected)


@NAMES
def test_threads_change_nothing(name):
    require_kernel(name)
    x, target = pair((3, 2, 200, 40))
    before, found = torch.get_num_threads(), []
    try:
        for threads in (1, 3, 4):
            torch.set_num_threads(threads)
            value = operator(name)(x, target, *OPTIONS[name])
            found.append((value, operator(f"{name}_grad")(gradient_values(3), x, target, *OPTIONS[name])))
    finally:
        torch.set_num_threads(before)
    for value, dx in found[1:]:
        assert torch.equal(value, found[0][0])
        assert torch.equal(dx, found[0][1])


@DISTANCES
def test_a_batch_is_its_images_one_by_one(distance):
    x, target = pair((4, 2, 13, 17))
    x.requires_grad_()
    together = distance(x, target)
    (dx,) = torch.autograd.grad(together.square().sum(), x)
    for n in range(4):
        alone = distance(x[n : n + 1], target[n : n + 1])
        assert torch.equal(together[n], alone[0])
        assert torch.equal(dx[n], torch.autograd.grad(alone.square().sum(), x)[0][n])


def smooth(count=2, seed=0):
    """Smooth images of texture everywhere, [count, 1, 24, 24]."""
    rng = torch.Generator().manual_seed(seed)
    coarse = torch.rand(count, 1, 12, 12, dtype=EXACT, generator=rng)
    return torch.nn.functional.interpolate(coarse, size=(24, 24), mode="bilinear")


@DISTANCES
@pytest.mark.parametrize("scale", [3.0, -0.7])
def test_it_is_blind_to_the_contrast(distance, scale):
    x, target = smooth(seed=1), smooth(seed=2) + smooth(seed=1)
    expected = distance(x, target, flat=1e-12)
    assert (expected > 1e-3).all()
    assert_close(distance(scale * x + 5.0, target, flat=1e-12), expected)
    assert_close(distance(x, scale * target - 2.0, flat=1e-12), expected)


def test_correlation_is_blind_to_a_contrast_that_differs_from_place_to_place():
    x, half = smooth(), torch.ones(24)
    half[12:] = -1.5
    mapped = (x * half).roll(0, -1)
    inside = mapped.clone()
    inside[..., 8:16] = x[..., 8:16]  # windows that see both contrasts
    assert (local_correlation(x, mapped, 2) < 0.25 * local_correlation(x, smooth(seed=3), 2)).all()
    assert local_correlation(x[..., :12], mapped[..., :12], 2).max() < 1e-9


@DISTANCES
@pytest.mark.parametrize("flat", [FLAT, 1.0])
def test_the_distance_to_itself_is_nothing(distance, flat):
    x = smooth()
    x[..., :10] = 0.3
    bound = 1e-9 if flat == FLAT or distance is self_similarity else 1.0
    assert distance(x, x, flat=flat).abs().max() < bound


@DISTANCES
def test_the_further_away_the_greater(distance):
    x = smooth()
    found = torch.stack([distance(x.roll(k, -1)[..., 3:], x[..., 3:]) for k in range(3)])
    assert (found[0] < 1e-9).all()
    assert (found.diff(dim=0) > 0).all()


@DISTANCES
def test_gradient_descent_finds_the_place_back(distance):
    """A bright disc moves onto a dark one."""
    place = torch.linspace(-1, 1, 32, dtype=EXACT)

    def disc(centre):
        return torch.sigmoid(12 * (0.4 - ((place - centre).square() + place[:, None].square()).sqrt()))[None, None]

    target, centre = -2.0 * disc(torch.tensor(0.0)) + 1.0, torch.tensor(0.15, dtype=EXACT, requires_grad=True)
    for _ in range(60):
        (slope,) = torch.autograd.grad(distance(disc(centre), target).sum(), centre)
        centre = (centre - 0.005 * slope.sign()).detach().requires_grad_()
    assert centre.abs().item() < 0.02


@DISTANCES
@pytest.mark.parametrize("dtype", DTYPES)
def test_constant_images_have_a_finite_gradient_of_nothing(distance, dtype):
    flat, textured = torch.full((1, 1, 9, 9), 0.3, dtype=dtype), pair((1, 1, 9, 9), dtype)[0]
    for x, target in ((flat, flat), (flat, textured), (textured, flat)):
        image = x.clone().requires_grad_()
        value = distance(image, target)
        (dx,) = torch.autograd.grad(value.sum(), image)
        assert value.isfinite().all()
        assert dx.isfinite().all()
        if x is flat or distance is local_correlation:
            assert dx.abs().max() < TOLERANCE[dtype]["atol"]


@NAMES
@pytest.mark.parametrize("where", ["x", "target"])
def test_nan_is_not_swallowed(name, where):
    x, target = pair((2, 1, 12, 16))
    (x if where == "x" else target)[0, 0, 5, 5] = math.nan
    value = operator(name)(x, target, *OPTIONS[name])
    dx = operator(f"{name}_grad")(torch.ones(2), x, target, *OPTIONS[name])
    assert value.isnan().tolist() == [True, False]
    assert dx[0].isnan().any()
    assert not dx[1].isnan().any()


@DISTANCES
def test_bad_input_is_refused(distance):
    x = torch.zeros(2, 1, 8, 8)
    with pytest.raises(ValueError, match=r"one shape \[N, C, H, W\], got \[2, 1, 8, 8\] and \[1, 1, 8, 8\]"):
        distance(x, x[:1])
    with pytest.raises(ValueError, match="one floating dtype, got"):
        distance(x, x.double())
    with pytest.raises(ValueError, match="radius must be at least"):
        distance(x, x, -1)
    with pytest.raises(ValueError, match="flat must be above 0, got 0"):
        distance(x, x, flat=0.0)


def test_neighbours_must_be_some_way_off():
    with pytest.raises(ValueError, match="dilation must be at least 1, got 0"):
        self_similarity(torch.zeros(1, 1, 8, 8), torch.zeros(1, 1, 8, 8), dilation=0)


def test_local_correlation_needs_a_window():
    with pytest.raises(ValueError, match="radius must be at least 1, got 0"):
        local_correlation(torch.zeros(1, 1, 8, 8), torch.zeros(1, 1, 8, 8), 0)


@NAMES
def test_the_kernel_names_what_does_not_fit(name):
    require_kernel(name)
    with pytest.raises(RuntimeError, match="image and target differ in dimension 3: 8 and 7"):
        operator(name)(torch.zeros(1, 1, 8, 8), torch.zeros(1, 1, 8, 7), *OPTIONS[name])
