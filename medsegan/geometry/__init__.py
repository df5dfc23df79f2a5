"""Places in the patient: the only code that flips, permutes or resamples."""

from .compare import GridAgreement, compare_grids
from .grid import Grid
from .orientation import Reorientation, axis_codes, reorientation_to
from .resample import resample_axis, resample_slices
from .right_angles import Shear, shear_of, straight_grid
from .sampling import Sampling

__all__ = [
    "Grid",
    "GridAgreement",
    "Reorientation",
    "Sampling",
    "Shear",
    "axis_codes",
    "compare_grids",
    "reorientation_to",
    "resample_axis",
    "resample_slices",
    "shear_of",
    "straight_grid",
]
