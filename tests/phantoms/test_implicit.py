"""Implicit shapes have the size, place and smoothness that their parameters say."""

import numpy as np
import pytest

from medsegan.phantoms.implicit import Ellipsoid, Points, rotation, smooth_minimum, smooth_noise


def lattice(step_mm: float = 2.0, half_mm: float = 60.0) -> Points:
    axis = np.arange(-half_mm, half_mm + step_mm / 2, step_mm, dtype=np.float32)
    x, y, z = np.meshgrid(axis, axis, axis, indexing="ij")
    affine = np.diag([step_mm, step_mm, step_mm, 1.0])
    affine[:3, 3] = -half_mm
    return Points(x, y, z, np.linalg.inv(affine), (step_mm, step_mm, step_mm), 0.0)


def test_an_ellipsoid_has_the_volume_of_its_half_axes() -> None:
    shape = Ellipsoid((3.0, -4.0, 5.0), (20.0, 30.0, 40.0), (20.0, 30.0, 40.0))
    inside = shape.field(lattice()) < 0
    assert inside.sum() * 8.0 == pytest.approx(4 / 3 * np.pi * 20 * 30 * 40, rel=0.01)


def test_a_higher_power_makes_it_boxier() -> None:
    points = lattice()
    round_, boxy = (
        (Ellipsoid((0, 0, 0), (30.0, 30.0, 30.0), power=power).field(points) < 0).sum() for power in (2.0, 4.0)
    )
    assert 1.2 * round_ < boxy < 8 * 30**3 / 8.0


def test_the_middle_of_a_bowed_shape_is_shifted_towards_positive_x() -> None:
    points = lattice()
    inside = Ellipsoid((0, 0, 0), (15.0, 15.0, 50.0), bow_mm=12.0).field(points) < 0
    middle, end = inside & (np.abs(points.z) < 5), inside & (points.z > 35)
    assert points.x[middle].mean() > points.x[end].mean() + 4.0


def test_boxes_hold_their_shape_also_when_tilted_and_bowed() -> None:
    points = lattice()
    shape = Ellipsoid((5.0, 0.0, -5.0), (10.0, 14.0, 40.0), (25.0, -30.0, 15.0), bow_mm=10.0)
    inside = shape.field(points) < 0
    box = points.box(shape.centre, shape.reach_mm)
    assert inside[box].sum() == inside.sum()
    assert inside[box].size < inside.size / 3


def test_a_box_outside_the_grid_is_empty() -> None:
    points = lattice()
    assert points.crop(points.box((500.0, 0.0, 0.0), (5.0, 5.0, 5.0))).x.size == 0


def test_noise_has_unit_deviation_and_the_size_of_its_knots() -> None:
    spacing = (2.0, 2.0, 5.0)
    fields = [smooth_noise(np.random.default_rng(seed), (90, 90, 40), 20.0, spacing) for seed in range(4)]
    assert np.mean([field.std() for field in fields]) == pytest.approx(1.0, abs=0.08)
    near = np.mean([np.corrcoef(field[:-1].ravel(), field[1:].ravel())[0, 1] for field in fields])
    far = np.mean([np.corrcoef(field[:-40].ravel(), field[40:].ravel())[0, 1] for field in fields])
    assert near > 0.97
    assert abs(far) < 0.2


def test_noise_is_smooth_across_knots_along_every_axis() -> None:
    field = smooth_noise(np.random.default_rng(1), (60, 60, 60), 30.0, (1.0, 1.0, 1.0))
    for axis in range(3):
        assert np.abs(np.diff(field, n=2, axis=axis)).max() < 0.03


def test_the_smooth_minimum_is_the_union_with_a_rounded_seam() -> None:
    first = np.array([-3.0, 0.0, 20.0], dtype=np.float32)
    second = np.array([20.0, 0.0, -3.0], dtype=np.float32)
    np.testing.assert_allclose(smooth_minimum(first, second, 4.0), [-3.0, -1.0, -3.0])


def test_rotations_turn_about_x_then_y_then_z() -> None:
    np.testing.assert_allclose(rotation((0, 0, 90)) @ [1, 0, 0], [0, 1, 0], atol=1e-12)
    np.testing.assert_allclose(rotation((90, 0, 90)) @ [0, 1, 0], [0, 0, 1], atol=1e-12)
    np.testing.assert_allclose(rotation((10, 20, 30)) @ rotation((10, 20, 30)).T, np.eye(3), atol=1e-12)
