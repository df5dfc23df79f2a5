// Scale, noise, bias and activation in one pass; and its two derivatives. See medsegan/ops/modulate_noise_act.py.
#include "../activation.h"
#include "../modulation.h"
#include "rows.h"

#include <optional>
#include <tuple>
#include <vector>

namespace medsegan {
namespace {

// One piece of a row: where channels lie side by side (kLast) they have a value each and the place has one; else each
// place has a value and the channel of the row has one.

template <bool kLast, typename A>
void forward_piece(int64_t count, const A* x, const A* scale, const A* noise, const A* bias, A* out,
                   Activation<A> act) {
#pragma omp simd
  for (int64_t i = 0; i < count; ++i) {
    const int64_t c = kLast ? i : 0, p = kLast ? 0 : i;
    out[i] = act.value(x[i] * scale[c] + noise[p] + bias[c]);
  }
}

template <typename A>
struct Point {
  const A *x, *scale;
};

template <bool kLast, typename A>
void push_piece(int64_t count, const A* y, Point<A> at, Point<A> tangent, const A* noise, const A* bias, A* out,
                Activation<A> act) {
#pragma omp simd
  for (int64_t i = 0; i < count; ++i) {
    const int64_t c = kLast ? i : 0, p = kLast ? 0 : i;
    const A u = tangent.x[i] * at.scale[c] + at.x[i] * tangent.scale[c] + noise[p] + bias[c];
    out[i] = u * act.factor(y[i]);
  }
}

// Gradients. What is summed over the piece is added to one value, the rest to one value each.
template <bool kLast, typename A>
void pull_piece(int64_t count, const A* gradient, const A* y, Point<A> at, A* dx, A* dscale, A* dnoise, A* dbias,
                Activation<A> act) {
  if constexpr (kLast) {
    A sum = 0;
#pragma omp simd reduction(+ : sum)
    for (int64_t i = 0; i < count; ++i) {
      const A d = gradient[i] * act.factor(y[i]);
      dx[i] = d * at.scale[i];
      dscale[i] += d * at.x[i];
      dbias[i] += d;
      sum += d;
    }
    *dnoise += sum;
  } else {
    const A scale = *at.scale;
    A sum = 0, weighted = 0;
#pragma omp simd reduction(+ : sum, weighted)
    for (int64_t i = 0; i < count; ++i) {
      const A d = gradient[i] * act.factor(y[i]);
      dx[i] = d * scale;
      dnoise[i] += d;
      weighted += d * at.x[i];
      sum += d;
    }
    *dscale += weighted;
    *dbias += sum;
  }
}

// What belongs to a channel of a sample, to a channel, and to a place of a sample, as it is computed with.
template <typename T>
struct Terms {
  std::vector<Accumulate<T>> scale, bias, noise;
};

template <typename T, bool kLast>
void forward(const Rows& rows, const T* x, const Terms<T>& terms, T* out, Activation<Accumulate<T>> act) {
  const auto *scale = terms.scale.data(), *noise = terms.noise.data(), *bias = terms.bias.data();
  over_pieces<kLast>(rows, [=, buffers = Buffers<T>()](const Piece& piece) mutable {
    forward_piece<kLast>(piece.count, buffers.first(x, piece), scale + piece.channel_of_all,
                         noise + piece.place_of_all, bias + piece.channel, buffers.out.begin(out, piece), act);
    buffers.out.end(out, piece);
  });
}

template <typename T, bool kLast>
void push(const Rows& rows, const T* y, const T* x, const T* tangent, const std::vector<Accumulate<T>>& scale,
          const Terms<T>& terms, T* out, Activation<Accumulate<T>> act) {
  using A = Accumulate<T>;
  const A *factor = scale.data(), *change = terms.scale.data(), *noise = terms.noise.data(), *bias = terms.bias.data();
  over_pieces<kLast>(rows, [=, buffers = Buffers<T>()](const Piece& piece) mutable {
    const Point<A> at{buffers.second(x, piece), factor + piece.channel_of_all};
    const Point<A> by{buffers.third(tangent, piece), change + piece.channel_of_all};
    push_piece<kLast>(piece.count, buffers.first(y, piece), at, by, noise + piece.place_of_all, bias + piece.channel,
                      buffers.out.begin(out, piece), act);
    buffers.out.end(out, piece);
  });
}

// Sums: for each channel in each block, of the scale's gradient and then of the bias's; for each place of the noise's.
template <typename T, bool kLast>
void pull(const Rows& rows, const T* gradient, const T* y, const T* x, const std::vector<Accumulate<T>>& scale, T* dx,
          Accumulate<T>* by_channel, Accumulate<T>* by_place, Activation<Accumulate<T>> act) {
  using A = Accumulate<T>;
  const A* factor = scale.data();
  over_pieces<kLast>(rows, [=, channels = rows.channels, buffers = Buffers<T>()](const Piece& piece) mutable {
    const Point<A> at{buffers.third(x, piece), factor + piece.channel_of_all};
    A* sums = by_channel + piece.block * 2 * channels + piece.channel;
    pull_piece<kLast>(piece.count, buffers.first(gradient, piece), buffers.second(y, piece), at,
                      buffers.out.begin(dx, piece), sums, by_place + piece.place_of_all, sums + channels, act);
    buffers.out.end(dx, piece);
  });
}

Rows rows_of(const Dense& x) { return Rows(x, x.tensor.size(0)); }

template <typename T>
Terms<T> wide_terms(const Dense& x, const Rows& rows, const Tensor& scale, const std::optional<Tensor>& noise,
                    const Tensor& bias) {
  return {wide_copy<T>(scale_of(x, scale), rows.samples * rows.channels), wide_copy<T>(bias_of(x, bias), rows.channels),
          wide_copy<T>(noise_of(x, noise), rows.samples * rows.places)};
}

Tensor modulate_noise_act(const Tensor& x, const Tensor& scale, std::optional<Tensor> noise, const Tensor& bias,
                          double slope, double gain, std::optional<double> clamp) {
  const Dense dense = as_dense(x);
  const Rows rows = rows_of(dense);
  Tensor out = torch::stable::empty_like(dense.tensor);
  with_type_of(x, "modulate_noise_act", [&]<typename T>() {
    const auto run = rows.last ? forward<T, true> : forward<T, false>;
    run(rows, data<T>(dense.tensor), wide_terms<T>(dense, rows, scale, noise, bias), data<T>(out),
        activation<T, Accumulate<T>>(slope, gain, clamp));
  });
  return out;
}

Tensor modulate_noise_act_tangent(const Tensor& y, const Tensor& x, const Tensor& scale, const Tensor& dx,
                                  const Tensor& dscale, const Tensor& dnoise, const Tensor& dbias, double slope,
                                  double gain, std::optional<double> clamp) {
  const Dense dense = as_dense(y);
  const Rows rows = rows_of(dense);
  const Tensor factor = scale_of(dense, scale);
  const Tensor features = in_the_order_of(dense, x), tangent = in_the_order_of(dense, dx);
  Tensor out = torch::stable::empty_like(dense.tensor);
  with_type_of(y, "modulate_noise_act_tangent", [&]<typename T>() {
    const auto run = rows.last ? push<T, true> : push<T, false>;
    run(rows, data<T>(dense.tensor), data<T>(features), data<T>(tangent), wide_copy<T>(factor, factor.numel()),
        wide_terms<T>(dense, rows, dscale, dnoise, dbias), data<T>(out),
        activation<T, Accumulate<T>>(slope, gain, clamp));
  });
  return out;
}

std::tuple<Tensor, Tensor, Tensor, Tensor> modulate_noise_act_grad(const Tensor& gradient, const Tensor& y,
                                                                   const Tensor& x, const Tensor& scale, double slope,
                                                                   double gain, std::optional<double> clamp) {
  const Dense dense = as_dense(y);
  const Rows rows = rows_of(dense);
  const Tensor factor = scale_of(dense, scale);
  const Tensor g = in_the_order_of(dense, gradient), features = in_the_order_of(dense, x);
  Tensor dx = torch::stable::empty_like(dense.tensor);
  Tensor dscale = torch::stable::new_empty(dense.tensor, {rows.samples, rows.channels});
  Tensor dnoise = torch::stable::new_empty(dense.tensor, noise_sizes(dense));
  Tensor dbias = torch::stable::new_empty(dense.tensor, {rows.channels});
  with_type_of(y, "modulate_noise_act_grad", [&]<typename T>() {
    using A = Accumulate<T>;
    const int64_t channels = rows.channels;
    std::vector<A> by_channel(rows.blocks() * 2 * channels, 0), by_place(rows.samples * rows.places, 0);
    const auto run = rows.last ? pull<T, true> : pull<T, false>;
    run(rows, data<T>(g), data<T>(dense.tensor), data<T>(features), wide_copy<T>(factor, factor.numel()), data<T>(dx),
        by_channel.data(), by_place.data(), activation<T, A>(slope, gain, clamp));
    const A* sums = by_channel.data();
    sum_parts(sums, rows.samples, rows.blocks_of_sample, channels, 2 * channels, data<T>(dscale));
    sum_parts(sums + channels, 1, rows.blocks(), channels, 2 * channels, data<T>(dbias));
    narrow(by_place.data(), rows.samples * rows.places, data<T>(dnoise));
  });
  return {dx, dscale, dnoise, dbias};
}

}  // namespace

STABLE_TORCH_LIBRARY_IMPL(medsegan, CPU, library) {
  library.impl("modulate_noise_act", TORCH_BOX(&modulate_noise_act));
  library.impl("modulate_noise_act_tangent", TORCH_BOX(&modulate_noise_act_tangent));
  library.impl("modulate_noise_act_grad", TORCH_BOX(&modulate_noise_act_grad));
}

}  // namespace medsegan
