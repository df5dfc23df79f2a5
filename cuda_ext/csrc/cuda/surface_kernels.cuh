// The kernels of surface_distances.cu: boxes of classes, elements of surfaces in order, and their nearest neighbours.
#pragma once

#include <cuda_runtime.h>
#include <math_constants.h>

#include <climits>
#include <cstdint>

namespace medsegan {
namespace {

constexpr int kThreads = 256;
constexpr int kWarp = 32;
constexpr unsigned kAllLanes = 0xffffffffu;
constexpr int64_t kChunk = 4096;    // places whose elements one block counts and lists
constexpr int kScanThreads = 1024;  // of the one block that adds up the counts
constexpr int kNone = INT_MAX;      // in a row without any element

struct Extent {
  int64_t n0, n1, n2;
  __host__ __device__ int64_t count() const { return n0 * n1 * n2; }
};

struct Spacing {
  double mm[3];
  __device__ double squared(int axis, int64_t steps) const {
    const double length = static_cast<double>(steps) * mm[axis];
    return length * length;
  }
};

// The first and last voxel of a class along each axis.
struct Box {
  int low[3], high[3];
};

// One class of a volume inside its box; false everywhere else.
template <typename T>
struct Mask {
  const T* volume;
  Extent size;
  int64_t low[3];
  Extent box;
  T label;

