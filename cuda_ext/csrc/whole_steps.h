// Spacings as multiples of a unit: then squared distances are whole numbers, and their sums exact.
#pragma once

#include <cmath>
#include <cstdint>
#include <limits>

namespace medsegan {

struct Steps {
  double steps[3];  // along each axis, in units
  double unit;      // mm
  double diagonal;  // squared, in units: no squared distance between two voxels is larger
  bool whole;       // all steps are whole numbers
};

// The unit is the smallest spacing if all others are multiples of it, else 1 mm. Axes of one voxel do not matter.
inline Steps whole_steps(const int64_t shape[3], const double spacing[3]) {
  double unit = std::numeric_limits<double>::infinity();
  for (int axis = 0; axis < 3; ++axis) {
    if (shape[axis] > 1 && spacing[axis] < unit) unit = spacing[axis];
  }
  bool whole = true;
  for (int axis = 0; axis < 3; ++axis) {
    whole = whole && (shape[axis] <= 1 || std::round(spacing[axis] / unit) * unit == spacing[axis]);
  }
  Steps result{{0, 0, 0}, whole && !std::isinf(unit) ? unit : 1, 0, whole};
  for (int axis = 0; axis < 3; ++axis) {
    if (shape[axis] <= 1) continue;
    result.steps[axis] = whole ? std::round(spacing[axis] / unit) : spacing[axis];
    const double extent = result.steps[axis] * static_cast<double>(shape[axis] - 1);
    result.diagonal += extent * extent;
  }
  return result;
}

}  // namespace medsegan
