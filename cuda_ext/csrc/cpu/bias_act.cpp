// Bias, leaky ReLU, gain and clamp in one pass; and its two derivatives. See medsegan/ops/bias_act.py.
#include "check.h"

#include <algorithm>
#include <limits>
#include <optional>
#include <tuple>
#include <vector>

namespace medsegan {
namespace {

constexpr int64_t kGrain = 16384;  // values that are worth a thread

// What the activation does to x + bias, and the factor of its derivative, told from the output.
template <typename A>
struct Activation {
  A slope, gain, limit;

  Activation(double slope_, double gain_, std::optional<double> clamp)
      : slope(static_cast<A>(slope_)),
        gain(static_cast<A>(gain_)),
        limit(clamp ? static_cast<A>(*clamp) : std::numeric_limits<A>::infinity()) {}

  A value(A x) const {
    const A y = (x > 0 ? x : x * slope) * gain;
    return y > limit ? limit : (y < -limit ? -limit : y);  // NaN passes
  }

  A factor(A y) const {
    const A steep = y > 0 ? gain : gain * slope;
    return (y < limit && y > -limit) || y != y ? steep : A(0);
  }
};

// Calls row(offset, length, channel) for every run of memory: `inner` values of one channel, or all channels of a place.
template <typename F>
void for_each_row(const Dense& x, const F& row) {
  const bool by_channel = x.inner > 1;
  const int64_t rows = by_channel ? x.outer * x.channels : x.outer;
  const int64_t length = by_channel ? x.inner : x.channels;
  if (rows == 0 || length == 0) return;
  torch::stable::parallel_for(0, rows, std::max<int64_t>(1, kGrain / length), [&](int64_t begin, int64_t end) {
    for (int64_t r = begin; r < end; ++r) row(r * length, length, by_channel ? r % x.channels : -1);
  });
}

// out[i] = f(a[i], bias of the channel of i, y[i])
template <typename T, typename F>
void map(const Dense& x, const T* a, const T* bias, const T* y, T* out, const F& f) {
  using A = Accumulate<T>;
  for_each_row(x, [&](int64_t offset, int64_t length, int64_t channel) {
    const T *a_row = a + offset, *y_row = y + offset;
    T* out_row = out + offset;
    if (channel >= 0) {
      const A b = bias ? static_cast<A>(bias[channel]) : A(0);
#pragma omp simd
      for (int64_t i = 0; i < length; ++i) out_row[i] = static_cast<T>(f(static_cast<A>(a_row[i]), b, static_cast<A>(y_row[i])));
    } else if (bias) {
#pragma omp simd
      for (int64_t i = 0; i < length; ++i) out_row[i] = static_cast<T>(f(static_cast<A>(a_row[i]), static_cast<A>(bias[i]), static_cast<A>(y_row[i])));
    } else {
#pragma omp simd
      for (int64_t i = 0; i < length; ++i) out_row[i] = static_cast<T>(f(static_cast<A>(a_row[i]), A(0), static_cast<A>(y_row[i])));
    }
  });
}

template <typename T>
const T* bias_data(const Dense& x, const std::optional<Tensor>& bias, Tensor& keep) {
  if (!bias) return nullptr;
  STD_TORCH_CHECK(bias->dim() == 1 && bias->size(0) == x.channels, "bias must be [", x.channels, "], one value a channel");
  STD_TORCH_CHECK(bias->scalar_type() == x.tensor.scalar_type(), "bias and features differ in dtype");
  keep = torch::stable::contiguous(*bias);
  return data<T>(keep);
}

Tensor bias_act(const Tensor& x, std::optional<Tensor> bias, double slope, double gain, std::optional<double> clamp) {
  const Dense dense = as_dense(x);
  Tensor out = torch::stable::empty_like(dense.tensor);
  THO_DISPATCH_V2(x.scalar_type(), "bias_act", AT_WRAP([&] {
    const Activation<Accumulate<scalar_t>> act(slope, gain, clamp);
    Tensor keep;
    const scalar_t* b = bias_data<scalar_t>(dense, bias, keep);
    const scalar_t* in = data<scalar_t>(dense.tensor);
    map(dense, in, b, in, data<scalar_t>(out), [&](auto v, auto c, auto) { return act.value(v + c); });
  }), AT_EXPAND(AT_FLOATING_TYPES), torch::headeronly::ScalarType::Half, torch::headeronly::ScalarType::BFloat16);
  return out;
}

Tensor bias_act_tangent(const Tensor& tangent, std::optional<Tensor> bias, const Tensor& y, double slope, double gain,
                        std::optional<double> clamp) {
  const Dense dense = as_dense(y);
  const Tensor t = in_the_order_of(dense, tangent);
  Tensor out = torch::stable::empty_like(dense.tensor);
  THO_DISPATCH_V2(y.scalar_type(), "bias_act_tangent", AT_WRAP([&] {
    const Activation<Accumulate<scalar_t>> act(slope, gain, clamp);
    Tensor keep;
    const scalar_t* b = bias_data<scalar_t>(dense, bias, keep);
    map(dense, data<scalar_t>(t), b, data<scalar_t>(dense.tensor), data<scalar_t>(out),
        [&](auto v, auto c, auto out_value) { return (v + c) * act.factor(out_value); });
  }), AT_EXPAND(AT_FLOATING_TYPES), torch::headeronly::ScalarType::Half, torch::headeronly::ScalarType::BFloat16);
  return out;
}

// The gradient, and on the way the sums of each channel. Blocks are fixed, so sums do not depend on the thread count.
template <typename T>
void grad(const Dense& x, const T* g, const T* y, T* dx, T* dbias, const Activation<Accumulate<T>>& act) {
  using A = Accumulate<T>;
  const bool by_channel = x.inner > 1;
  const int64_t rows = by_channel ? x.outer * x.channels : x.outer;
  const int64_t length = by_channel ? x.inner : x.channels;
  const int64_t per_block = by_channel ? 1 : std::max<int64_t>(1, kGrain / std::max<int64_t>(1, length));
  const int64_t blocks = (rows + per_block - 1) / per_block;
  std::vector<A> sums(by_channel ? rows : blocks * x.channels, A(0));
  torch::stable::parallel_for(0, blocks, std::max<int64_t>(1, kGrain / std::max<int64_t>(1, length * per_block)), [&](int64_t begin, int64_t end) {
    for (int64_t block = begin; block < end; ++block) {
      for (int64_t r = block * per_block; r < std::min(rows, (block + 1) * per_block); ++r) {
        const T *g_row = g + r * length, *y_row = y + r * length;
        T* dx_row = dx + r * length;
        if (by_channel) {
          A sum = 0;
#pragma omp simd reduction(+ : sum)
          for (int64_t i = 0; i < length; ++i) {
            const A d = static_cast<A>(g_row[i]) * act.factor(static_cast<A>(y_row[i]));
            dx_row[i] = static_cast<T>(d);
            sum += d;
          }
          sums[r] = sum;
        } else {
          A* sum = sums.data() + block * length;
#pragma omp simd
          for (int64_t i = 0; i < length; ++i) {
            const A d = static_cast<A>(g_row[i]) * act.factor(static_cast<A>(y_row[i]));
            dx_row[i] = static_cast<T>(d);
            sum[i] += d;
          }
        }
      }
    }
  });
  const int64_t parts = by_channel ? x.outer : blocks;
  for (int64_t c = 0; c < x.channels; ++c) {
    double total = 0;
    for (int64_t part = 0; part < parts; ++part) total += sums[part * x.channels + c];
    dbias[c] = static_cast<T>(static_cast<A>(total));
  }
}

std::tuple<Tensor, Tensor> bias_act_grad(const Tensor& gradient, const Tensor& y, double slope, double gain,
                                         std::optional<double> clamp) {
  const Dense dense = as_dense(y);
  const Tensor g = in_the_order_of(dense, gradient);
  Tensor dx = torch::stable::empty_like(dense.tensor);
  Tensor dbias = torch::stable::new_empty(dense.tensor, {dense.channels});
  THO_DISPATCH_V2(y.scalar_type(), "bias_act_grad", AT_WRAP([&] {
    const Activation<Accumulate<scalar_t>> act(slope, gain, clamp);
    grad(dense, data<scalar_t>(g), data<scalar_t>(dense.tensor), data<scalar_t>(dx), data<scalar_t>(dbias), act);
  }), AT_EXPAND(AT_FLOATING_TYPES), torch::headeronly::ScalarType::Half, torch::headeronly::ScalarType::BFloat16);
  return {dx, dbias};
}

}  // namespace

STABLE_TORCH_LIBRARY_IMPL(medsegan, CPU, library) {
  library.impl("bias_act", TORCH_BOX(&bias_act));
  library.impl("bias_act_tangent", TORCH_BOX(&bias_act_tangent));
  library.impl("bias_act_grad", TORCH_BOX(&bias_act_grad));
}

}  // namespace medsegan
