// Bias, leaky ReLU, gain and clamp in one pass; and its two derivatives. See medsegan/ops/bias_act.py.
#include "../activation.h"
#include "sweep.cuh"

#include <optional>
#include <tuple>

namespace medsegan {
namespace {

// out = activation of x + bias
template <typename T, bool kLast>
struct Forward {
  static constexpr int kSums = 0;
  static constexpr bool kPlaces = false;
  const T *x, *bias;
  T* out;
  Activation<Accumulate<T>> act;

  template <typename A, int V>
  __device__ __forceinline__ void operator()(const Where& where, A (&)[2][V]) const {
    A values[V], b[V];
    load(x, where.at, values);
    load_small<kLast>(bias, where.channel, b);
#pragma unroll
    for (int j = 0; j < V; ++j) values[j] = act.value(values[j] + b[j]);
    store(values, out, where.at);
  }
};

// out = (tangent + bias) * derivative where y came out
template <typename T, bool kLast>
struct Push {
  static constexpr int kSums = 0;
  static constexpr bool kPlaces = false;
  const T *tangent, *bias, *y;
  T* out;
  Activation<Accumulate<T>> act;

  template <typename A, int V>
  __device__ __forceinline__ void operator()(const Where& where, A (&)[2][V]) const {
    A values[V], b[V], came[V];
    load(tangent, where.at, values);
    load(y, where.at, came);
    load_small<kLast>(bias, where.channel, b);
#pragma unroll
    for (int j = 0; j < V; ++j) values[j] = (values[j] + b[j]) * act.factor(came[j]);
    store(values, out, where.at);
  }
};

// dx = gradient * derivative where y came out, summed over places
template <typename T, bool kLast>
struct Pull {
  static constexpr int kSums = 1;
  static constexpr bool kPlaces = false;
  const T *gradient, *y;
  T* dx;
  Activation<Accumulate<T>> act;

  template <typename A, int V>
  __device__ __forceinline__ void operator()(const Where& where, A (&sums)[2][V]) const {
    A came[V];
    load(gradient, where.at, sums[0]);
    load(y, where.at, came);
#pragma unroll
    for (int j = 0; j < V; ++j) sums[0][j] *= act.factor(came[j]);
    store(sums[0], dx, where.at);
  }
};

Sweep sweep_of(const Dense& x) { return Sweep(x, x.inner == 1 ? 1 : x.outer); }

std::optional<Tensor> checked(const Dense& x, const std::optional<Tensor>& bias) {
  if (!bias) return std::nullopt;
  return small_companion(x, *bias, "bias", {x.channels});
}

Tensor bias_act(const Tensor& x, std::optional<Tensor> bias, double slope, double gain, std::optional<double> clamp) {
  const DeviceGuard guard(x);
  const Dense dense = as_dense(x);
  const std::optional<Tensor> b = checked(dense, bias);
  Tensor out = torch::stable::empty_like(dense.tensor);
  if (out.numel() == 0) return out;
  with_type_of(x, "bias_act", [&]<typename T>() {
    const auto act = activation<T, Accumulate<T>>(slope, gain, clamp);
    const T *from = data<T>(dense.tensor), *add = b ? data<T>(*b) : nullptr;
    T* to = data<T>(out);
    const auto make = [&]<bool kLast>() { return Forward<T, kLast>{from, add, to, act}; };
    Sweep map = sweep_of(dense);
    sweep<T>(out, map, {from, add, to}, make, "bias_act");
  });
  return out;
}

Tensor bias_act_tangent(const Tensor& tangent, std::optional<Tensor> bias, const Tensor& y, double slope, double gain,
                        std::optional<double> clamp) {
  const DeviceGuard guard(y);
  const Dense dense = as_dense(y);
  const Tensor t = in_the_order_of(dense, tangent);
  const std::optional<Tensor> b = checked(dense, bias);
  Tensor out = torch::stable::empty_like(dense.tensor);
  if (out.numel() == 0) return out;
  with_type_of(y, "bias_act_tangent", [&]<typename T>() {
    const auto act = activation<T, Accumulate<T>>(slope, gain, clamp);
    const T *from = data<T>(t), *came = data<T>(dense.tensor), *add = b ? data<T>(*b) : nullptr;
    T* to = data<T>(out);
    const auto make = [&]<bool kLast>() { return Push<T, kLast>{from, add, came, to, act}; };
    Sweep map = sweep_of(dense);
    sweep<T>(out, map, {from, came, add, to}, make, "bias_act_tangent");
  });
  return out;
}

std::tuple<Tensor, Tensor> bias_act_grad(const Tensor& gradient, const Tensor& y, double slope, double gain,
                                         std::optional<double> clamp) {
  const DeviceGuard guard(y);
  const Dense dense = as_dense(y);
  const Tensor g = in_the_order_of(dense, gradient);
  Tensor dx = torch::stable::empty_like(dense.tensor);
  Tensor dbias = torch::stable::new_empty(dense.tensor, {dense.channels});
  if (dx.numel() == 0) return {dx, torch::stable::zero_(dbias)};
  with_type_of(y, "bias_act_grad", [&]<typename T>() {
    using A = Accumulate<T>;
    const auto act = activation<T, A>(slope, gain, clamp);
    const T *from = data<T>(g), *came = data<T>(dense.tensor);
    T* to = data<T>(dx);
    const auto make = [&]<bool kLast>() { return Pull<T, kLast>{from, came, to, act}; };
    Sweep map = sweep_of(dense);
    const Parts<A> parts = sweep<T>(dx, map, {from, came, to}, make, "bias_act_grad");
    sum_parts(dx, data<A>(parts.by_channel), 1, map.samples * map.parts_by_channel(), map.channels, map.channels,
              data<T>(dbias));
  });
  return {dx, dbias};
}

}  // namespace

STABLE_TORCH_LIBRARY_IMPL(medsegan, CUDA, library) {
  library.impl("bias_act", TORCH_BOX(&bias_act));
  library.impl("bias_act_tangent", TORCH_BOX(&bias_act_tangent));
  library.impl("bias_act_grad", TORCH_BOX(&bias_act_grad));
}

}  // namespace medsegan
