// Local correlation and self-similarity context on the GPU, and their gradients: medsegan/ops/local_similarity.py.
#include "image_pair.h"
#include "window_march.h"
#include "window_moments.h"

namespace medsegan {
namespace {

constexpr int kThreads = 256;
constexpr int kPairs = 4;

// Values, [N]: a tile adds up what emit returns.
template <int kFields, typename T, typename Load, typename Emit>
void launch_mean(const char* op, const Tensor& x, const Tiling& tiling, const Load& load, const Emit& emit,
                 double per_value, Tensor& out) {
  const cudaStream_t stream = stream_of(x);
  const Tensor partial = torch::stable::new_empty(x, {tiling.tiles()}, torch::headeronly::ScalarType::Double);
  launch_march<kFields>(op, tiling, load, emit, data<double>(partial), stream);
  const double factor = 1.0 / (per_value * static_cast<double>(tiling.values()));
  const int64_t count = x.size(0), per_image = tiling.tiles_per_image();
  sum_of_tiles<T><<<grid_for(count, kThreads), kThreads, 0, stream>>>(data<double>(partial), per_image, factor, count,
                                                                      data<T>(out));
  check_launch(op);
}

// Doubles [fields, N, C, H, W] between two kernels.
Tensor new_fields(const Tensor& x, int64_t fields) {
  return torch::stable::new_empty(x, {fields * x.numel()}, torch::headeronly::ScalarType::Double);
}

// Reads fields that an earlier kernel left.
template <int kFields>
struct LoadFields {
  Tiling tiling;
  const double* fields;
  int64_t values;  // of one field

  __device__ void operator()(int64_t plane, int64_t i, int64_t j, double* out) const {
    for (int f = 0; f < kFields; ++f) out[f] = fields[f * values + tiling.pixel(plane, i, j)];
  }
};

// ---------------------------------------------------------------------------------------------- local correlation

template <typename T>
struct LoadProducts {
  View<T> x, target;

  __device__ void operator()(int64_t plane, int64_t i, int64_t j, double* out) const {
    const double a = x.read(plane, i, j), b = target.read(plane, i, j);
    out[0] = a;
    out[1] = b;
    out[2] = a * b;
    out[3] = a * a;
    out[4] = b * b;
  }
};

__device__ inline WindowMoments moments_of(const double* sums, double share, double flat) {
  return {{sums[0], sums[1], sums[2], sums[3], sums[4]}, share, flat};
}

struct EmitCorrelation {
  Tiling tiling;
  double flat;

  __device__ double operator()(int64_t, int64_t i, int64_t j, const double* sums) const {
    return moments_of(sums, tiling.share(i, j), flat).distance();
  }
};

// What a window hands to its pixels: the factor of the target, that of x, and the offset.
template <typename T>
struct EmitCorrelationFactors {
  Tiling tiling;
  double flat;
  const T* gradient;
  double* fields;
  int64_t values;

  __device__ double operator()(int64_t plane, int64_t i, int64_t j, const double* sums) const {
    const double share = tiling.share(i, j);
    const WindowMoments m = moments_of(sums, share, flat);
    const double g = static_cast<double>(static_cast<Accumulate<T>>(gradient[plane / tiling.channels]));
    const double scale = g * share / static_cast<double>(tiling.channels * tiling.height * tiling.width);
    const double a = scale * m.by_covariance(), b = scale * m.by_half_variance();
    double* out = fields + tiling.pixel(plane, i, j);
    out[0] = a;
    out[values] = b;
    out[2 * values] = a * m.mean_target + b * m.mean_x;
    return 0;
  }
};

template <typename T>
struct EmitCorrelationGradient {
  View<T> x, target, dx;

