// Checks of tensors, with messages that are sentences.
#pragma once

#include <torch/csrc/stable/library.h>
#include <torch/csrc/stable/ops.h>
#include <torch/csrc/stable/tensor.h>
#include <torch/headeronly/core/Dispatch_v2.h>
#include <torch/headeronly/core/ScalarType.h>
#include <torch/headeronly/util/Exception.h>

#include <cstdint>
#include <initializer_list>
#include <type_traits>

namespace medsegan {

using torch::stable::Tensor;

// Half and bfloat16 are only a way of storing: arithmetic is done in float, and in double for double.
template <typename T>
using Accumulate = std::conditional_t<std::is_same_v<T, double>, double, float>;

// A feature map as [outer, channels, inner]: NCHW has inner = H*W; channels-last and [N, C] have inner = 1.
struct Dense {
  Tensor tensor;
  int64_t outer, channels, inner;
  bool channels_last;
};

inline bool is_channels_last(const Tensor& x) {
  if (x.dim() != 4) return false;
  int64_t expected = 1;
  for (int64_t dim : {1, 3, 2, 0}) {
    if (x.size(dim) != 1 && x.stride(dim) != expected) return false;
    expected *= x.size(dim);
  }
  return true;
}

// The tensor itself where it is contiguous or channels-last, else a contiguous copy.
inline Dense as_dense(const Tensor& x) {
  STD_TORCH_CHECK(x.dim() >= 2, "expected a tensor [N, C, ...], got ", x.dim(), " dimensions");
  const int64_t channels = x.size(1);
  if (!x.is_contiguous() && is_channels_last(x)) {
    return {x, channels ? x.numel() / channels : 0, channels, 1, true};
  }
  const Tensor dense = x.is_contiguous() ? x : torch::stable::contiguous(x);
  int64_t inner = 1;
  for (int64_t dim = 2; dim < x.dim(); ++dim) inner *= x.size(dim);
  return {dense, x.size(0), channels, inner, false};
}

// A companion of x (a gradient, a saved output) in the memory order that x has.
inline Tensor in_the_order_of(const Dense& x, const Tensor& other) {
  STD_TORCH_CHECK(other.scalar_type() == x.tensor.scalar_type(), "tensors of one operator differ in dtype");
  STD_TORCH_CHECK(other.device() == x.tensor.device(), "tensors of one operator are on different devices");
  STD_TORCH_CHECK(other.dim() == x.tensor.dim(), "tensors of one operator differ in their number of dimensions");
  for (int64_t dim = 0; dim < other.dim(); ++dim) {
    STD_TORCH_CHECK(other.size(dim) == x.tensor.size(dim), "tensors of one operator differ in dimension ", dim, ": ",
                    x.tensor.size(dim), " and ", other.size(dim));
  }
  if (x.channels_last ? is_channels_last(other) : other.is_contiguous()) return other;
  Tensor same = torch::stable::empty_like(x.tensor);
  torch::stable::copy_(same, other);
  return same;
}

template <typename T>
T* data(const Tensor& x) {
  return static_cast<T*>(x.data_ptr());
}

// Calls work.operator()<T>() with the C++ type of the values of x.
template <typename F>
void with_type_of(const Tensor& x, const char* op, const F& work) {
  using torch::headeronly::ScalarType;
  switch (x.scalar_type()) {
    case ScalarType::Float: return work.template operator()<float>();
    case ScalarType::Double: return work.template operator()<double>();
    case ScalarType::Half: return work.template operator()<torch::headeronly::Half>();
    case ScalarType::BFloat16: return work.template operator()<torch::headeronly::BFloat16>();
    default:
      STD_TORCH_CHECK(false, op, " works on float32, float64, float16 and bfloat16, got ",
                      torch::headeronly::toString(x.scalar_type()));
  }
}

// A small companion of a feature map (a bias, a scale): checked, contiguous.
inline Tensor small_companion(const Dense& x, const Tensor& small, const char* name,
                              std::initializer_list<int64_t> sizes) {
  bool same = small.dim() == static_cast<int64_t>(sizes.size());
  int64_t dim = 0;
  for (int64_t size : sizes) {
    same = same && small.size(dim) == size;
    ++dim;
  }
  STD_TORCH_CHECK(same, name, " does not go with features of ", x.channels, " channels: one value each is expected");
  STD_TORCH_CHECK(small.scalar_type() == x.tensor.scalar_type(), name, " and features differ in dtype");
  STD_TORCH_CHECK(small.device() == x.tensor.device(), name, " and features are on different devices");
  return torch::stable::contiguous(small);
}

}  // namespace medsegan
