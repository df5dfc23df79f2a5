// Exact Euclidean distance transform on the GPU, axis by axis. See medsegan/ops/distance_transform.py.
//
// A warp scans each line of the last axis. Along every other axis a block holds 32 neighbouring lines and finds the
// place of the minimum over p of row[p] + (s (x - p))^2 for the middle x first, then for the quarters between their
// neighbours, and so on: that place grows with x (csrc/voxels/lower_envelope.h does the same). The sums are those of
// the CPU kernel in double, without contraction, so the results are equal to the last bit.
#include "check.h"
#include "cuda/launch.h"
#include "whole_steps.h"

#include <limits>
#include <optional>
#include <tuple>
#include <utility>
#include <vector>

namespace medsegan {
namespace {

constexpr int kWarp = 32;
constexpr int kWarps = 8;
constexpr unsigned kAllLanes = 0xffffffffu;
constexpr int kThreads = 256;

__device__ double squared(int64_t steps, double step) {
  const double distance = __dmul_rn(static_cast<double>(steps), step);
  return __dmul_rn(distance, distance);
}

// places[v]: of the voxel nearest to v that is not in the mask and on its line, the smaller of two, -1 without one;
// values[v]: its squared distance, or infinity.
__global__ void scan_lines(const bool* mask, int64_t lines, int64_t length, double step, int32_t* places,
                           double* values) {
  const int lane = threadIdx.x % kWarp;
  const int64_t warps = static_cast<int64_t>(gridDim.x) * kWarps;
  for (int64_t line = static_cast<int64_t>(blockIdx.x) * kWarps + threadIdx.x / kWarp; line < lines; line += warps) {
    const bool* in = mask + line * length;
    int32_t* place = places + line * length;
    double* value = values + line * length;
    int64_t behind = -1;  // the last voxel outside of the mask in front of this chunk of the line
    for (int64_t start = 0; start < length; start += kWarp) {
      const int64_t k = start + lane;
      const unsigned outside = __ballot_sync(kAllLanes, k < length && !in[k]);
      const unsigned so_far = outside & (kAllLanes >> (kWarp - 1 - lane));
      if (k < length) place[k] = static_cast<int32_t>(so_far ? start + kWarp - 1 - __clz(so_far) : behind);
      if (outside) behind = start + kWarp - 1 - __clz(outside);
    }
    int64_t ahead = -1;  // the first one after this chunk
    for (int64_t start = (length - 1) / kWarp * kWarp; start >= 0; start -= kWarp) {
      const int64_t k = start + lane;
      const unsigned outside = __ballot_sync(kAllLanes, k < length && !in[k]);
      const unsigned from_here = outside & (kAllLanes << lane);
      if (k < length) {
        const int64_t next = from_here ? start + __ffs(from_here) - 1 : ahead;
        const int64_t last = place[k];  // written by this very thread
        const int64_t nearest = last >= 0 && (next < 0 || k - last <= next - k) ? last : next;
        place[k] = static_cast<int32_t>(nearest);
        value[k] = nearest < 0 ? std::numeric_limits<double>::infinity() : squared(k - nearest, step);
      }
      if (outside) ahead = start + __ffs(outside) - 1;
    }
  }
}

// An axis of the volumes as [outer, length, inner]; a line is one of outer * inner.
struct Axis {
  int64_t outer, length, inner;
  double step;
};

// The first of the best places in first..last as seen from x, and its value; -1 and infinity if all are infinite.
__device__ double best_of(const double* line, const Axis& axis, int64_t x, int64_t first, int64_t last,
                          int64_t* place) {
  double best = std::numeric_limits<double>::infinity();
  *place = -1;
  for (int64_t p = first; p <= last; ++p) {
    const double value = __dadd_rn(line[p * axis.inner], squared(x - p, axis.step));
    if (value < best) {
      best = value;
      *place = p;
    }
  }
  return best;
}

// out[x] = min over p of in[p] + (step (x - p))^2 along the axis, and places[x] = the smallest such p, -1 without one.
__global__ void lower_envelope(const double* in, Axis axis, double* out, int32_t* places) {
  const int64_t lines = axis.outer * axis.inner;
  const int64_t step = static_cast<int64_t>(gridDim.x) * kWarp;
  for (int64_t start = static_cast<int64_t>(blockIdx.x) * kWarp; start < lines; start += step) {
    const int64_t line = start + threadIdx.x;
    const bool inside = line < lines;
    const int64_t base = inside ? line / axis.inner * axis.length * axis.inner + line % axis.inner : 0;
    int64_t half = 1;
    while (2 * half <= axis.length) half *= 2;
    for (; half > 0; half /= 2) {
      const int64_t mine = half - 1 + 2 * half * threadIdx.y;
      for (int64_t x = mine; inside && x < axis.length; x += 2 * half * kWarps) {
        const int64_t here = base + x * axis.inner;
        int64_t first = x - half >= 0 ? places[here - half * axis.inner] : 0;
        int64_t last = x + half < axis.length ? places[here + half * axis.inner] : axis.length - 1;
        const double limit = in[here];
        if (first >= 0 && last >= 0 && !isinf(limit)) {
          // Nothing further away than this can be better than what is at x itself.
          const double most = fmin(__dsqrt_rn(limit) / axis.step, static_cast<double>(axis.length));
          const int64_t reach = static_cast<int64_t>(most) + 1;
          first = max(first, x - reach);
          last = min(last, x + reach);
        }
        int64_t place = -1;
        // A neighbour without any finite place has none on its whole line.
        out[here] = first < 0 || last < 0 ? std::numeric_limits<double>::infinity()
                                          : best_of(in + base, axis, x, first, last, &place);
        places[here] = static_cast<int32_t>(place);
      }
      __syncthreads();  // the next level reads the places of this one
    }
  }
}

__global__ void finish(const double* values, int64_t count, double unit, float* distances) {
  const int64_t step = static_cast<int64_t>(gridDim.x) * blockDim.x;
  for (int64_t v = static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x; v < count; v += step) {
    distances[v] = static_cast<float>(__dmul_rn(__dsqrt_rn(values[v]), unit));
  }
}

// Follows the places back through the axes: to a plane, there to a row, there to a voxel. `planes` may be null.
__global__ void follow(const int32_t* planes, const int32_t* rows, const int32_t* places, int64_t count, int64_t n0,
                       int64_t n1, int64_t n2, int64_t* indices) {
  const int64_t step = static_cast<int64_t>(gridDim.x) * blockDim.x;
  for (int64_t v = static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x; v < count; v += step) {
    const int64_t k = v % n2, j = v / n2 % n1, item = v / (n2 * n1 * n0) * n0;
    const int64_t plane = planes ? planes[v] : 0;
    const int64_t row = plane < 0 ? -1 : rows[((item + plane) * n1 + j) * n2 + k];
    const int64_t line = plane * n1 + row;
    indices[v] = row < 0 ? -1 : line * n2 + places[(item * n1 + line) * n2 + k];
  }
}

struct Request {
  Tensor mask;         // contiguous
  int64_t items;       // of the batch
  int64_t shape[3];    // of one item
  double spacing[3];
};

Request request(const Tensor& mask, const std::vector<double>& spacing_mm) {
  const int64_t spatial = static_cast<int64_t>(spacing_mm.size()), batch = mask.dim() - spatial;
  STD_TORCH_CHECK(mask.scalar_type() == torch::headeronly::ScalarType::Bool, "a mask must be bool");
  STD_TORCH_CHECK((spatial == 2 || spatial == 3) && batch >= 0, "a mask of ", mask.dim(), " axes got ", spatial,
                  " spacings, expected one for each of 2 or 3 axes");
  Request result{torch::stable::contiguous(mask), 1, {1, 1, 1}, {1, 1, 1}};
  for (int64_t axis = 0; axis < batch; ++axis) result.items *= mask.size(axis);
  for (int64_t axis = 0; axis < spatial; ++axis) {
    result.shape[3 - spatial + axis] = mask.size(batch + axis);
    result.spacing[3 - spatial + axis] = spacing_mm[axis];
    STD_TORCH_CHECK(spacing_mm[axis] > 0, "spacings must be positive, got ", spacing_mm[axis], " mm");
    STD_TORCH_CHECK(mask.size(batch + axis) <= std::numeric_limits<int32_t>::max(),
                    "no axis of a mask may be longer than 2147483647 voxels");
  }
  return result;
}

void transform_axis(const Tensor& in, const Axis& axis, const Tensor& out, const Tensor& places, cudaStream_t stream) {
  lower_envelope<<<grid_for(axis.outer * axis.inner, kWarp), dim3(kWarp, kWarps), 0, stream>>>(
      data<double>(in), axis, data<double>(out), data<int32_t>(places));
  check_launch("distance_transform");
}

// The distances; and the indices if there is a tensor for them.
Tensor run(const Request& asked, const Tensor* indices) {
  using torch::headeronly::ScalarType;
  const auto [mask, items, shape, spacing] = asked;
  const int64_t count = mask.numel(), n0 = shape[0], n1 = shape[1], n2 = shape[2];
  const auto sizes = mask.sizes();
  Tensor distances = torch::stable::new_empty(mask, sizes, ScalarType::Float);
  if (count == 0) return distances;
  const DeviceGuard guard(mask);
  const cudaStream_t stream = stream_of(mask);
  const Steps steps = whole_steps(shape, spacing);
  const auto room = [&](ScalarType type) { return torch::stable::new_empty(mask, sizes, type); };

  const Tensor voxels = room(ScalarType::Int), rows = room(ScalarType::Int);
  Tensor values = room(ScalarType::Double), other = room(ScalarType::Double);
  scan_lines<<<grid_for(count / n2, kWarps), kWarps * kWarp, 0, stream>>>(
      data<bool>(mask), count / n2, n2, steps.steps[2], data<int32_t>(voxels), data<double>(values));
  check_launch("distance_transform");
  transform_axis(values, {items * n0, n1, n2, steps.steps[1]}, other, rows, stream);
  std::optional<Tensor> planes;
  if (n0 > 1) {
    planes = room(ScalarType::Int);
    transform_axis(other, {items, n0, n1 * n2, steps.steps[0]}, values, *planes, stream);
    std::swap(values, other);
  }
  finish<<<grid_for(count, kThreads), kThreads, 0, stream>>>(data<double>(other), count, steps.unit,
                                                             data<float>(distances));
  check_launch("distance_transform");
  if (indices) {
    follow<<<grid_for(count, kThreads), kThreads, 0, stream>>>(planes ? data<int32_t>(*planes) : nullptr,
                                                               data<int32_t>(rows), data<int32_t>(voxels), count, n0,
                                                               n1, n2, data<int64_t>(*indices));
    check_launch("nearest_outside");
  }
  return distances;
}

Tensor distance_transform(const Tensor& mask, std::vector<double> spacing_mm) {
  return run(request(mask, spacing_mm), nullptr);
}

std::tuple<Tensor, Tensor> nearest_outside(const Tensor& mask, std::vector<double> spacing_mm) {
  const Request asked = request(mask, spacing_mm);
  Tensor indices = torch::stable::new_empty(mask, mask.sizes(), torch::headeronly::ScalarType::Long);
  return {run(asked, &indices), indices};
}

}  // namespace

STABLE_TORCH_LIBRARY_IMPL(medsegan, CUDA, library) {
  library.impl("distance_transform", TORCH_BOX(&distance_transform));
  library.impl("nearest_outside", TORCH_BOX(&nearest_outside));
}

}  // namespace medsegan
