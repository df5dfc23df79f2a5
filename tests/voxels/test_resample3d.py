"""Volumes on other grids: against scipy, against explicit pictures of labels, and at the faces by hand."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from resample_scenes import (
    IDENTITY,
    affines,
    centred,
    is_between_centres,
    noise,
    positions_of,
    resample_plainly,
    shapes,
    turned,
    volumes,
)
from scipy import ndimage

from medsegan.errors import DataError
from medsegan.voxels import library, resample3d

IMAGES = [
    "float32",
    "float64",
    "float16",
    "int8",
    "uint8",
    "int16",
    "uint16",
    "int32",
    "uint32",
    "int64",
    "bool",
    ">f4",
]
LABELS = ["uint8", "int8", "int16", "uint16", "int32", "uint32", "int64", "uint64", "bool"]
TILTED, RESCALED = turned(), np.diag([1.3, -0.8, 0.71])[[1, 0, 2]]


@st.composite
def tasks(draw, dtypes):
    n, m = draw(shapes), draw(shapes)
    return draw(volumes(n, dtypes)), draw(affines(n, m)), m


@settings(max_examples=250)
@given(tasks(IMAGES), st.sampled_from(["nearest", "linear", "cubic"]), st.sampled_from([None, 0.0, 1.0]))
def test_compiled_and_plain_agree_on_images(task, order, fill):
    volume, matrix, shape = task
    ours, plain = (
        resample3d(volume, matrix, shape, order, fill),
        resample_plainly(volume, matrix, shape, order, fill),
    )
    assert ours.dtype == plain.dtype
    assert ours.shape == plain.shape == shape
    if order == "nearest":
        assert np.array_equal(ours, plain)
    else:
        tolerance = {np.float64: 1e-9, np.float16: 0.3}.get(ours.dtype.type, 2e-4)
        np.testing.assert_allclose(ours, plain, rtol=0, atol=tolerance)


@settings(max_examples=250)
@given(tasks(LABELS), st.sampled_from([None, 0, 1]), st.integers(2, 5))
def test_compiled_and_plain_agree_on_labels(task, fill, n_classes):
    volume, matrix, shape = task
    labels = volume if volume.dtype == bool else volume % volume.dtype.type(n_classes)
    ours = resample3d(labels, matrix, shape, "label_linear", fill)
    assert ours.dtype == labels.dtype
    assert np.array_equal(ours, resample_plainly(labels, matrix, shape, "label_linear", fill))


@settings(max_examples=100)
@given(tasks(["uint8", "int16", "bool"]), st.integers(2, 5))
def test_labels_are_the_largest_of_interpolated_pictures(task, n_classes):
    volume, matrix, shape = task
    labels = volume if volume.dtype == bool else volume % volume.dtype.type(n_classes)
    pictures = [(labels == index).astype(np.float64) for index in range(n_classes)]
    shares = np.stack([resample3d(p, matrix, shape, "linear", float(i == 0)) for i, p in enumerate(pictures)])
    best, second = np.sort(shares, axis=0)[[-1, -2]]
    clear = best - second > 1e-9
    ours = resample3d(labels, matrix, shape, "label_linear", 0)
    assert np.array_equal(ours[clear], shares.argmax(axis=0)[clear])
    tied = shares >= best - 1e-9
    assert np.take_along_axis(tied, ours[None].astype(int), axis=0).all()


@pytest.mark.parametrize("linear", [TILTED, RESCALED], ids=["tilted", "rescaled"])
@pytest.mark.parametrize(
    ("order", "dtype", "tolerance"), [(1, "float32", 1e-5), (3, "float32", 1e-5), (3, "float64", 1e-9)]
)
def test_it_is_scipy_between_the_outermost_centres(linear, order, dtype, tolerance):
    """In many bricks: what one brick cannot see of the spline is below the tolerance."""
    volume, shape = noise((150, 110, 130), dtype), (120, 140, 125)
    matrix = centred(linear, volume.shape, shape)
    expected = ndimage.affine_transform(volume, matrix[:, :3], matrix[:, 3], shape, order=order, mode="mirror")
    ours = resample3d(volume, matrix, shape, "linear" if order == 1 else "cubic", None)
    inside = is_between_centres(matrix, shape, volume.shape)
    assert inside.mean() > 0.5
    assert np.abs(ours - expected)[inside].max() < tolerance * np.ptp(volume)


@pytest.mark.parametrize("order", ["nearest", "linear", "cubic"])
@pytest.mark.parametrize("fill", [None, -5.0])
def test_outside_begins_at_the_outer_face_and_the_edge_is_continued_up_to_it(order, fill):
    volume = np.array([10.0, 20.0, 40.0], dtype=np.float32).reshape(1, 1, 3)
    matrix = np.diag([1.0, 1.0, 0.25, 1.0])
    matrix[2, 3] = -0.75
    row = resample3d(volume, matrix, (1, 1, 15), order, fill)[0, 0]
    low, high = (10.0, 40.0) if fill is None else (fill, fill)
    assert row[0] == low  # -0.75
    assert np.allclose(row[[1, 2, 3]], 10.0, rtol=1e-6)  # from -0.5, on the face, to the centre
    assert np.allclose(row[[11, 12, 13]], 40.0, rtol=1e-6)  # 2 to 2.5
    assert row[14] == high  # 2.75
    tilted = np.array([[1, 0, 0.0, 0], [0, 1, 1e-9, 0], [0, 0, 0.25, -0.75]])
    assert np.allclose(resample3d(volume, tilted, (1, 1, 15), order, fill)[0, 0], row, atol=1e-4)


@pytest.mark.parametrize("order", ["nearest", "linear", "cubic", "label_linear"])
@pytest.mark.parametrize("fill", [None, 9])
@pytest.mark.parametrize("linear", [TILTED, RESCALED], ids=["tilted", "rescaled"])
def test_every_sample_beyond_a_face_and_no_other_is_filled(order, fill, linear):
    matrix = centred(linear, (9, 8, 7), (16, 15, 14))
    ones = np.ones((9, 8, 7), dtype=np.uint8)
    positions = positions_of(matrix, (16, 15, 14))
    inside = ((positions >= -0.5) & (positions <= np.array([8.5, 7.5, 6.5]).reshape(3, 1, 1, 1))).all(axis=0)
    expected = np.ones(inside.shape) if fill is None else np.where(inside, 1, 9)
    np.testing.assert_allclose(resample3d(ones, matrix, (16, 15, 14), order, fill), expected, rtol=1e-5)


@settings(max_examples=80)
@given(
    shapes,
    st.sampled_from(["float32", "float64", "float16", "int16", "uint8", "bool"]),
    st.sampled_from(["nearest", "linear", "cubic", "label_linear"]),
    st.permutations(range(3)),
    st.tuples(*[st.booleans()] * 3),
)
def test_identity_flips_and_other_orders_of_axes_copy_bit_by_bit(n, dtype, order, axes, flips):
    volume = noise(n, dtype)
    if volume.dtype.kind == "f":
        order = "nearest" if order == "label_linear" else order
        volume.flat[:: max(1, volume.size // 5)] = np.resize(
            [np.nan, -0.0, np.inf], len(volume.flat[:: max(1, volume.size // 5)])
        )
    matrix = np.zeros((3, 4))
    for target, source in enumerate(axes):
        matrix[source, target] = -1.0 if flips[target] else 1.0
        matrix[source, 3] = n[source] - 1 if flips[target] else 0.0
    expected = volume.transpose(axes)[tuple(slice(None, None, -1 if flip else 1) for flip in flips)]
    ours = resample3d(volume, matrix, expected.shape, order, None)
    expected = expected.astype(ours.dtype)
    assert np.ascontiguousarray(ours).tobytes() == np.ascontiguousarray(expected).tobytes()


def test_a_tie_goes_to_the_lower_label_and_to_the_higher_index():
    labels = np.array([3, 1, 2, 2], dtype=np.int16).reshape(4, 1, 1)
    halves = np.array([[1.0, 0, 0, 0.5], [0, 1, 0, 0], [0, 0, 1, 0]])
    assert resample3d(labels, halves, (3, 1, 1), "label_linear").ravel().tolist() == [1, 1, 2]
    assert resample3d(-labels, halves, (3, 1, 1), "label_linear").ravel().tolist() == [-3, -2, -2]
    assert resample3d(labels, halves, (3, 1, 1), "nearest").ravel().tolist() == [1, 2, 2]


def test_a_nan_spreads_to_the_samples_beside_it_and_no_further():
    volume = noise((8, 9, 10))
    volume[4, 4, 4] = np.nan
    for linear in (TILTED, np.diag([0.7, 0.7, 0.7])):
        matrix = centred(linear, volume.shape, (12, 12, 12))
        touched = (np.abs(positions_of(matrix, (12, 12, 12)) - 4) < 1).all(axis=0)
        assert np.array_equal(np.isnan(resample3d(volume, matrix, (12, 12, 12), "linear", None)), touched)


@pytest.mark.parametrize("order", ["nearest", "linear", "cubic", "label_linear"])
@pytest.mark.parametrize("linear", [TILTED, RESCALED], ids=["tilted", "rescaled"])
def test_the_result_does_not_depend_on_the_number_of_threads(order, linear):
    volume, shape = noise((90, 70, 110), "uint8") % 3, (100, 90, 95)
    matrix = centred(linear, volume.shape, shape)
    one, two, many = (resample3d(volume, matrix, shape, order, 1, threads=threads) for threads in (1, 2, 7))
    assert one.tobytes() == two.tobytes() == many.tobytes()


@pytest.mark.parametrize("linear", [TILTED, RESCALED], ids=["tilted", "rescaled"])
def test_the_memory_order_of_the_volume_is_kept_and_changes_nothing(linear):
    volume = noise((20, 30, 25))
    matrix = centred(linear, volume.shape, (22, 21, 24))
    straight = resample3d(volume, matrix, (22, 21, 24), "cubic")
    fortran = resample3d(np.asfortranarray(volume), matrix, (22, 21, 24), "cubic")
    assert straight.flags.c_contiguous
    assert fortran.flags.f_contiguous
    np.testing.assert_allclose(straight, fortran, atol=1e-4)


@pytest.mark.parametrize("shape", [(0, 3, 4), (3, 0, 4), (3, 4, 0)])
@pytest.mark.parametrize("order", ["nearest", "linear", "cubic", "label_linear"])
def test_nothing_in_and_nothing_out(shape, order):
    assert resample3d(np.ones((3, 4, 5), dtype=np.uint8), IDENTITY, shape, order).shape == shape
    filled = resample3d(np.ones(shape, dtype=np.uint8), IDENTITY, (2, 2, 2), order, fill=3)
    assert filled.tolist() == np.full((2, 2, 2), 3).tolist()
    with pytest.raises(DataError, match="no edge"):
        resample3d(np.ones(shape, dtype=np.uint8), IDENTITY, (2, 2, 2), order, fill=None)


@pytest.mark.parametrize("order", ["nearest", "linear", "cubic", "label_linear"])
def test_a_far_outside_target_is_all_fill(order):
    matrix = np.c_[1e6 * TILTED, [1e9, -1e9, 1e12]]
    assert np.unique(resample3d(np.ones((5, 5, 5), dtype=np.uint8), matrix, (40, 40, 40), order, 7)).tolist() == [
        7
    ]
    assert np.allclose(resample3d(np.ones((5, 5, 5), dtype=np.uint8), matrix, (4, 4, 4), order, None), 1)


def test_voxels_that_are_not_aligned_in_memory_are_copied_first():
    records = np.zeros((4, 5, 6), dtype=[("flag", "u1"), ("value", "<f4")])
    records["value"] = noise((4, 5, 6))
    matrix = centred(TILTED, (4, 5, 6), (5, 5, 5))
    expected = resample3d(noise((4, 5, 6)), matrix, (5, 5, 5))
    assert np.array_equal(resample3d(records["value"], matrix, (5, 5, 5)), expected)


MEMORY = """
import re, sys
import numpy as np
from medsegan.voxels import resample3d
side, order, aligned = 256, sys.argv[1], sys.argv[2] == "rescaled"
# Not ru_maxrss: a process inherits that of the one that started it.
peak = lambda: 1024 * int(re.search(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read())[1])
linear = np.diag([0.9, 1.1, 0.95]) if aligned else np.array([[1, .05, -.03], [-.05, .95, .04], [.03, -.04, 1.05]])
matrix = np.c_[linear, 0.5 * side * (1 - linear.sum(axis=1))]
volume = np.full((side,) * 3, 7, dtype=np.uint8 if order == "label_linear" else np.float32)
resample3d(volume[:8, :8, :8], matrix, (8, 8, 8), order, threads=2)
before = peak()
result = resample3d(volume, matrix, volume.shape, order, threads=2)
print(peak() - before - result.nbytes)
"""


@pytest.mark.parametrize(
    ("order", "route"),
    [
        ("linear", "rescaled"),
        ("linear", "tilted"),
        ("cubic", "rescaled"),
        ("cubic", "tilted"),
        ("label_linear", "tilted"),
    ],
)
def test_memory_beside_volume_and_result_is_bounded(order, route):
    if library.load()[0] is None:
        pytest.skip(f"only the compiled kernel promises it: {library.load()[1]}")
    if not Path("/proc/self/status").exists():
        pytest.skip("the peak of a process is read from /proc/self/status, which is not here")
    done = subprocess.run([sys.executable, "-c", MEMORY, order, route], capture_output=True, text=True, check=True)
    assert -(2**20) < int(done.stdout) < 64 * 2**20


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"order": "quintic"}, "nearest, linear, cubic, label_linear"),
        ({"shape": (2, 2)}, "three axes"),
        ({"shape": (2, 2, -1)}, "three axes"),
        ({"volume": np.zeros((2, 2))}, "three axes"),
        ({"volume": np.zeros((2, 2, 2), complex)}, "complex"),
        ({"volume": np.zeros((2, 2, 2)), "order": "label_linear"}, "float64"),
        ({"source_from_target": np.eye(3)}, "3x4 or 4x4"),
        ({"source_from_target": np.full((3, 4), np.nan)}, "finite"),
        ({"source_from_target": np.ones((4, 4))}, "last row"),
        ({"fill": 300}, "cannot hold the fill value 300"),
        ({"fill": 0.5}, "cannot hold the fill value 0.5"),
    ],
)
def test_senseless_input_is_refused(change, message):
    good = {
        "volume": np.zeros((2, 2, 2), np.uint8),
        "source_from_target": IDENTITY,
        "shape": (2, 2, 2),
        "order": "nearest",
    }
    with pytest.raises(DataError, match=message):
        resample3d(**{**good, **change})


@pytest.mark.parametrize("order", ["nearest", "linear", "cubic"])
def test_a_strided_view_longer_than_its_source_is_no_run_of_memory(order):
    view = np.arange(40, dtype=np.int16).reshape(2, 2, 10)[:, :, ::2]
    found = resample3d(view, np.eye(4), (2, 2, 9), order, None)
    np.testing.assert_array_equal(found, resample3d(view.copy(), np.eye(4), (2, 2, 9), order, None))
    assert found[0, 0].tolist() == [0, 2, 4, 6, 8, 8, 8, 8, 8]
