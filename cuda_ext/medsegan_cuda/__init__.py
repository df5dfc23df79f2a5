"""Compiled kernels of medsegan, in three libraries that `medsegan` finds and loads by itself.

`voxels` needs neither torch nor Python and works on numpy arrays; `cpu` and `cuda` add kernels to the operators
that `medsegan.ops` registers with torch. This package holds the libraries and says what they are; it runs nothing.
"""

from .build_record import INTERFACE, LIBRARIES, BuildRecord, library_path, read_record

__version__ = "0.1.0.dev0"

__all__ = ["INTERFACE", "LIBRARIES", "BuildRecord", "__version__", "library_path", "read_record"]
