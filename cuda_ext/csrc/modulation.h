// What goes with a feature map in modulate_noise_act, checked.
#pragma once

#include "check.h"

#include <optional>
#include <vector>

namespace medsegan {

inline std::vector<int64_t> noise_sizes(const Dense& x) {
  std::vector<int64_t> sizes(x.tensor.sizes().begin(), x.tensor.sizes().end());
  sizes[1] = 1;
  return sizes;
}

inline Tensor scale_of(const Dense& x, const Tensor& scale) {
  return small_companion(x, scale, "scale", {x.tensor.size(0), x.channels});
}

inline Tensor bias_of(const Dense& x, const Tensor& bias) { return small_companion(x, bias, "bias", {x.channels}); }

inline std::optional<Tensor> noise_of(const Dense& x, const std::optional<Tensor>& noise) {
  if (!noise) return std::nullopt;
  const std::vector<int64_t> sizes = noise_sizes(x);
  bool same = noise->dim() == x.tensor.dim();
  for (int64_t dim = 0; same && dim < noise->dim(); ++dim) same = noise->size(dim) == sizes[dim];
  STD_TORCH_CHECK(same, "noise must be [N, 1, ...], one value for each place of the features");
  STD_TORCH_CHECK(noise->scalar_type() == x.tensor.scalar_type(), "noise and features differ in dtype");
  STD_TORCH_CHECK(noise->device() == x.tensor.device(), "noise and features are on different devices");
  return torch::stable::contiguous(*noise);
}

}  // namespace medsegan