  __device__ double operator()(int64_t plane, int64_t i, int64_t j, const double* sums) const {
    dx.write(plane, i, j, target.read(plane, i, j) * sums[0] + x.read(plane, i, j) * sums[1] - sums[2]);
    return 0;
  }
};

template <typename T>
void launch_correlation(const Tensor& x, const Tensor& target, Tensor& out, const Tiling& tiling, double flat) {
  const LoadProducts<T> load{View<T>(x), View<T>(target)};
  launch_mean<5, T>("local_correlation", x, tiling, load, EmitCorrelation{tiling, flat}, 1.0, out);
}

template <typename T>
void launch_correlation_grad(const Tensor& gradient, const Tensor& x, const Tensor& target, Tensor& dx,
                             const Tiling& tiling, double flat) {
  const char* op = "local_correlation_grad";
  const Tensor fields = new_fields(x, 3);
  const EmitCorrelationFactors<T> factors{tiling, flat, data<T>(gradient), data<double>(fields), x.numel()};
  launch_march<5>(op, tiling, LoadProducts<T>{View<T>(x), View<T>(target)}, factors, nullptr, stream_of(x));
  const LoadFields<3> load{tiling, data<double>(fields), x.numel()};
  const EmitCorrelationGradient<T> gradients{View<T>(x), View<T>(target), View<T>(dx)};
  launch_march<3>(op, tiling, load, gradients, nullptr, stream_of(x));
}

// ------------------------------------------------------------------------------------------ self-similarity context

// Neighbours in both directions; beyond the edge, the outermost pixels continue the image.
struct Reach {
  int64_t height, width, down, across;

  Reach(const Tensor& x, int64_t dilation)
      : height(x.size(2)),
        width(x.size(3)),
        down(std::min(dilation, height - 1)),
        across(std::min(dilation, width - 1)) {}

  // Differences of the pairs (up, right), (right, down), (down, left), (left, up).
  template <typename T>
  __device__ void differences(const View<T>& image, int64_t plane, int64_t i, int64_t j, double* out) const {
    const double up = image.read(plane, max(i - down, int64_t{0}), j);
    const double low = image.read(plane, min(i + down, height - 1), j);
    const double left = image.read(plane, i, max(j - across, int64_t{0}));
    const double right = image.read(plane, i, min(j + across, width - 1));
    out[0] = up - right;
    out[1] = right - low;
    out[2] = low - left;
    out[3] = left - up;
  }
};

template <typename T>
struct LoadSquares {
  View<T> x, target;
  Reach reach;

  __device__ void operator()(int64_t plane, int64_t i, int64_t j, double* out) const {
    reach.differences(x, plane, i, j, out);
    reach.differences(target, plane, i, j, out + kPairs);
    for (int k = 0; k < 2 * kPairs; ++k) out[k] *= out[k];
  }
};

// Patch distances, their mean bounded from below, and descriptors. NaN is not flat.
struct Descriptors {
  double d[kPairs], m[kPairs], scale;
  bool is_flat;

  __device__ Descriptors(const double* sums, double share, double flat) {
    double mean = 0;
    for (int k = 0; k < kPairs; ++k) {
      d[k] = sums[k] * share;
      mean += d[k] * (1.0 / kPairs);
    }
    is_flat = mean <= flat;
    scale = is_flat ? flat : mean;
    for (int k = 0; k < kPairs; ++k) m[k] = exp(-d[k] / scale);
  }
};

struct EmitContext {
  Tiling tiling;
  double flat;

  __device__ double operator()(int64_t, int64_t i, int64_t j, const double* sums) const {
    const double share = tiling.share(i, j);
    const Descriptors ours(sums, share, flat), theirs(sums + kPairs, share, flat);
    double total = 0;
    for (int k = 0; k < kPairs; ++k) total += (ours.m[k] - theirs.m[k]) * (ours.m[k] - theirs.m[k]);
    return total;
  }
};

// Derivatives by the four sums of squared differences of x.
template <typename T>
struct EmitContextFactors {
  Tiling tiling;
  double flat;
  const T* gradient;
  double* fields;
  int64_t values;

