// One kernel that visits a feature map once, and on the way sums over channels and over places.
//
// A sample is a matrix in memory: contiguous maps have channels as rows and places along them, channels-last maps the
// other way round. A block of threads works on a tile of columns and a range of rows. Sums along a row are made by
// shuffles, those down the columns in registers and shared memory; they leave the block as parts, in fixed places, and
// a second kernel adds the parts in a fixed order: no atomics, the same result every time.
#pragma once

#include "../check.h"
#include "launch.h"

#include <algorithm>
#include <initializer_list>
#include <utility>

namespace medsegan {

constexpr int kThreads = 256;

template <typename T, int V>
struct alignas(sizeof(T) * V) Pack {
  T values[V];
};

template <typename T, int V>
__device__ __forceinline__ void load(const T* from, int64_t at, Accumulate<T> (&to)[V]) {
  const Pack<T, V> pack = *reinterpret_cast<const Pack<T, V>*>(from + at);
#pragma unroll
  for (int j = 0; j < V; ++j) to[j] = static_cast<Accumulate<T>>(pack.values[j]);
}

template <typename T, int V>
__device__ __forceinline__ void store(const Accumulate<T> (&from)[V], T* to, int64_t at) {
  Pack<T, V> pack;
#pragma unroll
  for (int j = 0; j < V; ++j) pack.values[j] = static_cast<T>(from[j]);
  *reinterpret_cast<Pack<T, V>*>(to + at) = pack;
}

// What belongs to channels or to places: a value for each of the pack (kAlong), or one for all of it; null gives zeros.
template <bool kAlong, typename T, int V>
__device__ __forceinline__ void load_small(const T* from, int64_t at, Accumulate<T> (&to)[V]) {
  if (kAlong && from) {
    load(from, at, to);
  } else {
    const Accumulate<T> value = from ? static_cast<Accumulate<T>>(from[at]) : Accumulate<T>(0);
#pragma unroll
    for (int j = 0; j < V; ++j) to[j] = value;
  }
}

// Where a pack is: its offset in memory, its first channel, and channel and place counted through all samples.
struct Where {
  int64_t at, channel, channel_of_all, place_of_all;
};

struct Sweep {
  static constexpr int kRowsOfThread = 8;

  int64_t samples, channels, places, rows, width;
  int64_t tiles, splits, rows_of_split;
  int lanes;  // threads along a row, a power of two within a warp
  bool last;  // the channels of a place lie side by side

  Sweep(const Dense& x, int64_t samples_) : samples(samples_), channels(x.channels), last(x.inner == 1) {
    places = last ? x.outer / samples : x.inner;
    rows = last ? places : channels;
    width = last ? channels : places;
  }

  void divide(int values_of_pack) {
    const int64_t packs = (width + values_of_pack - 1) / values_of_pack;
    for (lanes = 1; lanes < 32 && lanes < packs;) lanes *= 2;
    tiles = (packs + lanes - 1) / lanes;
    rows_of_split = static_cast<int64_t>(kThreads / lanes) * kRowsOfThread;
    splits = (rows + rows_of_split - 1) / rows_of_split;
  }

