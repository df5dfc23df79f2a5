// Scale, noise, bias and activation in one pass; and its two derivatives. See medsegan/ops/modulate_noise_act.py.
#include "../activation.h"
#include "../modulation.h"
#include "sweep.cuh"

#include <optional>
#include <tuple>

namespace medsegan {
namespace {

// out = activation of x * scale + noise + bias
template <typename T, bool kLast>
struct Forward {
  static constexpr int kSums = 0;
  static constexpr bool kPlaces = false;
  const T *x, *scale, *noise, *bias;
  T* out;
  Activation<Accumulate<T>> act;

  template <typename A, int V>
  __device__ __forceinline__ void operator()(const Where& where, A (&)[2][V]) const {
    A values[V], s[V], n[V], b[V];
    load(x, where.at, values);
    load_small<kLast>(scale, where.channel_of_all, s);
    load_small<!kLast>(noise, where.place_of_all, n);
    load_small<kLast>(bias, where.channel, b);
#pragma unroll
    for (int j = 0; j < V; ++j) values[j] = act.value(values[j] * s[j] + n[j] + b[j]);
    store(values, out, where.at);
  }
};

// out = (dx * scale + x * dscale + dnoise + dbias) * derivative where y came out
template <typename T, bool kLast>
struct Push {
  static constexpr int kSums = 0;
  static constexpr bool kPlaces = false;
  const T *y, *x, *scale, *dx, *dscale, *dnoise, *dbias;
  T* out;
  Activation<Accumulate<T>> act;

  template <typename A, int V>
  __device__ __forceinline__ void operator()(const Where& where, A (&)[2][V]) const {
    A came[V], values[V], s[V], change[V], ds[V], n[V], b[V];
    load(y, where.at, came);
    load(x, where.at, values);
    load(dx, where.at, change);
    load_small<kLast>(scale, where.channel_of_all, s);
    load_small<kLast>(dscale, where.channel_of_all, ds);
    load_small<!kLast>(dnoise, where.place_of_all, n);
    load_small<kLast>(dbias, where.channel, b);
#pragma unroll
    for (int j = 0; j < V; ++j) {
      change[j] = (change[j] * s[j] + values[j] * ds[j] + n[j] + b[j]) * act.factor(came[j]);
    }
    store(change, out, where.at);
  }
};

// dx = gradient * derivative where y came out * scale; without the scale it is summed over channels (noise) and places
// (bias), times x over places (scale)
template <typename T, bool kLast>
struct Pull {
  static constexpr int kSums = 2;
  static constexpr bool kPlaces = true;
  const T *gradient, *y, *x, *scale;
  T* dx;
  Activation<Accumulate<T>> act;

