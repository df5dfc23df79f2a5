// Doubling and halving of images with four taps along both axes, the same inner loops for every rule at the edge.
//
// Both memory orders are one: rows of pixels of `channels` values, where a plane of NCHW has pixels of one value.
#pragma once

#include "../check.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <vector>

namespace medsegan {

enum class Edge { replicate, zero };

struct Planes {
  int64_t count, height, width, channels;
};

inline Planes planes_of(const Dense& x) {
  STD_TORCH_CHECK(x.tensor.dim() == 4, "expected a tensor [N, C, H, W], got ", x.tensor.dim(), " dimensions");
  const int64_t height = x.tensor.size(2), width = x.tensor.size(3);
  if (x.channels_last) return {x.tensor.size(0), height, width, x.channels};
  return {x.outer * x.channels, height, width, 1};
}

// An uninitialised [N, C, height, width] in the memory order of x.
inline Tensor empty_image(const Dense& x, int64_t height, int64_t width) {
  using torch::headeronly::MemoryFormat;
  const std::array<int64_t, 4> size{x.tensor.size(0), x.tensor.size(1), height, width};
  return torch::stable::empty(size, x.tensor.scalar_type(), std::nullopt, x.tensor.device(), std::nullopt,
                              x.channels_last ? MemoryFormat::ChannelsLast : MemoryFormat::Contiguous);
}

namespace four_taps {

// out[o] = sum of taps[k] * padded[o + k], taps in the order of correlation; `y` also carries the gain.
template <typename A>
struct Taps {
  std::array<A, 4> y, x;
};

constexpr int64_t kLanes = 8;        // values that are worked on together where a pixel has several
constexpr int64_t kStrip = 2048;     // values of a buffered row: a few of them stay in the first-level cache
constexpr int64_t kBlockRows = 32;   // rows of the smaller image that one task works through
constexpr int64_t kTaskValues = 1 << 15;  // values of the larger image that are worth a thread

// A part of the smaller image: rows [top, bottom) and columns [left, right) of one plane.
struct Block {
  int64_t plane, top, bottom, left, right;
};

// Calls work(block) for all blocks of `small`, over threads. A block computes its outputs from nothing but inputs.
template <typename F>
void for_each_block(const Planes& small, const F& work) {
  const int64_t columns = std::clamp<int64_t>(kStrip / (2 * small.channels), 1, std::max<int64_t>(small.width, 1));
  const int64_t across = (small.width + columns - 1) / columns;
  const int64_t down = (small.height + kBlockRows - 1) / kBlockRows;
  const int64_t values = 4 * columns * small.channels * std::min(kBlockRows, small.height);
  const int64_t grain = std::max<int64_t>(1, kTaskValues / std::max<int64_t>(1, values));
  torch::stable::parallel_for(0, small.count * down * across, grain, [&](int64_t begin, int64_t end) {
    for (int64_t task = begin; task < end; ++task) {
      const int64_t top = task / across % down * kBlockRows, left = task % across * columns;
      work(Block{task / across / down, top, std::min(top + kBlockRows, small.height), left,
                 std::min(left + columns, small.width)});
    }
  });
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

// Pixels 2 * left .. 2 * right of a row that is twice as wide. Writes up to kLanes - 1 values more.
template <Edge edge, typename T, typename A>
void widen(const T* row, int64_t left, int64_t right, const Planes& x, const std::array<A, 4>& k, A* __restrict__ out) {
  const int64_t c = x.channels;
  auto beside = [&](int64_t pixel, int64_t neighbour, int64_t i) {
    if (neighbour >= 0 && neighbour < x.width) return static_cast<A>(row[neighbour * c + i]);
    return edge == Edge::replicate ? static_cast<A>(row[pixel * c + i]) : A(0);
  };
  auto at_border = [&](int64_t pixel) {
    for (int64_t i = 0; i < c; ++i) {
      const A here = static_cast<A>(row[pixel * c + i]);
      out[2 * (pixel - left) * c + i] = k[0] * beside(pixel, pixel - 1, i) + k[2] * here;
      out[(2 * (pixel - left) + 1) * c + i] = k[1] * here + k[3] * beside(pixel, pixel + 1, i);
    }
  };
  const int64_t begin = std::max<int64_t>(left, 1), end = std::min(right, x.width - 1);
  const A k0 = k[0], k1 = k[1], k2 = k[2], k3 = k[3];
  if (c == 1) {
#pragma omp simd
    for (int64_t j = begin; j < end; ++j) {
      out[2 * (j - left)] = k0 * static_cast<A>(row[j - 1]) + k2 * static_cast<A>(row[j]);
      out[2 * (j - left) + 1] = k1 * static_cast<A>(row[j]) + k3 * static_cast<A>(row[j + 1]);
    }
  } else {
    const int64_t grouped = whole_groups(x.width, c);
    for (int64_t j = begin; j < end; ++j) {
      const T *before = row + (j - 1) * c, *here = before + c, *after = here + c;
      A* pair = out + 2 * (j - left) * c;
      auto first = [&](int64_t i) { return k0 * static_cast<A>(before[i]) + k2 * static_cast<A>(here[i]); };
      auto second = [&](int64_t i) { return k1 * static_cast<A>(here[i]) + k3 * static_cast<A>(after[i]); };
      if (j <= grouped) {
        in_groups(c, pair, first);
        in_groups(c, pair + c, second);
      } else {
        one_by_one(c, pair, first);
        one_by_one(c, pair + c, second);
      }
    }
  }
  if (left == 0) at_border(0);
  if (right == x.width && right > 1) at_border(right - 1);
}

// [count, 2 * height, 2 * width, channels] from x.
template <Edge edge, typename T>
void double_size(const Planes& x, const Taps<Accumulate<T>>& taps, const T* in, T* out) {
  using A = Accumulate<T>;
  const int64_t stride = x.width * x.channels;
  for_each_block(x, [&](const Block& b) {
    const int64_t n = 2 * (b.right - b.left) * x.channels;
    std::vector<A> buffer(2 * (n + kLanes), A(0));
    A *above = buffer.data(), *below = above + n + kLanes;
    auto read = [&](int64_t row, A* to) {
      if (edge == Edge::replicate) row = std::clamp<int64_t>(row, 0, x.height - 1);
      if (row < 0 || row >= x.height) return std::fill_n(to, n, A(0)), void();
      widen<edge>(in + (b.plane * x.height + row) * stride, b.left, b.right, x, taps.x, to);
    };
    auto write = [&](int64_t row, A wa, A wb) {
      const A *a = above, *c = below;
      one_by_one(n, out + (b.plane * 2 * x.height + row) * 2 * stride + 2 * b.left * x.channels,
                 [=](int64_t i) { return wa * a[i] + wb * c[i]; });
    };
    read(b.top - 1, above);
    for (int64_t row = b.top; row <= b.bottom; ++row) {
      read(row, below);
      if (row > b.top) write(2 * row - 1, taps.y[1], taps.y[3]);
      if (row < b.bottom) write(2 * row, taps.y[0], taps.y[2]);
      std::swap(above, below);
    }
  });
}

// Pixels [left, right) of a row that is half as wide, from a buffer that begins at pixel 2 * left - 1.
template <typename T, typename A>
void narrow(const A* buffer, int64_t n, int64_t c, const std::array<A, 4>& k, T* __restrict__ out) {
  const A k0 = k[0], k1 = k[1], k2 = k[2], k3 = k[3];
  if (c == 1) {
    one_by_one(n, out, [=](int64_t j) {
      return (k0 * buffer[2 * j] + k1 * buffer[2 * j + 1]) + (k2 * buffer[2 * j + 2] + k3 * buffer[2 * j + 3]);
    });
    return;
  }
  const int64_t grouped = whole_groups(n, c);
  for (int64_t j = 0; j < n; ++j) {
    const A *p = buffer + 2 * j * c, *q = p + c, *r = q + c, *s = r + c;
    auto value = [=](int64_t i) { return (k0 * p[i] + k1 * q[i]) + (k2 * r[i] + k3 * s[i]); };
    j <= grouped ? in_groups(c, out + j * c, value) : one_by_one(c, out + j * c, value);
  }
}

// [count, height, width, channels], the size of `small`, from an image of twice its height and width.
template <Edge edge, typename T>
void halve_size(const Planes& small, const Taps<Accumulate<T>>& taps, const T* in, T* out) {
  using A = Accumulate<T>;
  const int64_t height = 2 * small.height, width = 2 * small.width, c = small.channels;
  const std::vector<T> zeros(edge == Edge::zero ? width * c : 0, T(0));
  for_each_block(small, [&](const Block& b) {
    const int64_t n = b.right - b.left, from = std::max<int64_t>(2 * b.left - 1, 0);
    const int64_t to = std::min(2 * b.right + 1, width);
    std::vector<A> buffer((2 * n + 2) * c + kLanes, A(0));
    A *inside = buffer.data() + (from - (2 * b.left - 1)) * c, *last = buffer.data() + (2 * n + 1) * c;
    auto row_of = [&](int64_t row) {
      if (edge == Edge::replicate) row = std::clamp<int64_t>(row, 0, height - 1);
      return (row < 0 || row >= height ? zeros.data() : in + (b.plane * height + row) * width * c) + from * c;
    };
    const auto [k0, k1, k2, k3] = taps.y;
    for (int64_t y = b.top; y < b.bottom; ++y) {
      const T *p = row_of(2 * y - 1), *q = row_of(2 * y), *r = row_of(2 * y + 1), *s = row_of(2 * y + 2);
      one_by_one((to - from) * c, inside, [=, k0 = k0, k1 = k1, k2 = k2, k3 = k3](int64_t i) {
        return (k0 * static_cast<A>(p[i]) + k1 * static_cast<A>(q[i])) +
               (k2 * static_cast<A>(r[i]) + k3 * static_cast<A>(s[i]));
      });
      if (edge == Edge::replicate && b.left == 0) std::copy_n(buffer.data() + c, c, buffer.data());
      if (edge == Edge::replicate && b.right == small.width) std::copy_n(last - c, c, last);
      narrow(buffer.data(), n, c, taps.x, out + ((b.plane * small.height + y) * small.width + b.left) * c);
    }
  });
}

}  // namespace four_taps
}  // namespace medsegan
