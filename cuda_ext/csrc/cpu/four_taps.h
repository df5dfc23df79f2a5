// Doubling and halving of images with four taps along both axes, the same inner loops for every rule at the edge.
#pragma once

#include "../image2d.h"

#if defined(__AVX__)
#include <immintrin.h>
#endif

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <vector>

namespace medsegan {

namespace four_taps {

constexpr int64_t kLanes = 8;        // values that are worked on together where a pixel has several
constexpr int64_t kStrip = 2048;     // values of a buffered row: a few of them stay in the first-level cache
constexpr int64_t kBlockRows = 32;   // rows of the smaller image that one task works through
constexpr int64_t kTaskValues = 1 << 15;  // values of the larger image that are worth a thread
constexpr int64_t kStreamedBytes = 8 << 20;  // of a result that is written past the caches

// A part of the smaller image: rows [top, bottom) and columns [left, right) of one plane.
struct Block {
  int64_t plane, top, bottom, left, right;
};

// For all blocks of `small`, over threads: each thread asks prepare(widest block) for its work(block). A block computes
// its outputs from nothing but inputs.
template <typename F>
void for_each_block(const Planes& small, const F& prepare) {
  const int64_t columns = std::clamp<int64_t>(kStrip / (2 * small.channels), 1, small.width);
  const int64_t across = (small.width + columns - 1) / columns;
  const int64_t down = (small.height + kBlockRows - 1) / kBlockRows;
  const int64_t grain = kTaskValues / (4 * columns * small.channels * std::min(kBlockRows, small.height)) + 1;
  torch::stable::parallel_for(0, small.count * down * across, grain, [&](int64_t begin, int64_t end) {
    auto work = prepare(columns);
    for (int64_t task = begin; task < end; ++task) {
      const int64_t top = task / across % down * kBlockRows, left = task % across * columns;
      work(Block{task / across / down, top, std::min(top + kBlockRows, small.height), left,
                 std::min(left + columns, small.width)});
    }
  });
}

// Fused on purpose: the compiler may not, and a fused sum is the same however a loop is vectorised.
template <typename A>
inline A sum_of(A ka, A a, A kb, A b) {
  return std::fma(kb, b, ka * a);
}

template <typename A>
inline A sum_of(A ka, A a, A kb, A b, A kc, A c, A kd, A d) {
  return std::fma(kd, d, std::fma(kc, c, std::fma(kb, b, ka * a)));
}

// Pixels of a row of `width` for which whole groups of lanes may be used in place of `channels` values.
inline int64_t whole_groups(int64_t width, int64_t channels) {
  const int64_t rounded = (channels + kLanes - 1) / kLanes * kLanes;
  return width - (rounded + channels - 1) / channels;
}

// out[0 .. n) = f(0 .. n), in whole groups of lanes: up to kLanes - 1 values more are written (and read by f).
template <typename T, typename F>
inline void in_groups(int64_t n, T* __restrict__ out, const F& f) {
  for (int64_t c = 0; c < n; c += kLanes) {
#pragma omp simd
    for (int64_t lane = 0; lane < kLanes; ++lane) out[c + lane] = static_cast<T>(f(c + lane));
  }
}

template <typename T, typename F>
inline void one_by_one(int64_t n, T* __restrict__ out, const F& f) {
#pragma omp simd
  for (int64_t c = 0; c < n; ++c) out[c] = static_cast<T>(f(c));
}

// The same past the caches, for images that no cache will hold until they are used.
template <typename T, typename F>
inline void streamed(int64_t n, T* __restrict__ out, const F& f) {
#if defined(__AVX__)
  constexpr int64_t kGroup = 32 / sizeof(T);
  if (reinterpret_cast<uintptr_t>(out) % 32 == 0 && n % kGroup == 0) {
    for (int64_t i = 0; i < n; i += kGroup) {
      alignas(32) T group[kGroup];
#pragma omp simd
      for (int64_t lane = 0; lane < kGroup; ++lane) group[lane] = static_cast<T>(f(i + lane));
      _mm256_stream_si256(reinterpret_cast<__m256i*>(out + i), *reinterpret_cast<const __m256i*>(group));
    }
    return;
  }
#endif
  one_by_one(n, out, f);
}

// What was streamed is seen by other threads only after this.
inline void finish_streaming() {
#if defined(__AVX__)
  _mm_sfence();
#endif
}

// Rows of values that are used in turn, each with room for what whole groups of lanes write past its end.
template <typename A>
class Rows {
 public:
  Rows(int64_t count, int64_t length)
      : mask_(static_cast<int64_t>(std::bit_ceil(static_cast<uint64_t>(count))) - 1),
        pitch_(length + 2 * kLanes),
        values_((mask_ + 1) * pitch_, A(0)) {}
  A* operator[](int64_t row) { return values_.data() + (row & mask_) * pitch_; }

