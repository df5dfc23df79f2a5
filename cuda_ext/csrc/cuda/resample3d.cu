// A volume onto another grid, one thread a sample. See medsegan/voxels/resample3d.py for what is computed; here the
// spline of a whole volume is made at once, and details of float rounding differ from the processor's.
#include "../check.h"
#include "launch.h"

#include <cmath>
#include <optional>
#include <vector>

namespace medsegan {
namespace {

using torch::headeronly::ScalarType;

constexpr int kThreads = 256;
constexpr double kFaceTolerance = 1e-6;
constexpr double kPole = -0.26794919243112270647;  // sqrt(3) - 2
constexpr int64_t kHorizon = 40;                   // kPole^40 is nothing, even in double

enum Order : int64_t { kNearest = 0, kLinear = 1, kCubic = 2, kLabelLinear = 3 };

struct Job {
  int64_t n[3], m[3];   // source and target, last axis fastest
  double matrix[3][4];  // source index = matrix * (target index, 1)
  bool has_fill;
  __host__ __device__ int64_t count() const { return m[0] * m[1] * m[2]; }
};

// Where a sample lies. Rounded as on the processor: no multiplication is fused with the addition behind it.
struct Place {
  int64_t first[3];
  double rest[3];
  bool outside, exact;

  __device__ Place(const Job& job, int64_t index) : outside(false), exact(true) {
    const double k = static_cast<double>(index % job.m[2]), j = static_cast<double>(index / job.m[2] % job.m[1]),
                 i = static_cast<double>(index / (job.m[2] * job.m[1]));
    for (int axis = 0; axis < 3; ++axis) {
      const double* row = job.matrix[axis];
      const double base = __dadd_rn(__dadd_rn(row[3], __dmul_rn(row[0], i)), __dmul_rn(row[1], j));
      const double position = __dadd_rn(base, __dmul_rn(row[2], k)), n = static_cast<double>(job.n[axis]);
      outside |= !(position >= -0.5 - kFaceTolerance && position <= n - 0.5 + kFaceTolerance);
      const double clamped = fmin(fmax(0.0, position), n - 1);
      first[axis] = static_cast<int64_t>(clamped);
      rest[axis] = clamped - static_cast<double>(first[axis]);
      exact &= rest[axis] == 0;
    }
  }
  __device__ int64_t offset(const Job& job) const { return (first[0] * job.n[1] + first[1]) * job.n[2] + first[2]; }
  // Step in memory to the second neighbour along an axis; 0 where the first is hit exactly.
  __device__ int64_t next(const Job& job, int axis) const {
    if (rest[axis] == 0) return 0;
    return axis == 0 ? job.n[1] * job.n[2] : axis == 1 ? job.n[2] : 1;
  }
};

template <typename T>
struct Nearest {
  const T* source;
  __device__ T operator()(const Job& job, const Place& at) const {
    int64_t offset = 0;
    for (int axis = 0; axis < 3; ++axis) {
      const double position = static_cast<double>(at.first[axis]) + at.rest[axis];
      offset = offset * job.n[axis] + static_cast<int64_t>(floor(position + 0.5));
    }
    return source[offset];
  }
};

template <typename T>
struct Linear {
  const T* source;
  static __device__ T mix(T a, T b, double rest) { return a + static_cast<T>(rest) * (b - a); }
  __device__ T operator()(const Job& job, const Place& at) const {
    const T* q = source + at.offset(job);
    if (at.exact) return *q;
    const int64_t dz = at.next(job, 0), dy = at.next(job, 1), dx = at.next(job, 2);
    const T a = mix(q[0], q[dx], at.rest[2]), b = mix(q[dy], q[dy + dx], at.rest[2]);
    const T c = mix(q[dz], q[dz + dx], at.rest[2]), d = mix(q[dz + dy], q[dz + dy + dx], at.rest[2]);
    return mix(mix(a, b, at.rest[1]), mix(c, d, at.rest[1]), at.rest[0]);
  }
};

__device__ inline int64_t mirrored(int64_t index, int64_t n) {
  if (n == 1) return 0;
  if (index < 0) index = -index;
  index %= 2 * n - 2;
  return index < n ? index : 2 * n - 2 - index;
}

template <typename T>
struct Cubic {
  const T *source, *coefficients;
  __device__ T operator()(const Job& job, const Place& at) const {
    if (at.exact) return source[at.offset(job)];
    T weight[3][4];
    int64_t tap[3][4];
    for (int axis = 0; axis < 3; ++axis) {
      const T rest = static_cast<T>(at.rest[axis]), other = 1 - rest;
      weight[axis][0] = other * other * other;
      weight[axis][1] = 4 - 3 * rest * rest * (2 - rest);
      weight[axis][2] = 4 - 3 * other * other * (2 - other);
      weight[axis][3] = rest * rest * rest;
      for (int t = 0; t < 4; ++t) tap[axis][t] = mirrored(at.first[axis] + t - 1, job.n[axis]);
    }
    T sum = 0;
    for (int z = 0; z < 4; ++z) {
      T plane = 0;
      for (int y = 0; y < 4; ++y) {
        const T* row = coefficients + (tap[0][z] * job.n[1] + tap[1][y]) * job.n[2];
        T line = 0;
        for (int x = 0; x < 4; ++x) line += weight[2][x] * row[tap[2][x]];
        plane += weight[1][y] * line;
      }
      sum += weight[0][z] * plane;
    }
    return sum;
  }
};

// The label with the largest share of the eight neighbours; on a tie the lower one.
template <typename T>
struct LabelLinear {
  const T* source;
  __device__ T operator()(const Job& job, const Place& at) const {
    const T* q = source + at.offset(job);
    const int64_t dz = at.next(job, 0), dy = at.next(job, 1), dx = at.next(job, 2);
    const T label[8] = {q[0], q[dx], q[dy], q[dy + dx], q[dz], q[dz + dx], q[dz + dy], q[dz + dy + dx]};
    bool same = true;
    for (int corner = 1; corner < 8; ++corner) same &= label[corner] == label[0];
    if (same) return label[0];
    double weight[8];
    for (int corner = 0; corner < 8; ++corner) {
      const double z = corner & 4 ? at.rest[0] : 1 - at.rest[0], y = corner & 2 ? at.rest[1] : 1 - at.rest[1];
      weight[corner] = __dmul_rn(__dmul_rn(z, y), corner & 1 ? at.rest[2] : 1 - at.rest[2]);
    }
    T best = label[0];
    double most = -1;
    for (int one = 0; one < 8; ++one) {
      double sum = 0;
      for (int other = 0; other < 8; ++other) {
        if (label[other] == label[one]) sum = __dadd_rn(sum, weight[other]);
      }
      if (sum > most || (sum == most && label[one] < best)) {
        best = label[one];
        most = sum;
      }
    }
    return best;
  }
};

template <typename T, typename F>
__global__ void sample_kernel(Job job, F value, T fill, T* out) {
  const int64_t count = job.count(), stride = static_cast<int64_t>(gridDim.x) * blockDim.x;
  for (int64_t index = static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x; index < count; index += stride) {
    const Place at(job, index);
    out[index] = job.has_fill && at.outside ? fill : value(job, at);
  }
}

// Six times smaller coefficients of the spline along one axis, one thread a line. Unser 1999, box 2.
template <typename T>
__global__ void filter_kernel(T* values, int64_t lines, int64_t count, int64_t step) {
  const T pole = static_cast<T>(kPole);
  const int64_t stride = static_cast<int64_t>(gridDim.x) * blockDim.x;
  for (int64_t index = static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x; index < lines; index += stride) {
    T* line = values + index / step * step * count + index % step;
    if (count == 1) {
      line[0] /= 6;
      continue;
    }
    // The mirrored past of the first voxel: the line forwards, then backwards, and so on.
    const int64_t period = 2 * count - 2, reach = count > kHorizon ? kHorizon : period;
    double sum = 0, power = 1;
    for (int64_t k = 0; k < reach; ++k, power *= kPole) {
      sum += power * static_cast<double>(line[(k < count ? k : period - k) * step]);
    }
    T last = static_cast<T>(count > kHorizon ? sum : sum / (1 - power));
    line[0] = last;
    T before = last;
    for (int64_t k = 1; k < count; ++k) {
      before = last;
      last = line[k * step] + pole * last;
      line[k * step] = last;
    }
    last = static_cast<T>(kPole / (kPole * kPole - 1)) * (last + pole * before);
    line[(count - 1) * step] = last;
    for (int64_t k = count - 2; k >= 0; --k) {
      last = pole * (last - line[k * step]);
      line[k * step] = last;
    }
  }
}

template <typename T, typename F>
void launch(const Job& job, const F& value, double fill, const Tensor& out) {
  const int grid = grid_for(job.count(), kThreads);
  sample_kernel<T, F><<<grid, kThreads, 0, stream_of(out)>>>(job, value, static_cast<T>(fill), data<T>(out));
  check_launch("resample3d");
}

template <typename T>
void launch_filters(const Job& job, const Tensor& coefficients) {
  const int64_t cells = job.n[0] * job.n[1] * job.n[2];
  int64_t step = 1;
  for (int axis = 2; axis >= 0; --axis) {
    const int64_t lines = cells / job.n[axis];
    filter_kernel<T><<<grid_for(lines, kThreads), kThreads, 0, stream_of(coefficients)>>>(data<T>(coefficients), lines,
                                                                                        job.n[axis], step);
    check_launch("resample3d");
    step *= job.n[axis];
  }
}

template <typename T>
void sample_image(const Job& job, const Tensor& source, int64_t order, double fill, const Tensor& out) {
  if (order == kLinear) return launch<T>(job, Linear<T>{data<T>(source)}, fill, out);
  Tensor coefficients = torch::stable::empty_like(source);
  torch::stable::copy_(coefficients, source);
  launch_filters<T>(job, coefficients);
  launch<T>(job, Cubic<T>{data<T>(source), data<T>(coefficients)}, fill, out);
}

// Calls f with a value of the type in which whole numbers of a dtype are kept; false for other dtypes.
template <typename F>
bool with_whole_type(ScalarType type, const F& f) {
  switch (type) {
    case ScalarType::Bool:
    case ScalarType::Byte: return f(uint8_t{}), true;
    case ScalarType::Char: return f(int8_t{}), true;
    case ScalarType::Short: return f(int16_t{}), true;
    case ScalarType::Int: return f(int32_t{}), true;
    case ScalarType::Long: return f(int64_t{}), true;
    case ScalarType::UInt16: return f(uint16_t{}), true;
    case ScalarType::UInt32: return f(uint32_t{}), true;
    case ScalarType::UInt64: return f(uint64_t{}), true;
    default: return false;
  }
}

template <typename F>
bool with_any_type(ScalarType type, const F& f) {
  switch (type) {
    case ScalarType::Half: return f(torch::headeronly::Half{}), true;
    case ScalarType::BFloat16: return f(torch::headeronly::BFloat16{}), true;
    case ScalarType::Float: return f(float{}), true;
    case ScalarType::Double: return f(double{}), true;
    default: return with_whole_type(type, f);
  }
}

// A contiguous copy in another dtype, or the tensor itself.
Tensor as_type(const Tensor& x, ScalarType type) {
  if (x.scalar_type() == type) return x;
  Tensor other = torch::stable::new_empty(x, x.sizes(), type);
  torch::stable::copy_(other, x);
  return other;
}

bool is_floating(ScalarType type) {
  return type == ScalarType::Half || type == ScalarType::BFloat16 || type == ScalarType::Float || type == ScalarType::Double;
}

Job make_job(const Tensor& volume, const std::vector<double>& matrix, const std::vector<int64_t>& shape, bool has_fill) {
  STD_TORCH_CHECK(volume.dim() == 3, "a volume has three axes, got ", volume.dim());
  STD_TORCH_CHECK(matrix.size() == 12 && shape.size() == 3, "expected 12 numbers of a 3x4 matrix and a shape of 3, got ",
                  matrix.size(), " and ", shape.size());
  Job job{};
  for (int axis = 0; axis < 3; ++axis) {
    job.n[axis] = volume.size(axis);
    job.m[axis] = shape[axis];
    for (int column = 0; column < 4; ++column) job.matrix[axis][column] = matrix[4 * axis + column];
  }
  job.has_fill = has_fill;
  return job;
}

Tensor resample3d(const Tensor& volume, std::vector<double> matrix, std::vector<int64_t> shape, int64_t order,
                  std::optional<double> fill) {
  const Job job = make_job(volume, matrix, shape, fill.has_value());
  const DeviceGuard guard(volume);
  const ScalarType type = volume.scalar_type();
  const bool keeps_type = order == kNearest || order == kLabelLinear;
  const ScalarType result = keeps_type || is_floating(type) ? type : ScalarType::Float;
  const Tensor out = torch::stable::new_empty(volume, shape, result);
  if (job.count() == 0) return out;
  const double value = fill.value_or(0.0);
  if (volume.numel() == 0) {
    STD_TORCH_CHECK(fill.has_value(), "an empty volume has no edge that could be continued; give a fill value");
    return torch::stable::fill_(out, value);
  }
  const Tensor source = torch::stable::contiguous(volume);
  if (order == kNearest) {
    const bool known = with_any_type(type, [&](auto zero) {
      using T = decltype(zero);
      launch<T>(job, Nearest<T>{data<T>(source)}, value, out);
    });
    STD_TORCH_CHECK(known, "resample3d does not know this dtype");
  } else if (order == kLabelLinear) {
    const bool known = with_whole_type(type, [&](auto zero) {
      using T = decltype(zero);
      launch<T>(job, LabelLinear<T>{data<T>(source)}, value, out);
    });
    STD_TORCH_CHECK(known, "labels are integers or bool");
  } else {
    const ScalarType compute = type == ScalarType::Double ? ScalarType::Double : ScalarType::Float;
    const Tensor computable = as_type(source, compute);
    const Tensor sampled = compute == result ? out : torch::stable::new_empty(volume, shape, compute);
    if (compute == ScalarType::Double) sample_image<double>(job, computable, order, value, sampled);
    else sample_image<float>(job, computable, order, value, sampled);
    return as_type(sampled, result);
  }
  return out;
}

}  // namespace

STABLE_TORCH_LIBRARY_IMPL(medsegan, CUDA, library) { library.impl("resample3d", TORCH_BOX(&resample3d)); }

}  // namespace medsegan
