"""Colours of classes, the same in every file that is written."""

import colorsys

_GOLDEN = 0.618033988749895


def class_colour(value: int) -> tuple[int, int, int]:
    """Red, green and blue, 0 to 255, of a class; neighbouring values get hues far apart.

    Args:
        value: of the class, from 1 on.
    """
    hue = (value * _GOLDEN) % 1.0
    red, green, blue = colorsys.hsv_to_rgb(hue, 0.65 if value % 2 else 0.9, 0.95 if value % 3 else 0.75)
    return round(255 * red), round(255 * green), round(255 * blue)