  __device__ double operator()(int64_t plane, int64_t i, int64_t j, const double* sums) const {
    const double share = tiling.share(i, j);
    const Descriptors ours(sums, share, flat), theirs(sums + kPairs, share, flat);
    const double g = static_cast<double>(static_cast<Accumulate<T>>(gradient[plane / tiling.channels]));
    const double scale = 2.0 * g / static_cast<double>(kPairs * tiling.channels * tiling.height * tiling.width);
    double by_exponent[kPairs], by_scale = 0;
    for (int k = 0; k < kPairs; ++k) {
      by_exponent[k] = -scale * (ours.m[k] - theirs.m[k]) * ours.m[k] / ours.scale;
      by_scale -= by_exponent[k] * ours.d[k] / ours.scale;
    }
    const double shared = ours.is_flat ? 0.0 : by_scale / kPairs;
    double* out = fields + tiling.pixel(plane, i, j);
    for (int k = 0; k < kPairs; ++k) out[k * values] = (by_exponent[k] + shared) * share;
    return 0;
  }
};

// Derivatives by the differences of the four pairs.
template <typename T>
struct EmitPairs {
  Tiling tiling;
  View<T> x;
  Reach reach;
  double* fields;
  int64_t values;

  __device__ double operator()(int64_t plane, int64_t i, int64_t j, const double* sums) const {
    double difference[kPairs];
    reach.differences(x, plane, i, j, difference);
    double* out = fields + tiling.pixel(plane, i, j);
    for (int k = 0; k < kPairs; ++k) out[k * values] = 2.0 * difference[k] * sums[k];
    return 0;
  }
};

// Sums over the places whose neighbour `shift` further, continued at the edge, is `at`: first - second of their pairs.
__device__ inline double gather(const double* first, const double* second, int64_t at, int64_t shift, int64_t length,
                                int64_t step) {
  int64_t begin = max(at - shift, int64_t{0}), end = min(at - shift, length - 1);  // one place, or none
  if (at == 0 && shift < 0) begin = 0;  // all that lie too close to this edge
  if (at == length - 1 && shift > 0) end = length - 1;
  double total = 0;
  for (int64_t place = begin; place <= end; ++place) total += first[place * step] - second[place * step];
  return total;
}

// A pixel gets its part from every pair in which it is a neighbour: the first of pair k and the second of pair k - 1.
template <typename T>
__global__ void collect(Tiling tiling, Reach reach, const double* fields, int64_t values, View<T> dx) {
  const int64_t step = static_cast<int64_t>(gridDim.x) * blockDim.x;
  for (int64_t index = static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x; index < values; index += step) {
    const int64_t j = index % reach.width, i = index / reach.width % reach.height;
    const int64_t plane = index / (reach.width * reach.height);
    const double* column = fields + tiling.pixel(plane, 0, j);
    const double* row = fields + tiling.pixel(plane, i, 0);
    double total = gather(column, column + 3 * values, i, -reach.down, reach.height, reach.width);
    total += gather(row + values, row, j, reach.across, reach.width, 1);
    total += gather(column + 2 * values, column + values, i, reach.down, reach.height, reach.width);
    total += gather(row + 3 * values, row + 2 * values, j, -reach.across, reach.width, 1);
    dx.write(plane, i, j, total);
  }
}

template <typename T>
void launch_context(const Tensor& x, const Tensor& target, Tensor& out, const Tiling& tiling, const Reach& reach,
                    double flat) {
  const LoadSquares<T> load{View<T>(x), View<T>(target), reach};
  launch_mean<2 * kPairs, T>("self_similarity", x, tiling, load, EmitContext{tiling, flat}, kPairs, out);
}

template <typename T>
void launch_context_grad(const Tensor& gradient, const Tensor& x, const Tensor& target, Tensor& dx,
                         const Tiling& tiling, const Reach& reach, double flat) {
  const char* op = "self_similarity_grad";
  const cudaStream_t stream = stream_of(x);
  const int64_t values = x.numel();
  const Tensor by_sum = new_fields(x, kPairs), by_difference = new_fields(x, kPairs);
  const EmitContextFactors<T> factors{tiling, flat, data<T>(gradient), data<double>(by_sum), values};
  launch_march<2 * kPairs>(op, tiling, LoadSquares<T>{View<T>(x), View<T>(target), reach}, factors, nullptr, stream);
  const EmitPairs<T> pairs{tiling, View<T>(x), reach, data<double>(by_difference), values};
  launch_march<kPairs>(op, tiling, LoadFields<kPairs>{tiling, data<double>(by_sum), values}, pairs, nullptr, stream);
  collect<T><<<grid_for(values, kThreads), kThreads, 0, stream>>>(tiling, reach, data<double>(by_difference), values,
                                                                  View<T>(dx));
  check_launch(op);
}

// ------------------------------------------------------------------------------------------------------- operators

Tensor local_correlation(const Tensor& x, const Tensor& target, int64_t radius, double flat) {
  require_alike(x, target);
  if (x.numel() == 0) return torch::stable::new_zeros(x, {x.size(0)});
  const DeviceGuard guard(x);
  const Tiling tiling(x, radius);
  Tensor out = torch::stable::new_empty(x, {x.size(0)});
  MEDSEGAN_FLOATING(x, "local_correlation", [&] {
    launch_correlation<scalar_t>(x, target, out, tiling, flat);
  });
  return out;
}

Tensor local_correlation_grad(const Tensor& gradient, const Tensor& x, const Tensor& target, int64_t radius,
                              double flat) {
  require_alike(x, target);
  Tensor dx = torch::stable::empty_like(as_dense(x).tensor);
  if (x.numel() == 0) return dx;
  const DeviceGuard guard(x);
  const Tensor g = require_gradient(gradient, x);
  const Tiling tiling(x, radius);
  MEDSEGAN_FLOATING(x, "local_correlation_grad", [&] {
    launch_correlation_grad<scalar_t>(g, x, target, dx, tiling, flat);
  });
  return dx;
}

Tensor self_similarity(const Tensor& x, const Tensor& target, int64_t radius, int64_t dilation, double flat) {
  require_alike(x, target);
  if (x.numel() == 0) return torch::stable::new_zeros(x, {x.size(0)});
  const DeviceGuard guard(x);
  const Tiling tiling(x, radius);
  const Reach reach(x, dilation);
  Tensor out = torch::stable::new_empty(x, {x.size(0)});
  MEDSEGAN_FLOATING(x, "self_similarity", [&] {
    launch_context<scalar_t>(x, target, out, tiling, reach, flat);
  });
  return out;
}

Tensor self_similarity_grad(const Tensor& gradient, const Tensor& x, const Tensor& target, int64_t radius,
                            int64_t dilation, double flat) {
  require_alike(x, target);
  Tensor dx = torch::stable::empty_like(as_dense(x).tensor);
  if (x.numel() == 0) return dx;
  const DeviceGuard guard(x);
  const Tensor g = require_gradient(gradient, x);
  MEDSEGAN_FLOATING(x, "self_similarity_grad", [&] {
    launch_context_grad<scalar_t>(g, x, target, dx, Tiling(x, radius), Reach(x, dilation), flat);
  });
  return dx;
}

}  // namespace

STABLE_TORCH_LIBRARY_IMPL(medsegan, CUDA, library) {
  library.impl("local_correlation", TORCH_BOX(&local_correlation));
  library.impl("local_correlation_grad", TORCH_BOX(&local_correlation_grad));
  library.impl("self_similarity", TORCH_BOX(&self_similarity));
  library.impl("self_similarity_grad", TORCH_BOX(&self_similarity_grad));
}

}  // namespace medsegan