 private:
  int64_t mask_, pitch_;
  std::vector<A> values_;
};

// How many rows of n values are worked on in each step. Values that were just written are not read in the next
// instruction: a load that straddles two stores still on their way has to wait for both.
inline int64_t batch_of(int64_t n) { return std::clamp<int64_t>(kStrip / std::max<int64_t>(1, n), 1, kBlockRows); }

// Fills the pixels before the first and after the last of `pixels`, where these are at an edge of the image.
template <Edge edge, typename A>
inline void continue_edge(A* row, bool at_left, bool at_right, int64_t pixels, int64_t c) {
  A* last = row + pixels * c;
  for (int64_t i = 0; at_left && i < c; ++i) row[i] = edge == Edge::replicate ? row[c + i] : A(0);
  for (int64_t i = 0; at_right && i < c; ++i) last[c + i] = edge == Edge::replicate ? last[i] : A(0);
}

// The values of pixels left - 1 .. right of a row, the edge rule applied.
template <Edge edge, typename T, typename A>
void read_row(const T* row, int64_t left, int64_t right, int64_t width, int64_t c, A* to) {
  const int64_t from = std::max<int64_t>(left - 1, 0), until = std::min(right + 1, width);
  const T* in = row + from * c;
  one_by_one((until - from) * c, to + (from - (left - 1)) * c, [=](int64_t i) { return static_cast<A>(in[i]); });
  continue_edge<edge>(to, left == 0, right == width, right - left, c);
}

// 2 * n pixels of a row from n + 2. Reads and writes up to kLanes - 1 values more.
template <typename A>
void spread(const A* row, int64_t n, int64_t c, const A (&k)[4], A* __restrict__ out) {
  const A k0 = k[0], k1 = k[1], k2 = k[2], k3 = k[3];
  if (c == 1) {
    for (int64_t j = 0; j < n; j += kLanes) {
#pragma omp simd
      for (int64_t i = j; i < j + kLanes; ++i) {
        out[2 * i] = sum_of(k0, row[i], k2, row[i + 1]);
        out[2 * i + 1] = sum_of(k1, row[i + 1], k3, row[i + 2]);
      }
    }
    return;
  }
  for (int64_t j = 0; j < n; ++j) {
    const A *before = row + j * c, *here = before + c, *after = here + c;
    in_groups(c, out + 2 * j * c, [=](int64_t i) { return sum_of(k0, before[i], k2, here[i]); });
    in_groups(c, out + (2 * j + 1) * c, [=](int64_t i) { return sum_of(k1, here[i], k3, after[i]); });
  }
}

// Doubles one block after the other: rows are spread in a buffer, pairs of them blended into the result.
template <Edge edge, typename T>
class Doubler {
  using A = Accumulate<T>;

 public:
  Doubler(const Planes& x, const Taps<A>& taps, const T* in, T* out, int64_t columns)
      : x_(x),
        taps_(taps),
        in_(in),
        out_(out),
        past_caches_(4 * x.count * x.height * x.width * x.channels >= kStreamedBytes / static_cast<int64_t>(sizeof(T))),
        batch_(batch_of(2 * columns * x.channels)),
        slim_(batch_, (columns + 2) * x.channels),
        wide_(batch_ + 1, 2 * columns * x.channels) {}

  void operator()(const Block& b) {
    read(b, b.top - 1, b.top);
    for (int64_t from = b.top; from <= b.bottom; from += batch_) {
      const int64_t until = std::min(from + batch_, b.bottom + 1);
      read(b, from, until);
      for (int64_t row = from; row < until; ++row) {
        if (row > b.top) write(b, row, 2 * row - 1, taps_.y[1], taps_.y[3]);
        if (row < b.bottom) write(b, row, 2 * row, taps_.y[0], taps_.y[2]);
      }
    }
    if (past_caches_) finish_streaming();
  }

 private:
  void read(const Block& b, int64_t from, int64_t until) {
    const int64_t c = x_.channels, pixels = b.right - b.left;
    for (int64_t row = from; row < until; ++row) {
      const int64_t inside = std::clamp<int64_t>(row, 0, x_.height - 1);
      if (edge == Edge::zero && row != inside) {
        std::fill_n(slim_[row], (pixels + 2) * c, A(0));
      } else {
        read_row<edge>(in_ + (b.plane * x_.height + inside) * x_.width * c, b.left, b.right, x_.width, c, slim_[row]);
      }
    }
    for (int64_t row = from; row < until; ++row) spread(slim_[row], pixels, c, taps_.x, wide_[row]);
  }

  // One row of the result, between two rows of x.
  void write(const Block& b, int64_t below, int64_t row, A ka, A kb) {
    const int64_t c = x_.channels, n = 2 * (b.right - b.left) * c;
    const A *p = wide_[below - 1], *q = wide_[below];
    T* to = out_ + ((b.plane * 2 * x_.height + row) * 2 * x_.width + 2 * b.left) * c;
    const auto value = [=](int64_t i) { return sum_of(ka, p[i], kb, q[i]); };
    past_caches_ ? streamed(n, to, value) : one_by_one(n, to, value);
  }

