"""The same scan in all 48 orders of its axes gives the same slices, to the bit."""

import numpy as np
import pytest
from slice_scenes import ALL_ORDERS, PLANES, ellipsoid, oblique_affine

from medsegan.geometry import Grid
from medsegan.imaging import Volume, read_volume
from medsegan.slices import cut_label, prepare_scan


def textured_trunk(angles_deg):
    """An MR-like body of 260 x 190 mm with texture, asymmetric along every axis."""
    grid = Grid((37, 61, 17), oblique_affine((8.1, 4.3, 7.7), angles_deg, (-150, -90, 40)))
    rng = np.random.default_rng(5)
    array = rng.rayleigh(4.0, grid.shape)
    body = ellipsoid(grid.shape, (19, 27, 8), (16, 22, 30))
    array[body] += rng.uniform(150, 900, body.sum())
    return array.astype(np.float32), grid


@pytest.mark.parametrize("plane", PLANES)
@pytest.mark.parametrize("angles_deg", [(0, 0, 0), (14, -9, 21)])
def test_slices_do_not_depend_on_the_order_of_axes(plane, angles_deg):
    array, grid = textured_trunk(angles_deg)
    labels = np.clip(array // 250, 0, 3).astype(np.uint8)
    first = prepare_scan(Volume(array, grid), "mr", plane, 48)
    first_labels = cut_label(labels, first.frame, 4)
    assert first.images.std() > 100
    assert len(np.unique(first_labels)) == 4
    for order in ALL_ORDERS:
        # A new array in the memory order of its own axes, as if it had been read from a file.
        turned = Volume(np.array(order.apply(array), order="C"), order.grid(grid))
        prepared = prepare_scan(turned, "mr", plane, 48)
        assert np.array_equal(prepared.images, first.images)
        assert np.array_equal(cut_label(order.apply(labels), prepared.frame, 4), first_labels)
        stack, expected = prepared.frame.stack_grid, first.frame.stack_grid
        assert np.allclose(stack.world_from_voxel, expected.world_from_voxel, atol=1e-9)


def test_mirrored_anatomy_is_not_the_same_slice():
    """The proof that the test above can fail: a flip of the data without its affine changes the slices."""
    array, grid = textured_trunk((0, 0, 0))
    there = prepare_scan(Volume(array, grid), "mr", "axial", 48)
    mirrored = prepare_scan(Volume(array[::-1].copy(), grid), "mr", "axial", 48)
    assert not np.array_equal(there.images, mirrored.images)


@pytest.mark.parametrize("plane", PLANES)
def test_real_files_in_48_orders_give_identical_slices(real_scans, plane):
    files = sorted(real_scans("awkward/nifti_48_orientations").glob("*.nii.gz"))
    assert len(files) == 48
    stacks = [prepare_scan(read_volume(file), "mr", plane, 64) for file in files]
    assert stacks[0].images.std() > 50
    different = [
        file.name
        for file, stack in zip(files, stacks, strict=True)
        if not np.array_equal(stack.images, stacks[0].images)
    ]
    assert different == []
