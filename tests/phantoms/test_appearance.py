"""MR shows the same tissues in another order, under a bias field and Rician noise; CT is in Hounsfield units."""

import numpy as np
import pytest
from scipy import stats

from medsegan.phantoms import Tissue, contrast
from medsegan.phantoms.appearance import CT_NOISE_SD, TABLE, Appearance, render

SPACING = (2.2, 2.2, 7.0)
ORGANS = (Tissue.LIVER, Tissue.SPLEEN, Tissue.KIDNEY)


def block(tissue: Tissue, appearance: Appearance, seed: int = 0) -> np.ndarray:
    codes = np.full((70, 70, 20), tissue, dtype=np.uint8)
    return render(codes, appearance, SPACING, np.random.default_rng(seed))


def test_every_tissue_has_a_row() -> None:
    assert set(TABLE) == set(Tissue)


def test_no_monotone_curve_turns_ct_into_mr() -> None:
    ct, mr = contrast("ct"), contrast("mr")
    soft = [code for code in Tissue if -200 < ct[code] < 200]
    rank = stats.spearmanr([ct[code] for code in soft], [mr[code] for code in soft]).statistic
    assert abs(rank) < 0.6
    assert ct[Tissue.SKIN_FAT] < ct[Tissue.STOMACH_CONTENT] < ct[Tissue.LIVER] < ct[Tissue.VESSEL]
    assert mr[Tissue.VESSEL] < mr[Tissue.LIVER] < mr[Tissue.STOMACH_CONTENT] < mr[Tissue.SKIN_FAT]


def test_neighbours_in_ct_differ_by_about_the_deviation_of_the_noise() -> None:
    ct = contrast("ct")
    neighbours = [ct[code] for code in (Tissue.LIVER, Tissue.SPLEEN, Tissue.STOMACH_WALL, Tissue.MUSCLE)]
    assert np.ptp(neighbours) < 2 * CT_NOISE_SD[1]
    assert abs(ct[Tissue.LIVER] - ct[Tissue.SPLEEN]) < CT_NOISE_SD[0]


@pytest.mark.parametrize("tissue", ORGANS)
def test_ct_is_hounsfield_units_around_the_table(tissue: Tissue) -> None:
    row = TABLE[tissue]
    image = block(tissue, "ct")
    assert image.dtype == np.int16
    assert abs(image.mean() - row.ct) < 2.5 * row.ct_sd + 5.0
    assert 0.8 * CT_NOISE_SD[0] < image.std() < 1.4 * CT_NOISE_SD[1]


def test_air_in_ct_is_air_and_never_below_the_range() -> None:
    air = block(Tissue.AIR, "ct")
    assert air.min() >= -1024
    assert np.median(air) < -950


def test_air_in_mr_is_rayleigh_distributed_and_never_negative() -> None:
    air = block(Tissue.AIR, "mr").astype(float)
    assert air.min() >= 0
    assert air.mean() / air.std() == pytest.approx(np.sqrt(np.pi / (4 - np.pi)), rel=0.05)


def test_mr_has_a_smooth_bias_field_and_ct_has_none_worth_the_name() -> None:
    spread = {}
    for appearance in ("ct", "mr"):
        ratios = []
        for seed in range(6):
            image = block(Tissue.SKIN_FAT, appearance, seed).astype(float)
            blocks = image.reshape(5, 14, 5, 14, 2, 10).mean(axis=(1, 3, 5))
            ratios.append(blocks.std() / abs(blocks.mean()))
        spread[appearance] = np.mean(ratios)
    assert spread["mr"] > 0.06
    assert spread["mr"] > 1.5 * spread["ct"]


def test_the_scale_of_mr_is_arbitrary() -> None:
    means = [block(Tissue.SKIN_FAT, "mr", seed).mean() for seed in range(12)]
    assert max(means) > 1.6 * min(means)
