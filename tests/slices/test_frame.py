"""Where slices lie: native and body-fitted frames, and their exact JSON."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from slice_scenes import PLANES, grids, oblique_affine

from medsegan.errors import DataError, UsageError
from medsegan.geometry import Grid, Sampling, axis_codes
from medsegan.imaging import Volume
from medsegan.slices import (
    PLANE_CODES,
    Frame,
    find_body,
    fit_frame,
    frame_around,
    native_frame,
    require_plane,
)


@given(grids(st.integers(1, 60), st.floats(0.3, 9.0)), st.sampled_from(PLANES), st.integers(1, 300))
def test_json_keeps_every_bit(grid, plane, size):
    frame = frame_around(grid, plane, size, ((0.1, 7.3), (-0.5, 11.7), (1 / 3, 9.0)))
    back = Frame.from_json(json.loads(json.dumps(frame.to_json())))
    assert back.to_json() == frame.to_json()
    assert (back.rows, back.cols, back.reorientation, back.plane) == (
        frame.rows,
        frame.cols,
        frame.reorientation,
        frame.plane,
    )
    assert np.array_equal(back.source.world_from_voxel, grid.world_from_voxel)


@given(grids(st.integers(1, 60), st.floats(0.3, 9.0), max_angle=20), st.sampled_from(PLANES), st.integers(1, 99))
def test_stacks_point_as_their_plane_says_and_pixels_are_square(grid, plane, size):
    frame = frame_around(grid, plane, size, None)
    stack = frame.stack_grid
    assert axis_codes(stack) == PLANE_CODES[plane]
    assert stack.shape == frame.stack_shape == (frame.stack_shape[0], size, size)
    assert stack.spacing_mm[1] == pytest.approx(stack.spacing_mm[2])


@given(grids(st.integers(2, 40), st.floats(0.3, 9.0)), st.sampled_from(PLANES))
def test_without_a_box_the_view_is_the_whole_image(grid, plane):
    frame = frame_around(grid, plane, 32, None)
    _, height, width = frame.reorientation.grid(grid).shape
    seen = []
    for sampling, n in ((frame.rows, height), (frame.cols, width)):
        low = sampling.start - 0.5 * sampling.step
        high = low + sampling.step * sampling.count
        assert low <= -0.5 + 1e-6
        assert high >= n - 0.5 - 1e-6
        seen.append((high - low) / n)
    assert min(seen) == pytest.approx(1.0)


@pytest.mark.parametrize("plane", PLANES)
def test_a_box_is_where_it_was_found_whatever_the_plane(plane):
    """The centre of the view is the centre of the box in the patient, 4 % wider than its longer side."""
    grid = Grid((40, 50, 60), oblique_affine((-2.0, 1.5, -4.0), (10, 5, -8), (3, 4, 5)))
    box = ((10.0, 40.0), (5.0, 25.0), (3.0, 31.0))
    axial = native_frame(grid, "axial", 1).reorientation.grid(grid)
    middle_mm = (axial.world_from_voxel @ [*(0.5 * (low + high) for low, high in box), 1])[:3]
    frame = frame_around(grid, plane, 101, box)
    stack = frame.stack_grid
    to_stack = np.linalg.inv(stack.world_from_voxel)
    assert (to_stack @ [*middle_mm, 1])[1:3] == pytest.approx([50.0, 50.0])
    sides = dict(
        zip("SPL", ((high - low) * mm for (low, high), mm in zip(box, axial.spacing_mm, strict=True)), strict=True)
    )
    in_plane = {"axial": "PL", "coronal": "SL", "sagittal": "SP"}[plane]
    assert stack.spacing_mm[1] * 101 == pytest.approx(1.04 * max(sides[letter] for letter in in_plane))


def test_fit_frame_is_the_frame_around_the_body():
    array = np.full((60, 50, 20), -1000.0, np.float32)
    array[15:45, 10:40] = 40.0
    volume = Volume(array, Grid(array.shape, np.diag([6.0, 6.0, 6.0, 1.0])))
    box = find_body(volume, "ct")
    assert box is not None
    frame = fit_frame(volume, "ct", "axial", 64)
    assert frame.to_json() == frame_around(volume.grid, "axial", 64, box).to_json()
    assert frame.stack_grid.spacing_mm[1] * 64 == pytest.approx(1.04 * 180, rel=0.06)


def test_what_makes_no_sense_is_refused():
    grid = Grid((4, 5, 6), np.eye(4))
    with pytest.raises(UsageError, match="positive size"):
        native_frame(grid, "axial", 0)
    with pytest.raises(UsageError, match="oblique"):
        require_plane("oblique")
    frame = native_frame(grid, "axial", 4)
    with pytest.raises(DataError, match="run forwards"):
        Frame(grid, "axial", frame.reorientation, Sampling(3.0, -1.0, 4), frame.cols)