  Planes x_;
  Taps<A> taps_;
  const T* in_;
  T* out_;
  bool past_caches_;
  int64_t batch_;
  Rows<A> slim_, wide_;
};

// [count, 2 * height, 2 * width, channels] from x.
template <Edge edge, typename T>
void double_size(const Planes& x, const Taps<Accumulate<T>>& taps, const T* in, T* out) {
  for_each_block(x, [&](int64_t columns) { return Doubler<edge, T>(x, taps, in, out, columns); });
}

// Pixels [left, right) of a row that is half as wide, from a buffer that begins at pixel 2 * left - 1.
template <typename T, typename A>
void gather(const A* buffer, int64_t n, int64_t c, const A (&k)[4], T* __restrict__ out) {
  const A k0 = k[0], k1 = k[1], k2 = k[2], k3 = k[3];
  if (c == 1) {
    one_by_one(n, out, [=](int64_t j) {
      return sum_of(k0, buffer[2 * j], k1, buffer[2 * j + 1], k2, buffer[2 * j + 2], k3, buffer[2 * j + 3]);
    });
    return;
  }
  const int64_t grouped = whole_groups(n, c);
  for (int64_t j = 0; j < n; ++j) {
    const A *p = buffer + 2 * j * c, *q = p + c, *r = q + c, *s = r + c;
    auto value = [=](int64_t i) { return sum_of(k0, p[i], k1, q[i], k2, r[i], k3, s[i]); };
    j <= grouped ? in_groups(c, out + j * c, value) : one_by_one(c, out + j * c, value);
  }
}

// Halves one block after the other: four rows are summed into a buffer, which is then gathered into the result.
template <Edge edge, typename T>
class Halver {
  using A = Accumulate<T>;

 public:
  Halver(const Planes& small, const Taps<A>& taps, const T* in, T* out, int64_t columns)
      : small_(small),
        taps_(taps),
        in_(in),
        out_(out),
        batch_(batch_of(2 * columns * small.channels)),
        wide_(batch_, (2 * columns + 2) * small.channels),
        zeros_(edge == Edge::zero ? 2 * small.width * small.channels : 0, T(0)) {}

  void operator()(const Block& b) {
    const int64_t c = small_.channels, n = b.right - b.left;
    for (int64_t top = b.top; top < b.bottom; top += batch_) {
      const int64_t bottom = std::min(top + batch_, b.bottom);
      for (int64_t row = top; row < bottom; ++row) {
        sum_rows(b, row, wide_[row]);
        continue_edge<edge>(wide_[row], b.left == 0, b.right == small_.width, 2 * n, c);
      }
      for (int64_t row = top; row < bottom; ++row) {
        gather(wide_[row], n, c, taps_.x, out_ + ((b.plane * small_.height + row) * small_.width + b.left) * c);
      }
    }
  }

 private:
  // Pixels 2 * left - 1 .. 2 * right, as far as they are in the image, of the rows that make one row of the result.
  void sum_rows(const Block& b, int64_t row, A* to) const {
    const int64_t c = small_.channels, height = 2 * small_.height, width = 2 * small_.width;
    const int64_t from = std::max<int64_t>(2 * b.left - 1, 0), until = std::min(2 * b.right + 1, width);
    const auto row_of = [&](int64_t y) {
      const int64_t inside = std::clamp<int64_t>(y, 0, height - 1);
      if (edge == Edge::zero && y != inside) return zeros_.data() + from * c;
      return in_ + ((b.plane * height + inside) * width + from) * c;
    };
    const T *p = row_of(2 * row - 1), *q = row_of(2 * row), *r = row_of(2 * row + 1), *s = row_of(2 * row + 2);
    const A k0 = taps_.y[0], k1 = taps_.y[1], k2 = taps_.y[2], k3 = taps_.y[3];
    one_by_one((until - from) * c, to + (from - (2 * b.left - 1)) * c, [=](int64_t i) {
      return sum_of(k0, static_cast<A>(p[i]), k1, static_cast<A>(q[i]), k2, static_cast<A>(r[i]), k3,
                    static_cast<A>(s[i]));
    });
  }

  Planes small_;
  Taps<A> taps_;
  const T* in_;
  T* out_;
  int64_t batch_;
  Rows<A> wide_;
  std::vector<T> zeros_;
};

// [count, height, width, channels], the size of `small`, from an image of twice its height and width.
template <Edge edge, typename T>
void halve_size(const Planes& small, const Taps<Accumulate<T>>& taps, const T* in, T* out) {
  for_each_block(small, [&](int64_t columns) { return Halver<edge, T>(small, taps, in, out, columns); });
}

}  // namespace four_taps
}  // namespace medsegan