  __device__ bool at(int64_t x, int64_t y, int64_t z) const {
    if (x < 0 || y < 0 || z < 0 || x >= box.n0 || y >= box.n1 || z >= box.n2) return false;
    return volume[((low[0] + x) * size.n1 + low[1] + y) * size.n2 + low[2] + z] == label;
  }
};

__device__ inline int64_t first_item() { return static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x; }
__device__ inline int64_t item_step() { return static_cast<int64_t>(gridDim.x) * blockDim.x; }

// Position in the sorted labels, -1 for a value that is none of them.
__device__ inline int find_label(const int64_t* labels, int n_labels, int64_t value) {
  int low = 0, high = n_labels;
  while (low < high) {
    const int middle = (low + high) / 2;
    if (labels[middle] < value) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low < n_labels && labels[low] == value ? low : -1;
}

// Widens the box of every label to hold its voxels. What is read of a box may be old: that costs an idle atomic.
template <typename T>
__global__ void find_boxes(const T* volume, Extent size, const int64_t* labels, int n_labels, Box* boxes) {
  T last = 0;
  int index = find_label(labels, n_labels, 0);
  for (int64_t i = first_item(); i < size.count(); i += item_step()) {
    const T value = volume[i];
    if (value != last) {
      last = value;
      index = find_label(labels, n_labels, static_cast<int64_t>(value));
    }
    if (index < 0) continue;
    const int place[3] = {static_cast<int>(i / (size.n1 * size.n2)), static_cast<int>(i / size.n2 % size.n1),
                          static_cast<int>(i % size.n2)};
    for (int axis = 0; axis < 3; ++axis) {
      int *low = boxes[index].low + axis, *high = boxes[index].high + axis;
      if (place[axis] < *static_cast<volatile int*>(low)) atomicMin(low, place[axis]);
      if (place[axis] > *static_cast<volatile int*>(high)) atomicMax(high, place[axis]);
    }
  }
}

// Of every place of the box: 0 where there is no element, 1 for a surface voxel.
template <typename T>
__global__ void mark_voxels(Mask<T> mask, Extent places, uint8_t* codes) {
  for (int64_t i = first_item(); i < places.count(); i += item_step()) {
    const int64_t x = i / (places.n1 * places.n2), y = i / places.n2 % places.n1, z = i % places.n2;
    const bool inside = mask.at(x - 1, y, z) && mask.at(x + 1, y, z) && mask.at(x, y - 1, z) && mask.at(x, y + 1, z) &&
                        mask.at(x, y, z - 1) && mask.at(x, y, z + 1);
    codes[i] = mask.at(x, y, z) && !inside;
  }
}

// The same for surfels; where there is one, which of the eight voxels around it are inside. A place lies between the
// voxels before it and those with its own index.
template <typename T>
__global__ void mark_surfels(Mask<T> mask, Extent places, uint8_t* codes) {
  for (int64_t i = first_item(); i < places.count(); i += item_step()) {
    const int64_t x = i / (places.n1 * places.n2), y = i / places.n2 % places.n1, z = i % places.n2;
    int code = 0;
    for (int corner = 0; corner < 8; ++corner) {
      code = code << 1 | mask.at(x - 1 + (corner >> 2), y - 1 + (corner >> 1 & 1), z - 1 + (corner & 1));
    }
    codes[i] = code == 255 ? 0 : code;
  }
}

// How many elements lie in each chunk of places.
__global__ void count_elements(const uint8_t* codes, int64_t count, int64_t* totals) {
  __shared__ int total;
  if (threadIdx.x == 0) total = 0;
  __syncthreads();
  const int64_t start = blockIdx.x * kChunk, end = min(start + kChunk, count);
  int mine = 0;
  for (int64_t i = start + threadIdx.x; i < end; i += blockDim.x) mine += codes[i] != 0;
  if (mine) atomicAdd(&total, mine);
  __syncthreads();
  if (threadIdx.x == 0) totals[blockIdx.x] = total;
}

// Replaces each total by the sum of those before it; the sum of all goes behind them. For one block.
__global__ void add_up(int64_t* totals, int64_t count) {
  __shared__ int64_t sums[kScanThreads];
  const int64_t share = (count + kScanThreads - 1) / kScanThreads;
  const int64_t start = min(threadIdx.x * share, count), end = min(start + share, count);
  int64_t mine = 0;
  for (int64_t i = start; i < end; ++i) mine += totals[i];
  sums[threadIdx.x] = mine;
  __syncthreads();
  for (int distance = 1; distance < kScanThreads; distance *= 2) {
    const int64_t before = threadIdx.x >= distance ? sums[threadIdx.x - distance] : 0;
    __syncthreads();
    sums[threadIdx.x] += before;
    __syncthreads();
  }
  int64_t before = sums[threadIdx.x] - mine;
  for (int64_t i = start; i < end; ++i) {
    const int64_t total = totals[i];
    totals[i] = before;
    before += total;
  }
  if (threadIdx.x == kScanThreads - 1) totals[count] = sums[threadIdx.x];
}

// The places of all elements in their order. A block walks through its chunk, 256 places at a time.
__global__ void list_elements(const uint8_t* codes, int64_t count, const int64_t* begins, int64_t* elements) {
  __shared__ int in_warp[kThreads / kWarp];
  const int lane = threadIdx.x % kWarp, warp = threadIdx.x / kWarp;
  const int64_t start = blockIdx.x * kChunk, end = min(start + kChunk, count);
  int64_t out = begins[blockIdx.x];
  for (int64_t base = start; base < end; base += kThreads) {
    const int64_t i = base + threadIdx.x;
    const bool is_element = i < end && codes[i] != 0;
    const unsigned ballot = __ballot_sync(kAllLanes, is_element);
    if (lane == 0) in_warp[warp] = __popc(ballot);
    __syncthreads();
    int64_t mine = out + __popc(ballot & ((1u << lane) - 1u));
    for (int w = 0; w < kThreads / kWarp; ++w) {
      if (w < warp) mine += in_warp[w];
      out += in_warp[w];
    }
    if (is_element) elements[mine] = i;
    __syncthreads();  // in_warp is written again
  }
}

// Steps from every place along its row to the nearest element there. One warp walks a row, there and back.
__global__ void nearest_in_row(const uint8_t* codes, Extent places, int* steps) {
  const int lane = threadIdx.x % kWarp;
  const int64_t warps = item_step() / kWarp, last_chunk = (places.n2 - 1) / kWarp * kWarp;
  for (int64_t row = first_item() / kWarp; row < places.n0 * places.n1; row += warps) {
    const uint8_t* in = codes + row * places.n2;
    int* out = steps + row * places.n2;
    int64_t nearest = -1;
    for (int64_t base = 0; base < places.n2; base += kWarp) {
      const int64_t z = base + lane;
      const unsigned here = __ballot_sync(kAllLanes, z < places.n2 && in[z] != 0);
      const unsigned before = here & ((2u << lane) - 1u);
      const int64_t found = before ? base + (kWarp - 1 - __clz(before)) : nearest;
      if (z < places.n2) out[z] = found < 0 ? kNone : static_cast<int>(z - found);
      if (here) nearest = base + (kWarp - 1 - __clz(here));
    }
    nearest = -1;
    for (int64_t base = last_chunk; base >= 0; base -= kWarp) {
      const int64_t z = base + lane;
      const unsigned here = __ballot_sync(kAllLanes, z < places.n2 && in[z] != 0);
      const unsigned after = here & ~((1u << lane) - 1u);
      const int64_t found = after ? base + (__ffs(after) - 1) : nearest;
      if (z < places.n2 && found >= 0) out[z] = min(out[z], static_cast<int>(found - z));
      if (here) nearest = base + (__ffs(here) - 1);
    }
  }
}

// Squared mm from every place to the nearest element in its plane, from those in the rows, the nearest rows first.
__global__ void nearest_in_plane(const int* steps, Extent places, Spacing spacing, double* squared_mm) {
  for (int64_t i = first_item(); i < places.count(); i += item_step()) {
    const int64_t y = i / places.n2 % places.n1;
    double best = CUDART_INF;
    for (int64_t d = 0; d < places.n1; ++d) {
      const double across = spacing.squared(1, d);
      if (across >= best || (y < d && y + d >= places.n1)) break;
      const int before = y >= d ? steps[i - d * places.n2] : kNone;
      const int after = y + d < places.n1 ? steps[i + d * places.n2] : kNone;
      const int nearer = min(before, after);
      if (nearer != kNone) best = fmin(best, across + spacing.squared(2, nearer));
    }
    squared_mm[i] = best;
  }
}

// The distance from each listed element to the nearest of the other surface, from those in its planes.
__global__ void nearest_of_elements(const double* squared_mm, Extent places, Spacing spacing, const int64_t* elements,
                                    int64_t count, double* distances) {
  const int64_t plane = places.n1 * places.n2;
  for (int64_t n = first_item(); n < count; n += item_step()) {
    const int64_t i = elements[n], x = i / plane;
    double best = CUDART_INF;
    for (int64_t d = 0; d < places.n0; ++d) {
      const double across = spacing.squared(0, d);
      if (across >= best || (x < d && x + d >= places.n0)) break;
      if (x >= d) best = fmin(best, across + squared_mm[i - d * plane]);
      if (x + d < places.n0) best = fmin(best, across + squared_mm[i + d * plane]);
    }
    distances[n] = sqrt(best);
  }
}

// The area of each listed surfel; 1 for voxels, for which there is no table.
__global__ void weigh(const uint8_t* codes, const double* area_of_code, const int64_t* elements, int64_t count,
                      double* weights) {
  for (int64_t n = first_item(); n < count; n += item_step()) {
    weights[n] = area_of_code ? area_of_code[codes[elements[n]]] : 1.0;
  }
}

__global__ void fill(double* values, int64_t count, double value) {
  for (int64_t n = first_item(); n < count; n += item_step()) values[n] = value;
}

}  // namespace
}  // namespace medsegan
