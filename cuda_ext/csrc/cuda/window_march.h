// Sums over square windows of images, clipped at the edges of the image, on the GPU.
#pragma once

#include "check.h"
#include "launch.h"

#include <algorithm>
#include <cstdint>

namespace medsegan {

constexpr int kTileColumns = 64;  // threads of a block, one a column of its tile; a power of two
constexpr int64_t kTileRows = 32;  // rows of a tile, fixed, so that sums do not depend on the GPU
constexpr int64_t kSharedBytes = 48 << 10;  // what every GPU gives a block

// N * C planes of H x W, in tiles, and windows of 2 down + 1 by 2 across + 1 pixels.
struct Tiling {
  int64_t planes, channels, height, width, down, across, tiles_down, tiles_across;

  Tiling(const Tensor& x, int64_t radius)
      : planes(x.size(0) * x.size(1)),
        channels(x.size(1)),
        height(x.size(2)),
        width(x.size(3)),
        down(std::min(radius, height - 1)),
        across(std::min(radius, width - 1)),
        tiles_down((height + kTileRows - 1) / kTileRows),
        tiles_across((width + kTileColumns - 1) / kTileColumns) {}

  C10_HOST_DEVICE int64_t tiles() const { return planes * tiles_down * tiles_across; }
  int64_t values() const { return channels * height * width; }  // of one image
  int64_t tiles_per_image() const { return channels * tiles_down * tiles_across; }

  // One over the number of pixels of the window around a pixel.
  __device__ double share(int64_t i, int64_t j) const {
    const int64_t rows = min(i + down, height - 1) - max(i - down, int64_t{0}) + 1;
    const int64_t columns = min(j + across, width - 1) - max(j - across, int64_t{0}) + 1;
    return 1.0 / (static_cast<double>(rows) * static_cast<double>(columns));
  }

  __device__ int64_t pixel(int64_t plane, int64_t i, int64_t j) const { return (plane * height + i) * width + j; }
};

// A tensor [N, C, H, W] with any strides.
template <typename T>
struct View {
  T* start;
  int64_t channels, by_image, by_channel, by_row, by_column;

  explicit View(const Tensor& x)
      : start(data<T>(x)),
        channels(x.size(1)),
        by_image(x.stride(0)),
        by_channel(x.stride(1)),
        by_row(x.stride(2)),
        by_column(x.stride(3)) {}

  __device__ int64_t place(int64_t plane, int64_t i, int64_t j) const {
    return plane / channels * by_image + plane % channels * by_channel + i * by_row + j * by_column;
  }
  __device__ double read(int64_t plane, int64_t i, int64_t j) const {
    return static_cast<double>(static_cast<Accumulate<T>>(start[place(plane, i, j)]));
  }
  __device__ void write(int64_t plane, int64_t i, int64_t j, double value) const {
    start[place(plane, i, j)] = static_cast<T>(static_cast<Accumulate<T>>(value));
  }
};

// Adds (sign 1) or takes away (sign -1) what a row puts into the sums of this thread's column. All threads call it.
template <int kFields, typename Load>
__device__ void enter_row(const Tiling& tiling, const Load& load, double* shared, int64_t plane, int64_t row,
                          int64_t left, double sign, double (&sums)[kFields]) {
  const int64_t span = kTileColumns + 2 * tiling.across;
  for (int64_t c = threadIdx.x; c < span; c += kTileColumns) {
    const int64_t column = left - tiling.across + c;
    double values[kFields] = {};
    if (column >= 0 && column < tiling.width) load(plane, row, column, values);
    for (int f = 0; f < kFields; ++f) shared[f * span + c] = values[f];
  }
  __syncthreads();
  for (int f = 0; f < kFields; ++f) {
    const double* field = shared + f * span + threadIdx.x;
    double total = 0;
    for (int64_t k = 0; k <= 2 * tiling.across; ++k) total += field[k];
    sums[f] += sign * total;
  }
  __syncthreads();
}

// Goes down every tile, row by row: load(plane, row, column, values) gives the quantities of one pixel, and
// emit(plane, row, column, sums) gets their sums over the window. What emit returns is summed over the tile into
// partial[tile], unless that is null.
template <int kFields, typename Load, typename Emit>
__global__ void march(Tiling tiling, Load load, Emit emit, double* partial) {
  extern __shared__ double shared[];
  for (int64_t tile = blockIdx.x; tile < tiling.tiles(); tile += gridDim.x) {
    const int64_t plane = tile / (tiling.tiles_down * tiling.tiles_across);
    const int64_t top = tile / tiling.tiles_across % tiling.tiles_down * kTileRows;
    const int64_t left = tile % tiling.tiles_across * kTileColumns, column = left + threadIdx.x;
    double sums[kFields] = {}, total = 0;
    int64_t oldest = max(top - tiling.down, int64_t{0}), next = oldest;
    for (int64_t i = top; i < min(top + kTileRows, tiling.height); ++i) {
      for (; oldest < i - tiling.down; ++oldest) enter_row(tiling, load, shared, plane, oldest, left, -1.0, sums);
      for (; next <= min(i + tiling.down, tiling.height - 1); ++next) {
        enter_row(tiling, load, shared, plane, next, left, 1.0, sums);
      }
      if (column < tiling.width) total += emit(plane, i, column, sums);
    }
    if (partial == nullptr) continue;
    shared[threadIdx.x] = total;  // the last enter_row ended with a barrier
    __syncthreads();
    for (int half = kTileColumns / 2; half > 0; half /= 2) {
      if (threadIdx.x < half) shared[threadIdx.x] += shared[threadIdx.x + half];
      __syncthreads();
    }
    if (threadIdx.x == 0) partial[tile] = shared[0];
    __syncthreads();
  }
}

template <int kFields, typename Load, typename Emit>
void launch_march(const char* op, const Tiling& tiling, const Load& load, const Emit& emit, double* partial,
                  cudaStream_t stream) {
  constexpr int64_t kPixelBytes = kFields * static_cast<int64_t>(sizeof(double));
  constexpr int64_t kMostAcross = (kSharedBytes / kPixelBytes - kTileColumns) / 2;
  STD_TORCH_CHECK(tiling.across <= kMostAcross, op, ": the radius on a GPU is at most ", kMostAcross, ", got ",
                  tiling.across);
  const int64_t bytes = kPixelBytes * (kTileColumns + 2 * tiling.across);
  march<kFields><<<grid_for(tiling.tiles(), 1), kTileColumns, bytes, stream>>>(tiling, load, emit, partial);
  check_launch(op);
}

// out[n] = the sum of an image's tiles, in their order, times factor.
template <typename T>
__global__ void sum_of_tiles(const double* partial, int64_t per_image, double factor, int64_t count, T* out) {
  const int64_t step = static_cast<int64_t>(gridDim.x) * blockDim.x;
  for (int64_t n = static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x; n < count; n += step) {
    double total = 0;
    for (int64_t k = 0; k < per_image; ++k) total += partial[n * per_image + k];
    out[n] = static_cast<T>(static_cast<Accumulate<T>>(total * factor));
  }
}

}  // namespace medsegan
