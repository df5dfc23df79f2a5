// Linear interpolation in any direction, straight from the source.
#include "resample3d.h"
#include "resample3d_oblique.h"

#include <limits>

namespace medsegan::resample {
namespace {

template <typename C>
C mix(C a, C b, C rest) {
  return a + rest * (b - a);
}

template <typename T, typename C, typename Index>
struct LinearKernel {
  const Job& job;

  static C blend(const T* q, int64_t dz, int64_t dy, int64_t dx, C z, C y, C x) {
    const C a = mix(static_cast<C>(q[0]), static_cast<C>(q[dx]), x);
    const C b = mix(static_cast<C>(q[dy]), static_cast<C>(q[dy + dx]), x);
    const C c = mix(static_cast<C>(q[dz]), static_cast<C>(q[dz + dx]), x);
    const C d = mix(static_cast<C>(q[dz + dy]), static_cast<C>(q[dz + dy + dx]), x);
    return mix(mix(a, b, y), mix(c, d, y), z);
  }

  void near(const Ray& ray, const Run& run, C* row) const {
    for (int64_t k = run.begin; k < run.end; ++k) {
      const Corner c(job, ray, k);
      row[k * job.target_stride[2]] =
          blend(static_cast<const T*>(job.source) + c.offset, c.next[0], c.next[1], c.next[2], static_cast<C>(c.rest[0]),
                static_cast<C>(c.rest[1]), static_cast<C>(c.rest[2]));
    }
  }

  // First all places, then all values: each loop does one thing to many samples at once.
  void between(const Ray& ray, const Run& run, C* row) const {
    constexpr int kMost = 64;
    Index offset[kMost];
    C rest_z[kMost], rest_y[kMost], rest_x[kMost];
    const int count = static_cast<int>(run.end - run.begin);
    const Index sz = static_cast<Index>(job.source_stride[0]), sy = static_cast<Index>(job.source_stride[1]),
                sx = static_cast<Index>(job.source_stride[2]);
    const Line lz = ray.line[0], ly = ray.line[1], lx = ray.line[2];
    const int first = static_cast<int>(run.begin);
#pragma omp simd
    for (int k = 0; k < count; ++k) {
      const double at = first + k;
      const double z = lz.base + lz.step * at, y = ly.base + ly.step * at, x = lx.base + lx.step * at;
      const int iz = static_cast<int>(z), iy = static_cast<int>(y), ix = static_cast<int>(x);
      rest_z[k] = static_cast<C>(z - iz);
      rest_y[k] = static_cast<C>(y - iy);
      rest_x[k] = static_cast<C>(x - ix);
      offset[k] = static_cast<Index>(iz) * sz + static_cast<Index>(iy) * sy + static_cast<Index>(ix) * sx;
    }
    const T* source = static_cast<const T*>(job.source);
    const int64_t stride = job.target_stride[2];
    C value[kMost];
#pragma omp simd
    for (int k = 0; k < count; ++k) value[k] = blend(source + offset[k], sz, sy, sx, rest_z[k], rest_y[k], rest_x[k]);
    for (int k = 0; k < count; ++k) row[(first + k) * stride] = value[k];
  }
};

}  // namespace

void sample_linear_oblique(const Job& job, Type source) {
  int64_t reach = 0;
  for (int axis = 0; axis < 3; ++axis) reach += std::abs(job.source_stride[axis]) * job.n[axis];
  with_image_type(source, [&](auto value) {
    using T = decltype(value);
    using C = Compute<T>;
    if (reach <= std::numeric_limits<int32_t>::max()) {
      for_each_row<C>(job, LinearKernel<T, C, int32_t>{job});
    } else {
      for_each_row<C>(job, LinearKernel<T, C, int64_t>{job});
    }
  });
}

}  // namespace medsegan::resample
