"""The size of a pixel from the resolution that a picture file gives, where it can be believed."""

import math

from PIL import Image

MM_PER_INCH = 25.4
_UNIT, _INCH, _CENTIMETRE = 296, 2, 3
_UNASKED_DPI = (72, 96, 100, 120, 144, 150, 180, 200, 240, 300, 360, 400, 600, 1200)
"""What programs write of screens and printers, whatever the picture shows."""
_PIXEL_MM = (0.03, 2.0)
_PICTURE_MM = (30.0, 600.0)
_FALLBACK_MM = 1.0


def pixel_size_mm(image: Image.Image) -> tuple[tuple[float, float], str]:
    """The distance between columns and between rows in mm, and a note where it comes from.

    The file is believed if its resolution has a physical unit, is none that programs write unasked, and makes
    pixels of 0.03 to 2 mm and a picture of 30 to 600 mm; else a pixel is 1 mm.

    Args:
        image: opened PNG (chunk pHYs in metres) or TIFF (ResolutionUnit inch or centimetre).
    """
    dpi = _physical_dpi(image)
    if dpi is None:
        return _fallback("the file gives no physical size of its pixels")
    if any(abs(one - usual) < 0.5 for one in dpi for usual in _UNASKED_DPI):
        return _fallback(f"its resolution of {dpi[0]:.0f} dpi is one that programs write unasked")
    across, down = MM_PER_INCH / dpi[0], MM_PER_INCH / dpi[1]
    sides = (across * image.width, down * image.height)
    if not (_PIXEL_MM[0] <= min(across, down) and max(across, down) <= _PIXEL_MM[1]):
        return _fallback(f"its resolution would make pixels of {across:.3g} x {down:.3g} mm")
    if not (_PICTURE_MM[0] <= max(sides) <= _PICTURE_MM[1]):
        return _fallback(f"its resolution would make a picture of {sides[0]:.3g} x {sides[1]:.3g} mm")
    return (
        across,
        down,
    ), f"the size of a pixel follows from the file's resolution: {across:.4g} x {down:.4g} mm"


def _physical_dpi(image: Image.Image) -> tuple[float, float] | None:
    if image.format == "TIFF" and image.tag_v2.get(_UNIT) not in (_INCH, _CENTIMETRE):  # type: ignore[attr-defined]
        return None
    dpi = image.info.get("dpi")
    if dpi is None:
        return None
    across, down = float(dpi[0]), float(dpi[1])
    return (across, down) if min(across, down) > 0 and math.isfinite(across + down) else None


def _fallback(reason: str) -> tuple[tuple[float, float], str]:
    return (
        _FALLBACK_MM,
        _FALLBACK_MM,
    ), f"a pixel is taken as 1 mm, so lengths and volumes are in pixels: {reason}"