  template <typename A, int V>
  __device__ __forceinline__ void operator()(const Where& where, A (&sums)[2][V]) const {
    A came[V], s[V];
    load(gradient, where.at, sums[0]);
    load(y, where.at, came);
    load(x, where.at, sums[1]);
    load_small<kLast>(scale, where.channel_of_all, s);
#pragma unroll
    for (int j = 0; j < V; ++j) {
      sums[0][j] *= act.factor(came[j]);
      sums[1][j] *= sums[0][j];
      came[j] = sums[0][j] * s[j];
    }
    store(came, dx, where.at);
  }
};

template <typename T>
const T* data_or_null(const std::optional<Tensor>& x) {
  return x ? data<T>(*x) : nullptr;
}

Tensor modulate_noise_act(const Tensor& x, const Tensor& scale, std::optional<Tensor> noise, const Tensor& bias,
                          double slope, double gain, std::optional<double> clamp) {
  const DeviceGuard guard(x);
  const Dense dense = as_dense(x);
  const Tensor factor = scale_of(dense, scale), shift = bias_of(dense, bias);
  const std::optional<Tensor> field = noise_of(dense, noise);
  Tensor out = torch::stable::empty_like(dense.tensor);
  if (out.numel() == 0) return out;
  with_type_of(x, "modulate_noise_act", [&]<typename T>() {
    const auto act = activation<T, Accumulate<T>>(slope, gain, clamp);
    const T *from = data<T>(dense.tensor), *s = data<T>(factor), *n = data_or_null<T>(field), *b = data<T>(shift);
    T* to = data<T>(out);
    const auto make = [&]<bool kLast>() { return Forward<T, kLast>{from, s, n, b, to, act}; };
    Sweep map(dense, x.size(0));
    sweep<T>(out, map, {from, s, n, b, to}, make, "modulate_noise_act");
  });
  return out;
}

Tensor modulate_noise_act_tangent(const Tensor& y, const Tensor& x, const Tensor& scale, const Tensor& dx,
                                  const Tensor& dscale, const Tensor& dnoise, const Tensor& dbias, double slope,
                                  double gain, std::optional<double> clamp) {
  const DeviceGuard guard(y);
  const Dense dense = as_dense(y);
  const Tensor features = in_the_order_of(dense, x), tangent = in_the_order_of(dense, dx);
  const Tensor factor = scale_of(dense, scale), change = scale_of(dense, dscale), shift = bias_of(dense, dbias);
  const std::optional<Tensor> field = noise_of(dense, dnoise);
  Tensor out = torch::stable::empty_like(dense.tensor);
  if (out.numel() == 0) return out;
  with_type_of(y, "modulate_noise_act_tangent", [&]<typename T>() {
    const auto act = activation<T, Accumulate<T>>(slope, gain, clamp);
    const T *came = data<T>(dense.tensor), *from = data<T>(features), *by = data<T>(tangent);
    const T *s = data<T>(factor), *ds = data<T>(change), *n = data_or_null<T>(field), *b = data<T>(shift);
    T* to = data<T>(out);
    const auto make = [&]<bool kLast>() { return Push<T, kLast>{came, from, s, by, ds, n, b, to, act}; };
    Sweep map(dense, y.size(0));
    sweep<T>(out, map, {came, from, s, by, ds, n, b, to}, make, "modulate_noise_act_tangent");
  });
  return out;
}

std::tuple<Tensor, Tensor, Tensor, Tensor> modulate_noise_act_grad(const Tensor& gradient, const Tensor& y,
                                                                   const Tensor& x, const Tensor& scale, double slope,
                                                                   double gain, std::optional<double> clamp) {
  const DeviceGuard guard(y);
  const Dense dense = as_dense(y);
  const Tensor g = in_the_order_of(dense, gradient), features = in_the_order_of(dense, x);
  const Tensor factor = scale_of(dense, scale);
  const int64_t samples = y.size(0), channels = dense.channels;
  Tensor dx = torch::stable::empty_like(dense.tensor);
  Tensor dscale = torch::stable::new_empty(dense.tensor, {samples, channels});
  Tensor dnoise = torch::stable::new_empty(dense.tensor, noise_sizes(dense));
  Tensor dbias = torch::stable::new_empty(dense.tensor, {channels});
  if (dx.numel() == 0) {
    return {dx, torch::stable::zero_(dscale), torch::stable::zero_(dnoise), torch::stable::zero_(dbias)};
  }
  with_type_of(y, "modulate_noise_act_grad", [&]<typename T>() {
    using A = Accumulate<T>;
    const auto act = activation<T, A>(slope, gain, clamp);
    const T *from = data<T>(g), *came = data<T>(dense.tensor), *was = data<T>(features), *s = data<T>(factor);
    T* to = data<T>(dx);
    const auto make = [&]<bool kLast>() { return Pull<T, kLast>{from, came, was, s, to, act}; };
    Sweep map(dense, samples);
    const Parts<A> sums = sweep<T>(dx, map, {from, came, was, s, to}, make, "modulate_noise_act_grad");
    const A *by_channel = data<A>(sums.by_channel), *by_place = data<A>(sums.by_place);
    const int64_t parts = map.parts_by_channel();
    sum_parts(dx, by_channel, 1, samples * parts, channels, 2 * channels, data<T>(dbias));
    sum_parts(dx, by_channel + channels, samples, parts, channels, 2 * channels, data<T>(dscale));
    sum_parts(dx, by_place, samples, map.parts_by_place(), map.places, map.places, data<T>(dnoise));
  });
  return {dx, dscale, dnoise, dbias};
}

}  // namespace

STABLE_TORCH_LIBRARY_IMPL(medsegan, CUDA, library) {
  library.impl("modulate_noise_act", TORCH_BOX(&modulate_noise_act));
  library.impl("modulate_noise_act_tangent", TORCH_BOX(&modulate_noise_act_tangent));
  library.impl("modulate_noise_act_grad", TORCH_BOX(&modulate_noise_act_grad));
}

}  // namespace medsegan
