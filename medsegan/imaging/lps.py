"""The world of DICOM and ITK against ours."""

import numpy as np
import numpy.typing as npt

RAS_FROM_LPS: npt.NDArray[np.float64] = np.diag([-1.0, -1.0, 1.0, 1.0])
"""(4, 4) from left-posterior-superior mm (DICOM PS3.3, C.7.6.2.1.1) to RAS+ mm; its own inverse."""
RAS_FROM_LPS.flags.writeable = False
