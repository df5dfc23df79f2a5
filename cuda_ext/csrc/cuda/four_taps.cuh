// Doubling and halving of images with four taps along both axes, on a GPU. One thread works down a few rows of one
// column group and keeps what it has filtered along the width in registers, so that each input is read about once.
#pragma once

#include "../image2d.h"
#include "launch.h"

#include <cstdint>

namespace medsegan::four_taps {

constexpr int kThreads = 256;
constexpr int64_t kMostRows = 8;             // of the smaller image, for one thread
constexpr int64_t kEnoughThreads = 1 << 17;  // below that, fewer rows each

// Taps that the host knows; or four that lie on the device, to be multiplied by them.
template <typename A>
struct Weights {
  Taps<A> known;
  const A* given;
  bool flip;

  __device__ Taps<A> get() const {
    Taps<A> taps = known;
    if (given) {
#pragma unroll
      for (int k = 0; k < 4; ++k) {
        const A tap = given[flip ? k : 3 - k];  // a convolution is a correlation with the filter turned round
        taps.x[k] *= tap;
        taps.y[k] *= tap;
      }
    }
    return taps;
  }
};

// V values that are moved in one instruction.
template <typename T, int V>
struct alignas(sizeof(T) * V) Pack {
  T values[V];
};

template <int V, typename T, typename A>
__device__ inline void load(const T* from, A* to) {
  const Pack<T, V> pack = *reinterpret_cast<const Pack<T, V>*>(from);
#pragma unroll
  for (int v = 0; v < V; ++v) to[v] = static_cast<A>(pack.values[v]);
}

template <int V, typename T, typename A>
__device__ inline void store(T* to, const A* from) {
  Pack<T, V> pack;
#pragma unroll
  for (int v = 0; v < V; ++v) pack.values[v] = static_cast<T>(from[v]);
  *reinterpret_cast<Pack<T, V>*>(to) = pack;
}

template <Edge edge, int V, typename T, typename A>
__device__ inline void load_pixel(const T* row, int64_t pixel, int64_t width, int64_t channels, int64_t c, A* to) {
  const int64_t inside = pixel < 0 ? 0 : (pixel >= width ? width - 1 : pixel);
  load<V>(row + inside * channels + c, to);
  if (edge == Edge::zero && inside != pixel) {
#pragma unroll
    for (int v = 0; v < V; ++v) to[v] = A(0);
  }
}

// 2 * V values; a single pair may lie anywhere, since an image may begin anywhere in memory.
template <int V, typename T, typename A>
__device__ inline void load_pairs(const T* from, A* to) {
  if constexpr (V == 1) {
    load<1>(from, to);
    load<1>(from + 1, to + 1);
  } else {
    load<2 * V>(from, to);
  }
}

// Where a thread works: V values along the width (one channel) or V channels of one pixel, of rows [top, bottom).
struct Place {
  int64_t plane, top, bottom, x, c;
};

template <bool channels_last, int V>
__device__ inline Place place_of(int64_t index, const Planes& small, int64_t rows) {
  const int64_t blocks = (small.height + rows - 1) / rows;
  const int64_t groups = channels_last ? small.channels / V : 1;
  const int64_t columns = channels_last ? small.width : small.width / V;
  Place p;
  p.c = index % groups * V;
  index /= groups;
  p.x = index % columns * (channels_last ? 1 : V);
  index /= columns;
  p.top = index % blocks * rows;
  p.plane = index / blocks;
  p.bottom = p.top + rows < small.height ? p.top + rows : small.height;
  return p;
}

// 2 * V values of a row of the larger image: neighbours (NCHW), or V channels of the even and then of the odd pixel.
template <Edge edge, bool channels_last, int V, typename T, typename A>
__device__ inline void widen(const T* row, const Planes& s, const Place& p, const A (&k)[4], A (&out)[2 * V]) {
  if constexpr (channels_last) {
    A before[V], here[V], after[V];
    load_pixel<edge, V>(row, p.x - 1, s.width, s.channels, p.c, before);
    load_pixel<edge, V>(row, p.x, s.width, s.channels, p.c, here);
    load_pixel<edge, V>(row, p.x + 1, s.width, s.channels, p.c, after);
#pragma unroll
    for (int v = 0; v < V; ++v) {
      out[v] = k[0] * before[v] + k[2] * here[v];
      out[V + v] = k[1] * here[v] + k[3] * after[v];
    }
  } else {
    A in[V + 2];
    load_pixel<edge, 1>(row, p.x - 1, s.width, 1, 0, in);
    load<V>(row + p.x, in + 1);
    load_pixel<edge, 1>(row, p.x + V, s.width, 1, 0, in + V + 1);
#pragma unroll
    for (int v = 0; v < V; ++v) {
      out[2 * v] = k[0] * in[v] + k[2] * in[v + 1];
      out[2 * v + 1] = k[1] * in[v + 1] + k[3] * in[v + 2];
    }
  }
}

template <bool channels_last, int V, typename T, typename A>
__device__ inline void store_pair(T* row, const Planes& s, const Place& p, A ka, const A (&a)[2 * V], A kb,
                                  const A (&b)[2 * V]) {
  A sum[2 * V];
#pragma unroll
  for (int v = 0; v < 2 * V; ++v) sum[v] = ka * a[v] + kb * b[v];
  if constexpr (channels_last) {
    store<V>(row + 2 * p.x * s.channels + p.c, sum);
    store<V>(row + (2 * p.x + 1) * s.channels + p.c, sum + V);
  } else {
    store<2 * V>(row + 2 * p.x, sum);
  }
}

template <Edge edge, bool channels_last, int V, typename T, typename A>
__global__ void __launch_bounds__(kThreads)
    double_kernel(Planes s, Weights<A> weights, int64_t rows, int64_t items, const T* __restrict__ in, T* __restrict__ out) {
  const Taps<A> taps = weights.get();
  const int64_t step = static_cast<int64_t>(gridDim.x) * blockDim.x;
  for (int64_t index = blockIdx.x * static_cast<int64_t>(blockDim.x) + threadIdx.x; index < items; index += step) {
    const Place p = place_of<channels_last, V>(index, s, rows);
    const int64_t stride = s.width * s.channels;
    const auto read = [&](int64_t y, A(&to)[2 * V]) {
      const int64_t inside = y < 0 ? 0 : (y >= s.height ? s.height - 1 : y);
      widen<edge, channels_last, V>(in + (p.plane * s.height + inside) * stride, s, p, taps.x, to);
      if (edge == Edge::zero && inside != y) {
#pragma unroll
        for (int v = 0; v < 2 * V; ++v) to[v] = A(0);
      }
    };
    A above[2 * V], below[2 * V];
    read(p.top - 1, above);
    for (int64_t y = p.top; y <= p.bottom; ++y) {
      read(y, below);
      T* odd = out + (p.plane * 2 * s.height + 2 * y - 1) * 2 * stride;
      if (y > p.top) store_pair<channels_last, V>(odd, s, p, taps.y[1], above, taps.y[3], below);
      if (y < p.bottom) store_pair<channels_last, V>(odd + 2 * stride, s, p, taps.y[0], above, taps.y[2], below);
#pragma unroll
      for (int v = 0; v < 2 * V; ++v) above[v] = below[v];
    }
  }
}

// V values of a row of the smaller image, from a row of the larger one.
template <Edge edge, bool channels_last, int V, typename T, typename A>
__device__ inline void narrow(const T* row, const Planes& s, const Place& p, const A (&k)[4], A (&out)[V]) {
  if constexpr (channels_last) {
    A in[4][V];
#pragma unroll
    for (int t = 0; t < 4; ++t) load_pixel<edge, V>(row, 2 * p.x - 1 + t, 2 * s.width, s.channels, p.c, in[t]);
#pragma unroll
    for (int v = 0; v < V; ++v) out[v] = k[0] * in[0][v] + k[1] * in[1][v] + k[2] * in[2][v] + k[3] * in[3][v];
  } else {
    A in[2 * V + 2];
    load_pixel<edge, 1>(row, 2 * p.x - 1, 2 * s.width, 1, 0, in);
    load_pairs<V>(row + 2 * p.x, in + 1);
    load_pixel<edge, 1>(row, 2 * (p.x + V), 2 * s.width, 1, 0, in + 2 * V + 1);
#pragma unroll
    for (int v = 0; v < V; ++v) {
      out[v] = k[0] * in[2 * v] + k[1] * in[2 * v + 1] + k[2] * in[2 * v + 2] + k[3] * in[2 * v + 3];
    }
  }
}

template <Edge edge, bool channels_last, int V, typename T, typename A>
__global__ void __launch_bounds__(kThreads)
    halve_kernel(Planes s, Weights<A> weights, int64_t rows, int64_t items, const T* __restrict__ in, T* __restrict__ out) {
  const Taps<A> taps = weights.get();
  const int64_t step = static_cast<int64_t>(gridDim.x) * blockDim.x;
  for (int64_t index = blockIdx.x * static_cast<int64_t>(blockDim.x) + threadIdx.x; index < items; index += step) {
    const Place p = place_of<channels_last, V>(index, s, rows);
    const int64_t stride = s.width * s.channels, height = 2 * s.height;
    const auto read = [&](int64_t y, A(&to)[V]) {
      const int64_t inside = y < 0 ? 0 : (y >= height ? height - 1 : y);
      narrow<edge, channels_last, V>(in + (p.plane * height + inside) * 2 * stride, s, p, taps.x, to);
      if (edge == Edge::zero && inside != y) {
#pragma unroll
        for (int v = 0; v < V; ++v) to[v] = A(0);
      }
    };
    A row[4][V];
    read(2 * p.top - 1, row[0]);
    read(2 * p.top, row[1]);
    for (int64_t y = p.top; y < p.bottom; ++y) {
      read(2 * y + 1, row[2]);
      read(2 * y + 2, row[3]);
      A sum[V];
#pragma unroll
      for (int v = 0; v < V; ++v) {
        sum[v] = taps.y[0] * row[0][v] + taps.y[1] * row[1][v] + taps.y[2] * row[2][v] + taps.y[3] * row[3][v];
        row[0][v] = row[2][v];
        row[1][v] = row[3][v];
      }
      store<V>(out + (p.plane * s.height + y) * stride + p.x * s.channels + p.c, sum);
    }
  }
}

enum class Way { twice, half };

template <Way way, Edge edge, bool channels_last, int V, typename T, typename A>
void launch_width(const Planes& s, const Weights<A>& w, const T* in, T* out, cudaStream_t stream, const char* op) {
  const int64_t columns = s.count * s.width * s.channels / V;
  int64_t rows = kMostRows;
  while (rows > 1 && columns * ((s.height + rows - 1) / rows) < kEnoughThreads) rows /= 2;
  const int64_t items = columns * ((s.height + rows - 1) / rows);
  const int blocks = grid_for(items, kThreads);
  if constexpr (way == Way::twice) {
    double_kernel<edge, channels_last, V><<<blocks, kThreads, 0, stream>>>(s, w, rows, items, in, out);
  } else {
    halve_kernel<edge, channels_last, V><<<blocks, kThreads, 0, stream>>>(s, w, rows, items, in, out);
  }
  check_launch(op);
}

// Doubles an image like `s` into `out`, or halves one of twice that size. Packs of 16 bytes where every row allows it.
template <Way way, Edge edge, typename T, typename A>
void launch(const Planes& s, bool channels_last, const Weights<A>& w, const T* in, T* out, cudaStream_t stream,
            const char* op) {
  constexpr int kPack = 16 / static_cast<int>(sizeof(T)), kHalf = kPack > 1 ? kPack / 2 : 1;
  const bool aligned = reinterpret_cast<uintptr_t>(in) % 16 == 0 && reinterpret_cast<uintptr_t>(out) % 16 == 0;
  if (channels_last && aligned && s.channels % kPack == 0) {
    launch_width<way, edge, true, kPack>(s, w, in, out, stream, op);
  } else if (channels_last) {
    launch_width<way, edge, true, 1>(s, w, in, out, stream, op);
  } else if (aligned && s.width % kHalf == 0) {
    launch_width<way, edge, false, kHalf>(s, w, in, out, stream, op);
  } else {
    launch_width<way, edge, false, 1>(s, w, in, out, stream, op);
  }
}

}  // namespace medsegan::four_taps
