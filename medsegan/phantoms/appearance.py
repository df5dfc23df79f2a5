"""What the tissues look like in CT and in MR: the two contrast tables and the noise of each scanner."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from .implicit import Field, Vector, smooth_noise
from .tissues import Tissue

Appearance = Literal["ct", "mr"]


@dataclass(frozen=True)
class TissueRow:
    """Intensities of one tissue.

    Args:
        ct: mean in CT, HU.
        ct_sd: deviation of that mean from patient to patient.
        mr: mean in MR before the scanner's own scale, about 0..1000.
        mr_sd: deviation of that mean from patient to patient.
        texture: deviation of the correlated texture within the tissue, as a share of `TEXTURE_CT` or `TEXTURE_MR`.
    """

    ct: float
    ct_sd: float
    mr: float
    mr_sd: float
    texture: float = 1.0


# CT as in the portal venous phase, when most abdomens are scanned; MR as in a fat-bright T2.
TABLE: dict[Tissue, TissueRow] = {
    Tissue.AIR: TissueRow(-1000, 0, 0, 0, 0.0),
    Tissue.SKIN_FAT: TissueRow(-105, 6, 860, 50, 0.6),
    Tissue.VISCERAL_FAT: TissueRow(-98, 6, 790, 50, 1.0),
    Tissue.MUSCLE: TissueRow(58, 6, 150, 20, 0.9),
    Tissue.BONE: TissueRow(420, 60, 60, 15, 0.8),
    Tissue.SPINE: TissueRow(190, 30, 390, 60, 1.6),
    Tissue.CORD: TissueRow(32, 5, 620, 60, 0.6),
    Tissue.LIVER: TissueRow(98, 11, 265, 35, 0.9),
    Tissue.SPLEEN: TissueRow(112, 12, 500, 55, 0.9),
    Tissue.KIDNEY: TissueRow(160, 18, 560, 50, 0.9),
    Tissue.MEDULLA: TissueRow(140, 18, 640, 50, 0.9),
    Tissue.STOMACH_WALL: TissueRow(66, 9, 230, 40, 1.0),
    Tissue.STOMACH_CONTENT: TissueRow(44, 18, 430, 110, 1.8),
    Tissue.VESSEL: TissueRow(146, 18, 70, 20, 0.5),
    Tissue.LIVER_VESSEL: TissueRow(128, 14, 130, 40, 0.5),
    Tissue.BOWEL: TissueRow(52, 14, 400, 80, 2.0),
    Tissue.GAS: TissueRow(-850, 60, 10, 4, 0.3),
    Tissue.FLUID: TissueRow(8, 5, 960, 60, 0.5),
    Tissue.LUNG: TissueRow(-820, 40, 25, 8, 1.5),
    Tissue.LESION: TissueRow(58, 12, 480, 60, 1.2),
    Tissue.PANCREAS: TissueRow(82, 10, 330, 50, 1.6),
    Tissue.COUCH: TissueRow(-350, 120, 0, 0, 0.5),
}

TEXTURE_CT = 9.0
TEXTURE_MR = 38.0
TEXTURE_KNOT_MM = (7.0, 18.0)
"""Size of fine and coarse texture."""

CT_NOISE_SD = (17.0, 28.0)
"""Range of the noise deviation of a CT case, HU."""

CT_NOISE_BLUR = 0.6
"""Correlation of CT noise within a slice, voxels."""

CT_CUPPING_SD = 4.0
MR_NOISE_SD = (28.0, 50.0)
"""Range of the Gaussian deviation in each channel of a complex MR signal, on the table's scale."""

MR_BIAS_SD = 0.22
MR_BIAS_KNOT_MM = 150.0
MR_SCALE = (0.5, 2.2)
"""Range of the arbitrary scale of an MR case."""

POINT_SPREAD = (0.55, 0.55, 0.40)
"""Blur of the noise-free image along I, J, K in voxels: the partial volume of both scanners."""


def contrast(appearance: Appearance) -> dict[Tissue, float]:
    """Mean intensity of every tissue in this appearance."""
    return {tissue: row.ct if appearance == "ct" else row.mr for tissue, row in TABLE.items()}


def render(
    tissue: npt.NDArray[np.uint8], appearance: Appearance, spacing_mm: Vector, rng: np.random.Generator
) -> npt.NDArray[np.int16]:
    """(I, J, K) int16 scan of a tissue map: HU for CT, arbitrary units >= 0 for MR.

    Args:
        tissue: (I, J, K) codes of `Tissue`, third axis along the slices.
        appearance: which table and which scanner.
        spacing_mm: voxel spacing along I, J, K.
        rng: source of the case's own intensities, its texture and noise.
    """
    clean = _clean_image(tissue, appearance, spacing_mm, rng)
    scan = _scan_ct if appearance == "ct" else _scan_mr
    image = scan(clean, spacing_mm, rng)
    return np.rint(image, out=image).astype(np.int16)


def _clean_image(
    tissue: npt.NDArray[np.uint8], appearance: Appearance, spacing_mm: Vector, rng: np.random.Generator
) -> Field:
    """Means of this case with texture and partial volume, without noise."""
    ct = appearance == "ct"
    means = np.zeros(len(Tissue), dtype=np.float32)
    textures = np.zeros(len(Tissue), dtype=np.float32)
    for code, row in TABLE.items():
        drawn = float(np.clip(rng.standard_normal(), -2.2, 2.2))
        means[code] = row.ct + row.ct_sd * drawn if ct else max(row.mr + row.mr_sd * drawn, 0.0)
        textures[code] = row.texture * (TEXTURE_CT if ct else TEXTURE_MR)
    shape = (tissue.shape[0], tissue.shape[1], tissue.shape[2])
    fine, coarse = (smooth_noise(rng, shape, knot_mm, spacing_mm) for knot_mm in TEXTURE_KNOT_MM)
    fine += coarse
    fine *= textures[tissue] * np.float32(0.7071)
    fine += means[tissue]
    return np.asarray(ndimage.gaussian_filter(fine, POINT_SPREAD, truncate=2.5), dtype=np.float32)


def _scan_ct(clean: Field, spacing_mm: Vector, rng: np.random.Generator) -> Field:
    """Add correlated noise and cupping; nothing is below air, as in a real scanner's range."""
    noise = rng.standard_normal(clean.shape, dtype=np.float32)
    noise = ndimage.gaussian_filter(noise, (CT_NOISE_BLUR, CT_NOISE_BLUR, 0), truncate=2.5)
    noise *= np.float32(rng.uniform(*CT_NOISE_SD) / noise.std())
    i, j, k = clean.shape
    noise += np.float32(CT_CUPPING_SD) * smooth_noise(rng, (i, j, k), 90.0, spacing_mm)
    noise += clean
    return np.clip(noise, -1024, 3071, out=noise)


def _scan_mr(clean: Field, spacing_mm: Vector, rng: np.random.Generator) -> Field:
    """Multiply a smooth coil profile and take the magnitude of a noisy complex signal (Rician), at any scale."""
    i, j, k = clean.shape
    bias = np.exp(np.float32(MR_BIAS_SD) * smooth_noise(rng, (i, j, k), MR_BIAS_KNOT_MM, spacing_mm))
    deviation = np.float32(rng.uniform(*MR_NOISE_SD))
    real, imaginary = (deviation * rng.standard_normal(clean.shape, dtype=np.float32) for _ in range(2))
    real += bias * clean
    return np.hypot(real, imaginary) * np.float32(rng.uniform(*MR_SCALE))