  int64_t parts_by_channel() const { return last ? splits : tiles; }
  int64_t parts_by_place() const { return last ? tiles : splits; }
};

// Body: what is done with a pack. It gives two values for each of its elements: the first is summed over channels
// (kPlaces) and over places (kSums >= 1), the second over places only (kSums == 2).
// by_channel is [samples, parts, kSums, channels], by_place [samples, parts, places].
template <int V, bool kLast, typename A, typename Body>
__global__ void __launch_bounds__(kThreads) sweep_kernel(Sweep map, Body body, A* by_channel, A* by_place) {
  constexpr int kAlongRow = kLast ? (Body::kPlaces ? 1 : 0) : Body::kSums;
  constexpr int kDown = kLast ? Body::kSums : (Body::kPlaces ? 1 : 0);
  __shared__ A shared[kDown ? kDown : 1][kDown ? kThreads * V : 1];
  const int lane = threadIdx.x % map.lanes, group = threadIdx.x / map.lanes, groups = kThreads / map.lanes;
  const int tile_width = map.lanes * V;
  const int64_t tasks = map.samples * map.splits * map.tiles;
  for (int64_t task = blockIdx.x; task < tasks; task += gridDim.x) {
    const int64_t tile = task % map.tiles, split = task / map.tiles % map.splits;
    const int64_t sample = task / map.tiles / map.splits;
    const int64_t column = tile * tile_width + lane * V;
    const int64_t end = min(map.rows, (split + 1) * map.rows_of_split);
    A down[2][V] = {};
    // All threads of a block take the same number of steps: the shuffles need whole warps.
#pragma unroll 4
    for (int64_t base = split * map.rows_of_split; base < end; base += groups) {
      const int64_t row = base + group;
      A values[2][V] = {};
      if (row < end && column < map.width) {
        const int64_t channel = kLast ? column : row, place = kLast ? row : column;
        body(Where{(sample * map.rows + row) * map.width + column, channel, sample * map.channels + channel,
                   sample * map.places + place},
             values);
      }
#pragma unroll
      for (int k = 0; k < kDown; ++k) {
#pragma unroll
        for (int j = 0; j < V; ++j) down[k][j] += values[k][j];
      }
#pragma unroll
      for (int k = 0; k < kAlongRow; ++k) {
        A sum = 0;
#pragma unroll
        for (int j = 0; j < V; ++j) sum += values[k][j];
        for (int offset = map.lanes / 2; offset > 0; offset /= 2) sum += __shfl_xor_sync(0xffffffffu, sum, offset);
        if (lane == 0 && row < end) {
          const int64_t part = sample * map.tiles + tile;
          if (kLast) {
            by_place[part * map.rows + row] = sum;
          } else {
            by_channel[(part * kAlongRow + k) * map.rows + row] = sum;
          }
        }
      }
    }
    if constexpr (kDown > 0) {
#pragma unroll
      for (int k = 0; k < kDown; ++k) {
#pragma unroll
        for (int j = 0; j < V; ++j) shared[k][threadIdx.x * V + j] = down[k][j];
      }
      __syncthreads();
      const int64_t part = sample * map.splits + split;
      for (int i = threadIdx.x; i < tile_width * kDown; i += kThreads) {
        const int k = i / tile_width, c = i % tile_width;
        A sum = 0;
        for (int g = 0; g < groups; ++g) sum += shared[k][g * tile_width + c];
        const int64_t to = tile * tile_width + c;
        if (to < map.width) (kLast ? by_channel : by_place)[(part * kDown + k) * map.width + to] = sum;
      }
      __syncthreads();
    }
  }
}

// to[outer, i] = sum of from[outer, part, i] over the parts, for rows of `width` that lie `stride` apart.
template <typename A, typename T>
__global__ void __launch_bounds__(kThreads) sum_kernel(const A* from, int64_t outer, int64_t parts, int64_t width,
                                                       int64_t stride, int groups, T* to) {
  __shared__ A shared[kThreads];
  const int lanes = kThreads / groups, lane = threadIdx.x % lanes, group = threadIdx.x / lanes;
  const int64_t tiles = (width + lanes - 1) / lanes;
  for (int64_t task = blockIdx.x; task < outer * tiles; task += gridDim.x) {
    const int64_t row = task / tiles, column = task % tiles * lanes + lane;
    A sum = 0;
    if (column < width) {
      for (int64_t part = group; part < parts; part += groups) sum += from[(row * parts + part) * stride + column];
    }
    shared[threadIdx.x] = sum;
    __syncthreads();
    if (group == 0 && column < width) {
      for (int g = 1; g < groups; ++g) sum += shared[g * lanes + lane];
      to[row * width + column] = static_cast<T>(sum);
    }
    __syncthreads();
  }
}

template <typename T, typename A>
void sum_parts(const Tensor& like, const A* from, int64_t outer, int64_t parts, int64_t width, int64_t stride, T* to) {
  int groups = 1;
  while (groups < 32 && groups < parts) groups *= 2;
  const int64_t tiles = (width + kThreads / groups - 1) / (kThreads / groups);
  const int grid = grid_for(outer * tiles, 1);
  sum_kernel<<<grid, kThreads, 0, stream_of(like)>>>(from, outer, parts, width, stride, groups, to);
  check_launch("sum of parts");
}

// Partial sums of a sweep; without any where the body wants none.
template <typename A>
struct Parts {
  Tensor by_channel, by_place;

  Parts(const Tensor& like, const Sweep& map, int sums, bool places)
      : by_channel(make(like, map.samples * map.parts_by_channel() * sums * map.channels)),
        by_place(make(like, places ? map.samples * map.parts_by_place() * map.places : 0)) {}

  static Tensor make(const Tensor& like, int64_t count) {
    using torch::headeronly::ScalarType;
    return torch::stable::new_empty(like, {count}, std::is_same_v<A, double> ? ScalarType::Double : ScalarType::Float);
  }
};

inline bool is_aligned(std::initializer_list<const void*> pointers) {
  return std::all_of(pointers.begin(), pointers.end(),
                     [](const void* p) { return reinterpret_cast<uintptr_t>(p) % 16 == 0; });
}

template <int V, bool kLast, typename A, typename Body>
Parts<A> launch_sweep(const Tensor& like, Sweep& map, const Body& body, const char* op) {
  map.divide(V);
  const Parts<A> parts(like, map, Body::kSums, Body::kPlaces);
  const int grid = grid_for(map.samples * map.splits * map.tiles, 1);
  sweep_kernel<V, kLast><<<grid, kThreads, 0, stream_of(like)>>>(map, body, data<A>(parts.by_channel),
                                                                 data<A>(parts.by_place));
  check_launch(op);
  return parts;
}

// Runs Body<T, kLast>, made by make.operator()<kLast>(), over a map; in packs of 16 bytes where all pointers and the
// length of a row allow it. The map must not be empty.
template <typename T, typename Make>
Parts<Accumulate<T>> sweep(const Tensor& like, Sweep& map, std::initializer_list<const void*> pointers,
                           const Make& make, const char* op) {
  using A = Accumulate<T>;
  constexpr int V = 16 / sizeof(T);
  const bool packed = map.width % V == 0 && is_aligned(pointers);
  if (map.last) {
    const auto body = make.template operator()<true>();
    return packed ? launch_sweep<V, true, A>(like, map, body, op) : launch_sweep<1, true, A>(like, map, body, op);
  }
  const auto body = make.template operator()<false>();
  return packed ? launch_sweep<V, false, A>(like, map, body, op) : launch_sweep<1, false, A>(like, map, body, op);
}

}  // namespace medsegan
