// Bias, leaky ReLU, gain and clamp in one pass; and its two derivatives. See medsegan/ops/bias_act.py.
#include "../activation.h"
#include "rows.h"

#include <optional>
#include <tuple>
#include <vector>

namespace medsegan {
namespace {

Rows rows_of(const Dense& x) { return Rows(x, x.inner == 1 ? 1 : x.outer); }

// One piece of a row. Channels have a value each (kLast), or there is one value, for the channel of the row.
template <bool kLast, typename A>
void forward_piece(int64_t count, const A* x, const A* bias, A* out, Activation<A> act) {
#pragma omp simd
  for (int64_t i = 0; i < count; ++i) out[i] = act.value(x[i] + bias[kLast ? i : 0]);
}

template <bool kLast, typename A>
void push_piece(int64_t count, const A* tangent, const A* bias, const A* y, A* out, Activation<A> act) {
#pragma omp simd
  for (int64_t i = 0; i < count; ++i) out[i] = (tangent[i] + bias[kLast ? i : 0]) * act.factor(y[i]);
}

template <bool kLast, typename A>
void pull_piece(int64_t count, const A* gradient, const A* y, A* dx, A* dbias, Activation<A> act) {
  if constexpr (kLast) {
#pragma omp simd
    for (int64_t i = 0; i < count; ++i) {
      const A d = gradient[i] * act.factor(y[i]);
      dx[i] = d;
      dbias[i] += d;
    }
  } else {
    A sum = 0;
#pragma omp simd reduction(+ : sum)
    for (int64_t i = 0; i < count; ++i) {
      const A d = gradient[i] * act.factor(y[i]);
      dx[i] = d;
      sum += d;
    }
    *dbias += sum;
  }
}

// out = activation of x + bias
template <typename T, bool kLast>
void forward(const Rows& rows, const T* x, const Accumulate<T>* bias, T* out, Activation<Accumulate<T>> act) {
  over_pieces<kLast>(rows, [=, buffers = Buffers<T>()](const Piece& piece) mutable {
    forward_piece<kLast>(piece.count, buffers.first(x, piece), bias + piece.channel, buffers.out.begin(out, piece),
                         act);
    buffers.out.end(out, piece);
  });
}

// out = (tangent + bias) * derivative where y came out
template <typename T, bool kLast>
void push(const Rows& rows, const T* tangent, const Accumulate<T>* bias, const T* y, T* out,
          Activation<Accumulate<T>> act) {
  over_pieces<kLast>(rows, [=, buffers = Buffers<T>()](const Piece& piece) mutable {
    push_piece<kLast>(piece.count, buffers.first(tangent, piece), bias + piece.channel, buffers.second(y, piece),
                      buffers.out.begin(out, piece), act);
    buffers.out.end(out, piece);
  });
}

// dx = gradient * derivative where y came out; and the sums of it for each channel in each block
template <typename T, bool kLast>
void pull(const Rows& rows, const T* gradient, const T* y, T* dx, Accumulate<T>* sums, Activation<Accumulate<T>> act) {
  over_pieces<kLast>(rows, [=, channels = rows.channels, buffers = Buffers<T>()](const Piece& piece) mutable {
    pull_piece<kLast>(piece.count, buffers.first(gradient, piece), buffers.second(y, piece),
                      buffers.out.begin(dx, piece), sums + piece.block * channels + piece.channel, act);
    buffers.out.end(dx, piece);
  });
}

template <typename T>
std::vector<Accumulate<T>> wide_bias(const Dense& x, const std::optional<Tensor>& bias) {
  if (!bias) return wide_copy<T>(bias, x.channels);
  return wide_copy<T>(small_companion(x, *bias, "bias", {x.channels}), x.channels);
}

Tensor bias_act(const Tensor& x, std::optional<Tensor> bias, double slope, double gain, std::optional<double> clamp) {
  const Dense dense = as_dense(x);
  const Rows rows = rows_of(dense);
  Tensor out = torch::stable::empty_like(dense.tensor);
  with_type_of(x, "bias_act", [&]<typename T>() {
    const auto b = wide_bias<T>(dense, bias);
    const auto act = activation<T, Accumulate<T>>(slope, gain, clamp);
    const auto run = rows.last ? forward<T, true> : forward<T, false>;
    run(rows, data<T>(dense.tensor), b.data(), data<T>(out), act);
  });
  return out;
}

Tensor bias_act_tangent(const Tensor& tangent, std::optional<Tensor> bias, const Tensor& y, double slope, double gain,
                        std::optional<double> clamp) {
  const Dense dense = as_dense(y);
  const Rows rows = rows_of(dense);
  const Tensor t = in_the_order_of(dense, tangent);
  Tensor out = torch::stable::empty_like(dense.tensor);
  with_type_of(y, "bias_act_tangent", [&]<typename T>() {
    const auto b = wide_bias<T>(dense, bias);
    const auto act = activation<T, Accumulate<T>>(slope, gain, clamp);
    const auto run = rows.last ? push<T, true> : push<T, false>;
    run(rows, data<T>(t), b.data(), data<T>(dense.tensor), data<T>(out), act);
  });
  return out;
}

std::tuple<Tensor, Tensor> bias_act_grad(const Tensor& gradient, const Tensor& y, double slope, double gain,
                                         std::optional<double> clamp) {
  const Dense dense = as_dense(y);
  const Rows rows = rows_of(dense);
  const Tensor g = in_the_order_of(dense, gradient);
  Tensor dx = torch::stable::empty_like(dense.tensor);
  Tensor dbias = torch::stable::new_empty(dense.tensor, {dense.channels});
  with_type_of(y, "bias_act_grad", [&]<typename T>() {
    std::vector<Accumulate<T>> sums(rows.blocks() * rows.channels, 0);
    const auto act = activation<T, Accumulate<T>>(slope, gain, clamp);
    const auto run = rows.last ? pull<T, true> : pull<T, false>;
    run(rows, data<T>(g), data<T>(dense.tensor), data<T>(dx), sums.data(), act);
    sum_parts(sums.data(), 1, rows.blocks(), rows.channels, rows.channels, data<T>(dbias));
  });
  return {dx, dbias};
}

}  // namespace

STABLE_TORCH_LIBRARY_IMPL(medsegan, CPU, library) {
  library.impl("bias_act", TORCH_BOX(&bias_act));
  library.impl("bias_act_tangent", TORCH_BOX(&bias_act_tangent));
  library.impl("bias_act_grad", TORCH_BOX(&bias_act_grad));
}

}  // namespace medsegan
