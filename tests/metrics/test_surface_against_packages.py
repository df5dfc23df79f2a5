"""Surface metrics against MONAI and surface-distance, where the definitions agree, on random lumps."""

import numpy as np
import pytest
import surface_distance
import torch
from monai import metrics as monai
from scipy import ndimage

from medsegan.metrics import compute_surface_distances

SPACING = (0.8, 1.1, 2.5)
TOLERANCE = 2.01  # no distance between voxels lies so near that rounding decides

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:surface_distance.*")


@pytest.fixture(scope="module", params=range(4))
def lumps(request):
    """(prediction, reference): smooth noise above a threshold; the prediction is other noise added to it."""
    rng = np.random.default_rng(request.param)
    reference, change = (ndimage.gaussian_filter(rng.standard_normal((40, 36, 18)), 3) for _ in range(2))
    reference /= reference.std()
    return reference + 0.5 * change / change.std() > 0.8, reference > 0.8


def one_hot(mask):
    return torch.from_numpy(np.stack([~mask, mask]))[None]


def test_voxels_as_monai(lumps):
    ours = compute_surface_distances(*lumps, SPACING)
    batches = [one_hot(mask) for mask in lumps]
    for percent, mine in ((95, ours.hd95_mm), (None, ours.hd100_mm)):
        theirs = monai.compute_hausdorff_distance(*batches, percentile=percent, spacing=SPACING)
        assert mine == pytest.approx(theirs.item(), rel=1e-5)
    theirs = monai.compute_average_surface_distance(*batches, symmetric=True, spacing=SPACING)
    assert ours.assd_mm == pytest.approx(theirs.item(), rel=1e-5)
    theirs = monai.compute_surface_dice(*batches, class_thresholds=[TOLERANCE], spacing=SPACING)
    assert ours.nsd_voxel(TOLERANCE) == pytest.approx(theirs.item(), rel=1e-5)


def test_areas_as_surface_distance(lumps):
    ours = compute_surface_distances(*lumps, SPACING, surfels=True)
    theirs = surface_distance.compute_surface_distances(lumps[1], lumps[0], SPACING)
    expected = surface_distance.compute_surface_dice_at_tolerance(theirs, TOLERANCE)
    assert ours.nsd(TOLERANCE) == pytest.approx(expected, rel=1e-12)
    for percent in (50, 95, 100):
        expected = surface_distance.compute_robust_hausdorff(theirs, percent)
        assert ours.hd_by_area_mm(percent) == pytest.approx(expected, rel=1e-12)
    to_prediction, to_reference = surface_distance.compute_average_surface_distance(theirs)
    assert ours.means_by_area_mm() == pytest.approx((to_reference, to_prediction), rel=1e-12)
