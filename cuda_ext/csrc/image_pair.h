// What the operators on an image and a target of the same shape demand.
#pragma once

#include "check.h"

namespace medsegan {

inline void require_alike(const Tensor& x, const Tensor& target) {
  STD_TORCH_CHECK(x.dim() == 4 && target.dim() == 4, "expected images [N, C, H, W], got ", x.dim(), " and ",
                  target.dim(), " dimensions");
  STD_TORCH_CHECK(x.scalar_type() == target.scalar_type(), "image and target differ in dtype");
  STD_TORCH_CHECK(x.device() == target.device(), "image and target lie on different devices");
  for (int64_t dim = 0; dim < 4; ++dim) {
    STD_TORCH_CHECK(x.size(dim) == target.size(dim), "image and target differ in dimension ", dim, ": ", x.size(dim),
                    " and ", target.size(dim));
  }
}

inline Tensor require_gradient(const Tensor& gradient, const Tensor& x) {
  STD_TORCH_CHECK(gradient.dim() == 1 && gradient.size(0) == x.size(0), "the gradient must be [", x.size(0),
                  "], one value an image");
  STD_TORCH_CHECK(gradient.scalar_type() == x.scalar_type(), "gradient and image differ in dtype");
  STD_TORCH_CHECK(gradient.device() == x.device(), "gradient and image lie on different devices");
  return torch::stable::contiguous(gradient);
}

// Runs a lambda in which scalar_t is the type of the elements of x.
#define MEDSEGAN_FLOATING(x, name, ...) \
  THO_DISPATCH_V2((x).scalar_type(), name, AT_WRAP(__VA_ARGS__), AT_EXPAND(AT_FLOATING_TYPES), \
                  torch::headeronly::ScalarType::Half, torch::headeronly::ScalarType::BFloat16)

}  // namespace medsegan
