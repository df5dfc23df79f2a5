// Leaky ReLU with gain and clamp, for one value, on the host and on the device.
#pragma once

#include <limits>
#include <optional>

#ifdef __CUDACC__
#define MEDSEGAN_EVERYWHERE __host__ __device__ __forceinline__
#else
#define MEDSEGAN_EVERYWHERE inline __attribute__((always_inline))
#endif

namespace medsegan {

// What the activation makes of its input, and its derivative there, told from what came out.
template <typename A>
struct Activation {
  A steep, flat, slope, limit;  // without a clamp the limit is NaN, which nothing exceeds

  MEDSEGAN_EVERYWHERE A value(A u) const {
    const A y = (u > 0 ? u : u * slope) * steep;
    return y > limit ? limit : (y < -limit ? -limit : y);  // NaN passes
  }

  MEDSEGAN_EVERYWHERE A factor(A y) const {
    const A rise = y > 0 ? steep : flat;
    return y >= limit || y <= -limit ? A(0) : rise;
  }
};

// The activation for values that are computed as A and stored as T: the limit must be a value that T can hold, or a
// clamped value would not be known again.
template <typename T, typename A>
Activation<A> activation(double slope, double gain, std::optional<double> clamp) {
  const A limit = clamp ? static_cast<A>(static_cast<T>(*clamp)) : std::numeric_limits<A>::quiet_NaN();
  return {static_cast<A>(gain), static_cast<A>(gain * slope), static_cast<A>(slope), limit};
}

}  // namespace medsegan
