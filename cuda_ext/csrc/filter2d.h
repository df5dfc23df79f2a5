// The arguments of upfirdn2d, checked: the same for every device.
#pragma once

#include "check.h"

#include <algorithm>
#include <cstdint>
#include <vector>

namespace medsegan {

struct Filter2d {
  bool separable;  // one row of taps, for both axes
  int64_t taps_y, taps_x, up_y, up_x, down_y, down_x, top, bottom, left, right;
  double gain;

  // floor((in * up + padding - taps) / down) + 1, and nothing where the filter does not fit.
  static int64_t size(int64_t in, int64_t up, int64_t down, int64_t padding, int64_t taps) {
    const int64_t room = in * up + padding - taps;
    return room < 0 ? 0 : room / down + 1;
  }
  int64_t size_y(int64_t in) const { return size(in, up_y, down_y, top + bottom, taps_y); }
  int64_t size_x(int64_t in) const { return size(in, up_x, down_x, left + right, taps_x); }

  bool with_four_taps(int64_t up, int64_t down, int64_t before) const {
    return separable && taps_x == 4 && up_y == up && up_x == up && down_y == down && down_x == down &&
           top == before && left == before;
  }
  // Exactly twice, or half, the size of the image: each output has its four taps around it.
  bool doubles(int64_t height, int64_t width) const {
    return with_four_taps(2, 1, 2) && size_y(height) == 2 * height && size_x(width) == 2 * width;
  }
  bool halves(int64_t height, int64_t width) const {
    return with_four_taps(1, 2, 1) && 2 * size_y(height) == height && 2 * size_x(width) == width;
  }
};

inline Filter2d make_filter2d(const Tensor& x, const Tensor& kernel, const std::vector<int64_t>& up,
                              const std::vector<int64_t>& down, const std::vector<int64_t>& padding, double gain) {
  STD_TORCH_CHECK(x.dim() == 4, "upfirdn2d: expected images [N, C, H, W], got ", x.dim(), " dimensions");
  STD_TORCH_CHECK((kernel.dim() == 1 || kernel.dim() == 2) && kernel.numel() > 0,
                  "upfirdn2d: expected a filter of one or two dimensions that is not empty, got ", kernel.dim(),
                  " dimensions and ", kernel.numel(), " taps");
  STD_TORCH_CHECK(kernel.device() == x.device(), "upfirdn2d: filter and images are on different devices");
  STD_TORCH_CHECK(up.size() == 2 && down.size() == 2 && padding.size() == 4,
                  "upfirdn2d: expected two factors up, two down and four paddings, got ", up.size(), ", ", down.size(),
                  " and ", padding.size());
  STD_TORCH_CHECK(std::min({up[0], up[1], down[0], down[1]}) >= 1, "upfirdn2d: factors must be 1 or more");
  const bool separable = kernel.dim() == 1;
  return {separable, kernel.size(0), kernel.size(separable ? 0 : 1), up[0], up[1], down[0], down[1],
          padding[0], padding[1], padding[2], padding[3], gain};
}

// The taps in the type in which images like x are summed, contiguous.
inline Tensor taps_like(const Tensor& x, const Tensor& kernel) {
  using torch::headeronly::ScalarType;
  const ScalarType wanted = x.scalar_type() == ScalarType::Double ? ScalarType::Double : ScalarType::Float;
  return torch::stable::contiguous(kernel.scalar_type() == wanted ? kernel : torch::stable::to(kernel, wanted));
}

}  // namespace medsegan
