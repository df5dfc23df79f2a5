"""CT, MR or X-ray, from what the file says or from the intensities."""

from dataclasses import dataclass

import numpy as np

from ..shapes import Array
from .volume import Modality, Outline, Volume

_MAX_SAMPLES = 2_000_000
_AIR_HU = -900.0
_SOFT_TISSUE_HU = (-20.0, 200.0)
_FAT_TO_SOFT_HU = (-200.0, 200.0)
_MAX_CT = 32767.0
_NAMES: dict[Modality, str] = {"ct": "CT", "mr": "MR", "xray": "X-ray"}


@dataclass(frozen=True)
class _Profile:
    """A few figures of the finite intensities."""

    low: float
    high: float
    at_low: float
    near_air: float
    soft_tissue: float
    fat_to_soft: float
    shifted_soft_tissue: float
    percentile_low: float
    percentile_high: float


def detect_modality(volume: Volume | Outline) -> tuple[Modality, str]:
    """The modality of a scan and the reason in words; "unknown" if neither the file nor the values tell.

    Values count as Hounsfield units if air (below -900, or a plateau at a negative minimum where the scan was
    clipped) lies beside soft tissue around 0 to 150; as MR if they begin at 0 without that structure.

    A picture, such as a PNG, says nothing: it counts as an X-ray.

    Args:
        volume: a scan; its own modality, when the file states one, is believed. An outline has nothing else.
    """
    if volume.modality != "unknown":
        return volume.modality, f"the file says {_NAMES[volume.modality]}"
    if isinstance(volume, Outline):
        return "unknown", "the file says nothing"
    if volume.is_picture:
        return "xray", "a picture without a header of its scanner is taken as an X-ray"
    profile = _profile(volume.array)
    if profile is None:
        return "unknown", "the image is constant"
    span = f"values from {profile.low:g} to {profile.high:g}"
    if (
        profile.low <= _AIR_HU
        and profile.near_air >= 0.001
        and profile.fat_to_soft >= 0.05
        and profile.high <= _MAX_CT
    ):
        share = f"{profile.near_air:.1%} air and {profile.fat_to_soft:.0%} fat and soft tissue"
        return "ct", f"{span} with {share} are Hounsfield units"
    if (
        -1100 <= profile.low <= -50
        and profile.at_low >= 0.01
        and profile.soft_tissue >= 0.05
        and profile.high >= 80
    ):
        share = f"{profile.at_low:.0%} of the voxels at the minimum and {profile.soft_tissue:.0%} soft tissue"
        return "ct", f"{span} with {share} are clipped Hounsfield units"
    if profile.low < 0 and profile.percentile_low < -0.05 * profile.percentile_high:
        return "unknown", f"{span} are neither Hounsfield units nor an MR that begins at 0"
    if profile.shifted_soft_tissue >= 0.6 and profile.high > 1500:
        share = f"{profile.shifted_soft_tissue:.0%} of the brighter voxels around 1024"
        return "unknown", f"{span} with {share} look like CT whose intercept of -1024 is missing"
    return "mr", f"{span} begin near 0 and have no structure of Hounsfield units"


def _profile(array: Array) -> _Profile | None:
    values = _samples(array)
    if values.size == 0 or values.min() == values.max():
        return None
    low, high = float(values.min()), float(values.max())
    brighter = values[values > 300]
    percentile_low, percentile_high = np.percentile(values, [0.5, 99.5])
    return _Profile(
        low=low,
        high=high,
        at_low=float((values == low).mean()),
        near_air=float((values <= _AIR_HU).mean()),
        soft_tissue=_share(values, _SOFT_TISSUE_HU),
        fat_to_soft=_share(values, _FAT_TO_SOFT_HU),
        shifted_soft_tissue=_share(brighter, (850.0, 1250.0)) if brighter.size else 0.0,
        percentile_low=float(percentile_low),
        percentile_high=float(percentile_high),
    )


def _samples(array: Array) -> Array:
    """Every n-th voxel, n odd so that it does not fall into step with the size of the matrix."""
    stride = max(1, array.size // _MAX_SAMPLES)
    # In the order of the memory, whichever axis is the fastest: any other order copies the whole.
    values = array.ravel(order="K")[:: stride + 1 - stride % 2].astype(np.float64)
    return values[np.isfinite(values)]


def _share(values: Array, band: tuple[float, float]) -> float:
    return float(((values >= band[0]) & (values <= band[1])).mean())
