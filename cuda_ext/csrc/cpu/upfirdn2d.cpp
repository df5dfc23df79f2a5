// Zero-upsampling, padding, a FIR filter and downsampling in one pass. See medsegan/ops/upfirdn2d.py.
#include "../filter2d.h"
#include "four_taps.h"

#include <vector>

namespace medsegan {
namespace {

constexpr int64_t kGrain = 1 << 15;  // values of the result that are worth a thread

// The inputs of one output along an axis: in[first .. first + count) times tap, tap + up, tap + 2 * up, ...
struct Reach {
  int64_t first, count, tap;
};

struct Axis {
  int64_t in, out, taps, up, down, before;
  std::vector<Reach> reach;  // of every output

  Axis(int64_t in_, int64_t out_, int64_t taps_, int64_t up_, int64_t down_, int64_t before_)
      : in(in_), out(out_), taps(taps_), up(up_), down(down_), before(before_), reach(out_) {
    for (int64_t o = 0; o < out; ++o) {
      const int64_t start = o * down - before;  // where tap 0 lies, in pixels of the upsampled image
      const int64_t first = start > 0 ? (start + up - 1) / up : 0;
      const int64_t end = start + taps > 0 ? std::min(in, (start + taps - 1) / up + 1) : 0;
      reach[o] = {first, std::max<int64_t>(0, end - first), first * up - start};
    }
  }
};

// out += row, filtered along the width: the loop over taps is the outer one, for long runs of single values.
template <typename A>
void filter_values(const Axis& axis, const A* taps, const A* row, A* out) {
  for (int64_t tap = 0; tap < axis.taps; ++tap) {
    const int64_t shift = tap - axis.before;  // output o sees input o + shift
    const int64_t begin = std::max<int64_t>(0, -shift), end = std::min(axis.out, axis.in - shift);
    const A weight = taps[tap];
#pragma omp simd
    for (int64_t o = begin; o < end; ++o) out[o] = std::fma(weight, row[o + shift], out[o]);
  }
}

// The same for any factors and for pixels of c values.
template <typename A>
void filter_row(const Axis& axis, const A* taps, const A* row, int64_t c, A* out) {
  if (c == 1 && axis.up == 1 && axis.down == 1) return filter_values(axis, taps, row, out);
  for (int64_t o = 0; o < axis.out; ++o) {
    const Reach r = axis.reach[o];
    A* pixel = out + o * c;
    if (c == 1) {
      A sum = *pixel;
      for (int64_t t = 0; t < r.count; ++t) sum = std::fma(taps[r.tap + t * axis.up], row[r.first + t], sum);
      *pixel = sum;
      continue;
    }
    for (int64_t t = 0; t < r.count; ++t) {
      const A weight = taps[r.tap + t * axis.up], *in = row + (r.first + t) * c;
#pragma omp simd
      for (int64_t i = 0; i < c; ++i) pixel[i] = std::fma(weight, in[i], pixel[i]);
    }
  }
}

template <typename T>
void filter(const Planes& x, const Planes& y, const Filter2d& f, const Accumulate<T>* taps, const T* in, T* out) {
  using A = Accumulate<T>;
  const int64_t c = x.channels, n_in = x.width * c, n_out = y.width * c;
  const Axis rows(x.height, y.height, f.taps_y, f.up_y, f.down_y, f.top);
  const Axis columns(x.width, y.width, f.taps_x, f.up_x, f.down_x, f.left);
  const A gain = static_cast<A>(f.gain);
  torch::stable::parallel_for(0, y.count * y.height, kGrain / n_out + 1, [&](int64_t begin, int64_t end) {
    std::vector<A> row(n_in), sum(n_out);
    for (int64_t line = begin; line < end; ++line) {
      const Reach r = rows.reach[line % y.height];
      std::fill(row.begin(), row.end(), A(0));
      std::fill(sum.begin(), sum.end(), A(0));
      for (int64_t t = 0; t < r.count; ++t) {
        const T* from = in + (line / y.height * x.height + r.first + t) * n_in;
        const int64_t tap = r.tap + t * f.up_y;
        A* to = row.data();
        if (f.separable) {
          const A weight = taps[tap];
#pragma omp simd
          for (int64_t i = 0; i < n_in; ++i) to[i] = std::fma(weight, static_cast<A>(from[i]), to[i]);
        } else {
#pragma omp simd
          for (int64_t i = 0; i < n_in; ++i) to[i] = static_cast<A>(from[i]);
          filter_row(columns, taps + tap * f.taps_x, row.data(), c, sum.data());
        }
      }
      if (f.separable) filter_row(columns, taps, row.data(), c, sum.data());
      T* to = out + line * n_out;
      const A* from = sum.data();
#pragma omp simd
      for (int64_t i = 0; i < n_out; ++i) to[i] = static_cast<T>(from[i] * gain);
    }
  });
}

// The four taps with the gain, for the fast ways.
template <typename A>
Taps<A> four(const A* taps, double gain) {
  Taps<A> all;
  for (int64_t k = 0; k < 4; ++k) {
    all.x[k] = taps[k];
    all.y[k] = taps[k] * static_cast<A>(gain);
  }
  return all;
}

Tensor upfirdn2d(const Tensor& x, const Tensor& kernel, std::vector<int64_t> up, std::vector<int64_t> down,
                 std::vector<int64_t> padding, bool flip, double gain) {
  const Dense dense = as_dense(x);
  const Planes planes = planes_of(dense);
  const Filter2d f = make_filter2d(x, kernel, up, down, padding, gain);
  const Planes result{planes.count, f.size_y(planes.height), f.size_x(planes.width), planes.channels};
  Tensor out = empty_image(dense, result.height, result.width);
  if (out.numel() == 0) return out;
  with_type_of(x, "upfirdn2d", [&]<typename T>() {
    using A = Accumulate<T>;
    const Tensor given = taps_like(x, kernel);
    std::vector<A> taps(data<A>(given), data<A>(given) + given.numel());
    if (!flip) std::reverse(taps.begin(), taps.end());  // a convolution is a correlation with the filter turned round
    const T* in = data<T>(dense.tensor);
    if (f.doubles(planes.height, planes.width)) {
      four_taps::double_size<Edge::zero>(planes, four(taps.data(), gain), in, data<T>(out));
    } else if (f.halves(planes.height, planes.width)) {
      four_taps::halve_size<Edge::zero>(result, four(taps.data(), gain), in, data<T>(out));
    } else {
      filter(planes, result, f, taps.data(), in, data<T>(out));
    }
  });
  return out;
}

}  // namespace

STABLE_TORCH_LIBRARY_IMPL(medsegan, CPU, library) { library.impl("upfirdn2d", TORCH_BOX(&upfirdn2d)); }

}  // namespace medsegan
