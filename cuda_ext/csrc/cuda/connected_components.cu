// Connected components on the GPU: every voxel points to an earlier one of its component, or to itself; trees that
// touch are joined by atomic minima until each component is one tree, whose root is its first voxel in raster order.
// The order in which that happens does not change the result. See medsegan/ops/connected_components.py.
//
// After Playne and Hawick, "A new algorithm for parallel connected-component labelling on GPUs", IEEE TPDS 29 (2018).
#include "check.h"
#include "cuda/launch.h"
#include "largest_of_class.h"

#include <limits>
#include <optional>
#include <tuple>
#include <vector>

namespace medsegan {
namespace {

constexpr int kThreads = 256;
constexpr int kWarp = 32;
constexpr unsigned kAllLanes = 0xffffffffu;
constexpr int64_t kChunk = 4096;     // voxels whose roots one block counts and numbers
constexpr int kScanThreads = 1024;   // of the one block that adds up the counts

struct Extent {
  int64_t depth, height, width;
  __host__ __device__ int64_t count() const { return depth * height * width; }
};

// How far apart along the row two voxels of neighbouring rows may be; -1 = those rows do not touch.
struct Reach {
  int side, corner;
};

// The first of a warp's 32 neighbouring voxels for each turn of a loop over all; a warp stays together in it.
__device__ int64_t warp_start() {
  return static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x / kWarp * kWarp;
}

__device__ int64_t grid_step() { return static_cast<int64_t>(gridDim.x) * blockDim.x; }

// Points every voxel to the start of its run of equal values, as far as 32 voxels reach; background to -1.
template <typename T, typename Index>
__global__ void plant(const T* labels, Index* parent, Extent extent) {
  const int lane = threadIdx.x % kWarp;
  const int64_t count = extent.count();
  for (int64_t start = warp_start(); start < count; start += grid_step()) {
    const int64_t i = start + lane;
    const T value = i < count ? labels[i] : T(0);
    const bool goes_on = value != 0 && i % extent.width > 0 && labels[i - 1] == value;
    const unsigned begins = __ballot_sync(kAllLanes, !goes_on) & ((2u << lane) - 1u);
    if (i >= count) continue;  // the last turn of its warp
    // Where no run begins up to here, the run came from the voxel in front of the warp's first.
    const int64_t first = begins ? start + (kWarp - 1 - __clz(begins)) : start - 1;
    parent[i] = value != 0 ? static_cast<Index>(first) : Index(-1);
  }
}

template <typename Index>
__device__ Index load(const Index* parent, Index i) {
  return *static_cast<const volatile Index*>(parent + i);
}

// The root of the tree of i.
template <typename Index>
__device__ Index find_root(const Index* parent, Index i) {
  for (Index above = load(parent, i); above != i; above = load(parent, i)) i = above;
  return i;
}

// The same, hanging the voxels on the way higher. Only while trees are joined: others write there as well, and the
// last one wins. Each writes what is above the voxel in its tree, and a voxel that is no root never is one again.
template <typename Index>
__device__ Index find_root_and_shorten(Index* parent, Index i) {
  Index above = load(parent, i);
  while (above != i) {
    const Index top = load(parent, above);
    if (top != above) *static_cast<volatile Index*>(parent + i) = top;
    i = above;
    above = top;
  }
  return i;
}

template <typename Index>
__device__ void join(Index* parent, Index a, Index b) {
  while (true) {
    a = find_root_and_shorten(parent, a);
    b = find_root_and_shorten(parent, b);
    if (a == b) return;
    if (a < b) {
      const Index swap = a;
      a = b;
      b = swap;
    }
    const Index old = atomicMin(parent + a, b);
    if (old == a) return;
    a = old;  // another thread hung the tree of a elsewhere first: what it hung it under belongs to b as well
  }
}

// Joins voxel i with the row in which voxel j has the same place along x. What a neighbour in i's own run joins is
// not joined again.
template <typename T, typename Index>
__device__ void join_row(const T* labels, Index* parent, int64_t i, int64_t j, int64_t x, int64_t width, int reach) {
  const T value = labels[i];
  const bool goes_on = x > 0 && labels[i - 1] == value;
  if (labels[j] == value) {
    if (!(goes_on && labels[j - 1] == value)) join(parent, static_cast<Index>(i), static_cast<Index>(j));
    return;
  }
  if (reach == 0) return;
  if (x > 0 && !goes_on && labels[j - 1] == value) join(parent, static_cast<Index>(i), static_cast<Index>(j - 1));
  if (x + 1 < width && labels[j + 1] == value) join(parent, static_cast<Index>(i), static_cast<Index>(j + 1));
}

template <typename T, typename Index>
__global__ void join_rows(const T* labels, Index* parent, Extent extent, Reach reach) {
  const int64_t count = extent.count(), width = extent.width, plane = extent.height * width;
  for (int64_t i = static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x; i < count; i += grid_step()) {
    if (labels[i] == 0) continue;
    const int64_t x = i % width, y = i / width % extent.height, z = i / plane;
    if (y > 0) join_row(labels, parent, i, i - width, x, width, reach.side);
    if (z == 0) continue;
    join_row(labels, parent, i, i - plane, x, width, reach.side);
    if (reach.corner < 0) continue;
    if (y > 0) join_row(labels, parent, i, i - plane - width, x, width, reach.corner);
    if (y + 1 < extent.height) join_row(labels, parent, i, i - plane + width, x, width, reach.corner);
  }
}

// Points every voxel to its root. No other thread writes there: a voxel that is read points somewhere above itself,
// before and after.
template <typename Index>
__global__ void flatten(Index* parent, int64_t count) {
  for (int64_t i = static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x; i < count; i += grid_step()) {
    if (load(parent, static_cast<Index>(i)) < 0) continue;
    const Index root = find_root(parent, static_cast<Index>(i));
    if (root != static_cast<Index>(i)) *static_cast<volatile Index*>(parent + i) = root;
  }
}

template <typename Index>
__device__ bool is_root(const Index* parent, int64_t i, int64_t count) {
  return i < count && parent[i] == static_cast<Index>(i);
}

// How many roots lie in each chunk.
template <typename Index>
__global__ void count_roots(const Index* parent, int64_t count, int64_t* totals) {
  const int64_t start = blockIdx.x * kChunk;
  int64_t total = 0;
  for (int64_t i = start + threadIdx.x; i < start + kChunk; i += kThreads) {
    total += __syncthreads_count(is_root(parent, i, count));
  }
  if (threadIdx.x == 0) totals[blockIdx.x] = total;
}

// Replaces totals[0..n) by the sums of all before each, and writes the sum of all to totals[n]. One block.
__global__ void add_up(int64_t* totals, int64_t n) {
  __shared__ int64_t sums[kScanThreads];
  const int me = threadIdx.x;
  int64_t before = 0;
  for (int64_t start = 0; start < n; start += kScanThreads) {
    const int64_t own = start + me < n ? totals[start + me] : 0;
    sums[me] = own;
    __syncthreads();
    for (int step = 1; step < kScanThreads; step *= 2) {
      const int64_t left = me >= step ? sums[me - step] : 0;
      __syncthreads();
      sums[me] += left;
      __syncthreads();
    }
    if (start + me < n) totals[start + me] = before + sums[me] - own;
    before += sums[kScanThreads - 1];
    __syncthreads();
  }
  if (me == 0) totals[n] = before;
}

// Numbers the roots in raster order from 1, and notes the class of each.
template <typename T, typename Index>
__global__ void number_roots(const T* labels, const Index* parent, int64_t count, const int64_t* before,
                             int32_t* components, T* classes) {
  __shared__ int in_warp[kThreads / kWarp];
  const int lane = threadIdx.x % kWarp, warp = threadIdx.x / kWarp;
  const int64_t start = blockIdx.x * kChunk;
  int64_t next = before[blockIdx.x];
  for (int64_t tile = start; tile < start + kChunk; tile += kThreads) {
    const int64_t i = tile + threadIdx.x;
    const bool root = is_root(parent, i, count);
    const unsigned roots = __ballot_sync(kAllLanes, root);
    if (lane == 0) in_warp[warp] = __popc(roots);
    __syncthreads();
    int64_t number = next + __popc(roots & ((1u << lane) - 1u));
    for (int w = 0; w < kThreads / kWarp; ++w) {
      if (w < warp) number += in_warp[w];
      next += in_warp[w];
    }
    if (root) {
      components[i] = static_cast<int32_t>(number + 1);
      classes[number] = labels[i];
    }
    __syncthreads();
  }
}

// Gives every voxel the number of its root, and counts; voxels of one component in a warp are counted at once.
template <typename Index>
__global__ void paint(const Index* parent, int64_t count, int32_t* components, unsigned long long* sizes) {
  const int lane = threadIdx.x % kWarp;
  for (int64_t start = warp_start(); start < count; start += grid_step()) {
    const int64_t i = start + lane;
    const Index root = i < count ? parent[i] : Index(-1);
    const int32_t number = root < 0 ? 0 : components[root];  // only roots have theirs yet, and keep it
    const unsigned same = __match_any_sync(kAllLanes, number);
    if (i < count && root != static_cast<Index>(i)) components[i] = number;
    if (number > 0 && lane == __ffs(same) - 1) {
      atomicAdd(sizes + number - 1, static_cast<unsigned long long>(__popc(same)));
    }
  }
}

template <typename T>
__global__ void keep(const T* labels, const int32_t* components, const char* stays, int64_t count, T* kept) {
  for (int64_t i = static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x; i < count; i += grid_step()) {
    const int32_t number = components[i];
    kept[i] = number > 0 && stays[number - 1] ? labels[i] : T(0);
  }
}

struct Found {
  Tensor components, sizes, classes;
};

template <typename T, typename Index>
Found find_with(const Tensor& labels, const Extent& extent, Reach reach) {
  const cudaStream_t stream = stream_of(labels);
  const int64_t count = extent.count(), chunks = (count + kChunk - 1) / kChunk;
  STD_TORCH_CHECK(chunks <= std::numeric_limits<int32_t>::max(), "connected_components: too many voxels: ", count);
  const int grid = grid_for(count, kThreads);
  using torch::headeronly::ScalarType;
  const ScalarType index = sizeof(Index) == 4 ? ScalarType::Int : ScalarType::Long;
  const Tensor parents = torch::stable::new_empty(labels, {count}, index);
  const Tensor totals = torch::stable::new_empty(labels, {chunks + 1}, ScalarType::Long);
  const T* values = data<T>(labels);
  Index* parent = data<Index>(parents);
  plant<<<grid, kThreads, 0, stream>>>(values, parent, extent);
  check_launch("connected_components");
  join_rows<<<grid, kThreads, 0, stream>>>(values, parent, extent, reach);
  check_launch("connected_components");
  flatten<<<grid, kThreads, 0, stream>>>(parent, count);
  check_launch("connected_components");
  count_roots<<<static_cast<unsigned>(chunks), kThreads, 0, stream>>>(parent, count, data<int64_t>(totals));
  check_launch("connected_components");
  add_up<<<1, kScanThreads, 0, stream>>>(data<int64_t>(totals), chunks);
  check_launch("connected_components");
  int64_t n = 0;
  cudaMemcpyAsync(&n, data<int64_t>(totals) + chunks, sizeof(n), cudaMemcpyDeviceToHost, stream);
  const cudaError_t error = cudaStreamSynchronize(stream);
  STD_TORCH_CHECK(error == cudaSuccess, "connected_components: ", cudaGetErrorString(error));
  STD_TORCH_CHECK(n <= std::numeric_limits<int32_t>::max(), "connected_components: ", n,
                  " components are more than an int32 can number");
  Found found{torch::stable::new_empty(labels, {labels.numel()}, ScalarType::Int),
              torch::stable::new_zeros(labels, {n}, ScalarType::Long), torch::stable::new_empty(labels, {n})};
  number_roots<<<static_cast<unsigned>(chunks), kThreads, 0, stream>>>(
      values, parent, count, data<int64_t>(totals), data<int32_t>(found.components), data<T>(found.classes));
  check_launch("connected_components");
  paint<<<grid, kThreads, 0, stream>>>(parent, count, data<int32_t>(found.components),
                                       data<unsigned long long>(found.sizes));
  check_launch("connected_components");
  return found;
}

Extent extent_of(const Tensor& labels) {
  STD_TORCH_CHECK(labels.dim() == 2 || labels.dim() == 3,
                  "components are found in two or three dimensions, got a tensor of ", labels.dim());
  return {labels.dim() == 3 ? labels.size(0) : 1, labels.size(labels.dim() - 2), labels.size(labels.dim() - 1)};
}

Reach reach_of(int64_t connectivity, int64_t dims) {
  if (dims == 2) {
    STD_TORCH_CHECK(connectivity == 4 || connectivity == 8, "in 2 dimensions a voxel has 4 or 8 neighbours, got ",
                    connectivity);
    return {connectivity == 4 ? 0 : 1, -1};
  }
  STD_TORCH_CHECK(connectivity == 6 || connectivity == 18 || connectivity == 26,
                  "in 3 dimensions a voxel has 6 or 18 or 26 neighbours, got ", connectivity);
  return {connectivity == 6 ? 0 : 1, connectivity == 6 ? -1 : (connectivity == 18 ? 0 : 1)};
}

template <typename T>
Found find(const Tensor& labels, int64_t connectivity) {
  const Extent extent = extent_of(labels);
  const Reach reach = reach_of(connectivity, labels.dim());
  using torch::headeronly::ScalarType;
  if (extent.count() == 0) {
    return {torch::stable::new_empty(labels, {0}, ScalarType::Int),
            torch::stable::new_empty(labels, {0}, ScalarType::Long), torch::stable::new_empty(labels, {0})};
  }
  if (extent.count() <= std::numeric_limits<int32_t>::max()) return find_with<T, int>(labels, extent, reach);
  return find_with<T, long long>(labels, extent, reach);
}

// Labels are only compared: their size in bytes decides, not their sign.
template <typename T>
using Raw = std::conditional_t<sizeof(T) <= 2, std::conditional_t<sizeof(T) == 1, uint8_t, uint16_t>,
                               std::conditional_t<sizeof(T) == 4, uint32_t, uint64_t>>;

template <typename T>
Tensor keep_largest_of(const Tensor& labels, int64_t connectivity, const std::optional<std::vector<int64_t>>& classes) {
  const Found found = find<Raw<T>>(labels, connectivity);
  const Tensor kept = torch::stable::empty_like(labels);
  const int64_t count = labels.numel(), n = found.sizes.numel();
  if (count == 0) return kept;
  if (n == 0) return torch::stable::fill_(kept, 0);
  const cudaStream_t stream = stream_of(labels);
  // Which components stay is decided on the host: they are few, and this waits for no more than their number did.
  std::vector<int64_t> sizes(n);
  std::vector<Raw<T>> values(n);
  cudaMemcpyAsync(sizes.data(), found.sizes.data_ptr(), n * sizeof(int64_t), cudaMemcpyDeviceToHost, stream);
  cudaMemcpyAsync(values.data(), found.classes.data_ptr(), n * sizeof(T), cudaMemcpyDeviceToHost, stream);
  const cudaError_t error = cudaStreamSynchronize(stream);
  STD_TORCH_CHECK(error == cudaSuccess, "keep_largest: ", cudaGetErrorString(error));
  const std::vector<char> stays = largest_of_class<int64_t>(
      n, [&](int64_t index) { return static_cast<int64_t>(static_cast<T>(values[index])); },
      [&](int64_t index) { return sizes[index]; }, classes ? &*classes : nullptr);
  const Tensor flags = torch::stable::new_empty(labels, {n}, torch::headeronly::ScalarType::Char);
  cudaMemcpyAsync(flags.data_ptr(), stays.data(), n, cudaMemcpyHostToDevice, stream);
  keep<<<grid_for(count, kThreads), kThreads, 0, stream>>>(data<Raw<T>>(labels), data<int32_t>(found.components),
                                                           data<char>(flags), count, data<Raw<T>>(kept));
  check_launch("keep_largest");
  // The flags came from memory of the host that ends here.
  const cudaError_t done = cudaStreamSynchronize(stream);
  STD_TORCH_CHECK(done == cudaSuccess, "keep_largest: ", cudaGetErrorString(done));
  return kept;
}

std::tuple<Tensor, Tensor, Tensor> connected_components(const Tensor& given, int64_t connectivity) {
  const DeviceGuard guard(given);
  const Tensor labels = torch::stable::contiguous(given);
  Found found;
  THO_DISPATCH_V2(labels.scalar_type(), "connected_components", AT_WRAP([&] {
    found = find<Raw<scalar_t>>(labels, connectivity);
  }), AT_EXPAND(AT_INTEGRAL_TYPES_V2), torch::headeronly::ScalarType::Bool);
  return {torch::stable::view(found.components, labels.sizes()), found.sizes, found.classes};
}

Tensor keep_largest(const Tensor& given, int64_t connectivity, std::optional<std::vector<int64_t>> classes) {
  const DeviceGuard guard(given);
  const Tensor labels = torch::stable::contiguous(given);
  Tensor kept;
  THO_DISPATCH_V2(labels.scalar_type(), "keep_largest", AT_WRAP([&] {
    kept = keep_largest_of<scalar_t>(labels, connectivity, classes);
  }), AT_EXPAND(AT_INTEGRAL_TYPES_V2), torch::headeronly::ScalarType::Bool);
  return kept;
}

}  // namespace

STABLE_TORCH_LIBRARY_IMPL(medsegan, CUDA, library) {
  library.impl("connected_components", TORCH_BOX(&connected_components));
  library.impl("keep_largest", TORCH_BOX(&keep_largest));
}

}  // namespace medsegan
