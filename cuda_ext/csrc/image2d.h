// Images that are doubled or halved: their sizes, their edges and the four taps, the same for every device.
#pragma once

#include "check.h"

#include <array>
#include <cstdint>

namespace medsegan {

// What lies beyond the edge of an image: its last pixel, or nothing.
enum class Edge { replicate, zero };

// Both memory orders are one: rows of pixels of `channels` values, where a plane of NCHW has pixels of one value.
struct Planes {
  int64_t count, height, width, channels;
};

inline Planes planes_of(const Dense& x) {
  STD_TORCH_CHECK(x.tensor.dim() == 4, "expected a tensor [N, C, H, W], got ", x.tensor.dim(), " dimensions");
  const int64_t height = x.tensor.size(2), width = x.tensor.size(3);
  if (x.channels_last) return {x.tensor.size(0), height, width, x.channels};
  return {x.outer * x.channels, height, width, 1};
}

// An uninitialised [N, C, height, width] in the memory order of x.
inline Tensor empty_image(const Dense& x, int64_t height, int64_t width) {
  using torch::headeronly::MemoryFormat;
  const std::array<int64_t, 4> size{x.tensor.size(0), x.tensor.size(1), height, width};
  return torch::stable::empty(size, x.tensor.scalar_type(), std::nullopt, x.tensor.device(), std::nullopt,
                              x.channels_last ? MemoryFormat::ChannelsLast : MemoryFormat::Contiguous);
}

// The planes of half the size.
inline Planes half_of(const Planes& x) {
  STD_TORCH_CHECK(x.height % 2 == 0 && x.width % 2 == 0, "only even sizes can be halved, got ", x.height, " x ",
                  x.width);
  return {x.count, x.height / 2, x.width / 2, x.channels};
}

// out[o] = sum of taps[k] * padded[o + k], taps in the order of correlation; `y` also carries the gain.
template <typename A>
struct Taps {
  A y[4], x[4];
};

// [1, 3, 3, 1] along both axes. The weights of an axis sum to 2 when doubling (1 for every second pixel), to 1 when
// halving.
template <typename A>
Taps<A> binomial(double sum, double gain) {
  Taps<A> taps;
  for (int k = 0; k < 4; ++k) {
    const double weight = (k == 0 || k == 3 ? 1 : 3) * sum / 8;
    taps.x[k] = static_cast<A>(weight);
    taps.y[k] = static_cast<A>(weight * gain);
  }
  return taps;
}

}  // namespace medsegan
