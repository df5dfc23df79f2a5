"""Pictures for people: slices with contours, sheets of them, PNG files."""

from .colours import class_colours
from .contour import overlay
from .montage import montage
from .png import write_png

__all__ = ["class_colours", "montage", "overlay", "write_png"]
