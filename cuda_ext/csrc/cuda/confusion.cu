// How often each class of one volume meets each class of another, on the GPU. See medsegan/ops/confusion.py.
#include "check.h"
#include "cuda/launch.h"

#include <cstdint>

namespace medsegan {
namespace {

constexpr int kThreads = 256;
constexpr int64_t kPerThread = 256;        // voxels, so that runs are added once, not voxel by voxel
constexpr int kSharedCells = 48 * 1024 / 4;  // of a table that fits into the shared memory of every GPU

using Count = unsigned long long;

// A table of counts in shared memory with 32 bits, of which no block fills one; or in global memory with 64.
template <typename Cell>
__device__ void add(Cell* cells, int64_t cell, Count times) {
  if (times) atomicAdd(cells + cell, static_cast<Cell>(times));
}

template <typename T>
struct alignas(16) Pack {
  static constexpr int kLength = 16 / sizeof(T);
  T values[kLength];
};

// Counts runs of equal pairs: memory is touched only where the pair of classes changes.
template <typename T, typename Cell>
struct Counter {
  Cell* cells;
  int64_t n_classes;
  Count* first_bad;
  int64_t cell = 0;
  Count times = 0;

  __device__ void see(T prediction, T reference, int64_t index) {
    const int64_t column = static_cast<int64_t>(prediction), row = static_cast<int64_t>(reference);
    if (column < 0 || column >= n_classes || row < 0 || row >= n_classes) {
      atomicMin(first_bad, static_cast<Count>(index));
      return;
    }
    const int64_t here = row * n_classes + column;
    if (here != cell) {
      add(cells, cell, times);
      cell = here;
      times = 0;
    }
    ++times;
  }
};

template <typename T, typename Cell>
__device__ void count(const T* prediction, const T* reference, int64_t voxels, bool aligned, Counter<T, Cell> counter) {
  const int64_t step = static_cast<int64_t>(gridDim.x) * blockDim.x;
  const int64_t first = static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
  constexpr int kLength = Pack<T>::kLength;
  const int64_t packs = aligned ? voxels / kLength : 0;
  for (int64_t pack = first; pack < packs; pack += step) {
    const Pack<T> p = reinterpret_cast<const Pack<T>*>(prediction)[pack];
    const Pack<T> r = reinterpret_cast<const Pack<T>*>(reference)[pack];
#pragma unroll
    for (int i = 0; i < kLength; ++i) counter.see(p.values[i], r.values[i], pack * kLength + i);
  }
  for (int64_t i = packs * kLength + first; i < voxels; i += step) counter.see(prediction[i], reference[i], i);
  add(counter.cells, counter.cell, counter.times);
}

template <typename T>
__global__ void count_shared(const T* prediction, const T* reference, int64_t voxels, bool aligned, int n_classes,
                             Count* counts, Count* first_bad) {
  extern __shared__ unsigned int cells[];
  for (int i = threadIdx.x; i < n_classes * n_classes; i += blockDim.x) cells[i] = 0;
  __syncthreads();
  count(prediction, reference, voxels, aligned, Counter<T, unsigned int>{cells, n_classes, first_bad});
  __syncthreads();
  for (int i = threadIdx.x; i < n_classes * n_classes; i += blockDim.x) add(counts, i, cells[i]);
}

template <typename T>
__global__ void count_global(const T* prediction, const T* reference, int64_t voxels, bool aligned, int64_t n_classes,
                             Count* counts, Count* first_bad) {
  count(prediction, reference, voxels, aligned, Counter<T, Count>{counts, n_classes, first_bad});
}

void check_cuda(cudaError_t error) {
  STD_TORCH_CHECK(error == cudaSuccess, "confusion: the GPU reports: ", cudaGetErrorString(error));
}

template <typename T>
int64_t value_at(const T* values, int64_t index, cudaStream_t stream) {
  T value;
  check_cuda(cudaMemcpyAsync(&value, values + index, sizeof(T), cudaMemcpyDeviceToHost, stream));
  check_cuda(cudaStreamSynchronize(stream));
  return static_cast<int64_t>(value);
}

// Counts into zeroed `counts`; refuses values that are no class, and names the first.
template <typename T>
void launch(const Tensor& prediction, const Tensor& reference, int64_t n_classes, const Tensor& counts) {
  const T *p = data<T>(prediction), *r = data<T>(reference);
  const int64_t voxels = prediction.numel();
  const bool aligned = (reinterpret_cast<uintptr_t>(p) | reinterpret_cast<uintptr_t>(r)) % sizeof(Pack<T>) == 0;
  const cudaStream_t stream = stream_of(prediction);
  const Tensor bad = torch::stable::new_empty(counts, {1});
  check_cuda(cudaMemsetAsync(bad.data_ptr(), 0xff, sizeof(Count), stream));
  Count* cells = reinterpret_cast<Count*>(data<int64_t>(counts));
  Count* first_bad = reinterpret_cast<Count*>(data<int64_t>(bad));
  const int blocks = grid_for((voxels + kPerThread - 1) / kPerThread, kThreads);
  if (n_classes * n_classes <= kSharedCells) {
    const size_t bytes = n_classes * n_classes * sizeof(unsigned int);
    count_shared<<<blocks, kThreads, bytes, stream>>>(p, r, voxels, aligned, static_cast<int>(n_classes), cells,
                                                      first_bad);
  } else {
    count_global<<<blocks, kThreads, 0, stream>>>(p, r, voxels, aligned, n_classes, cells, first_bad);
  }
  check_launch("confusion");
  Count index;
  check_cuda(cudaMemcpyAsync(&index, first_bad, sizeof index, cudaMemcpyDeviceToHost, stream));
  check_cuda(cudaStreamSynchronize(stream));
  if (index == ~Count{0}) return;
  const int64_t from_prediction = value_at(p, index, stream);
  const bool is_prediction = from_prediction < 0 || from_prediction >= n_classes;
  STD_TORCH_CHECK(false, "the ", is_prediction ? "prediction" : "reference", " holds the value ",
                  is_prediction ? from_prediction : value_at(r, index, stream), ", which is none of the classes 0 to ",
                  n_classes - 1);
}

Tensor confusion(const Tensor& prediction, const Tensor& reference, int64_t n_classes) {
  using torch::headeronly::ScalarType;
  STD_TORCH_CHECK(prediction.numel() == reference.numel() && prediction.scalar_type() == reference.scalar_type(),
                  "prediction and reference must agree in shape and dtype");
  STD_TORCH_CHECK(n_classes > 0, "n_classes must be at least 1, got ", n_classes);
  const DeviceGuard guard(prediction);
  const Tensor p = torch::stable::contiguous(prediction), r = torch::stable::contiguous(reference);
  Tensor counts = torch::stable::new_zeros(p, {n_classes, n_classes}, ScalarType::Long);
  if (p.numel() == 0) return counts;
  THO_DISPATCH_V2(p.scalar_type(), "confusion", AT_WRAP([&] { launch<scalar_t>(p, r, n_classes, counts); }),
                  AT_EXPAND(AT_INTEGRAL_TYPES), ScalarType::UInt16);
  return counts;
}

}  // namespace

STABLE_TORCH_LIBRARY_IMPL(medsegan, CUDA, library) { library.impl("confusion", TORCH_BOX(&confusion)); }

}  // namespace medsegan
