// Cubic B-spline interpolation in any direction: brick by brick, 64 coefficients a sample.
#include "resample3d.h"
#include "resample3d_brick.h"
#include "resample3d_oblique.h"

#include <cstring>

namespace medsegan::resample {
namespace {

template <typename T>
class ObliqueSpline {
  using C = Compute<T>;
  typedef C Four __attribute__((vector_size(4 * sizeof(C))));

 public:
  explicit ObliqueSpline(const Job& job) : job_(job) {
    const int64_t extra[3] = {2 * kMargin<C>, 2 * kMargin<C>, 2 * kMargin<C>};
    tiles_ = choose_tiles(job, extra, int64_t{1} << 20, 1);
  }

  void run() {
    parallel_for(tiles_.count(), job_.threads, [&](int64_t index) {
      Run tile[3];
      tiles_.place(index, tile);
      Brick<C> brick{};
      if (!find_brick(tile, brick)) {
        const Run nothing[3] = {{0, 0}, {0, 0}, {0, 0}};
        fill_around<C>(job_, tile, nothing);
        return;
      }
      auto memory = scratch_.take();
      if (static_cast<int64_t>(memory->size()) < brick.cells()) {
        memory->clear();  // so that growing copies nothing
        memory->resize(brick.cells());
      }
      brick.values = memory->data();
      brick.template load<T>(job_);
      for (int axis = 0; axis < 3; ++axis) filter_axis(brick, job_, axis);
      brick.mirror(job_);
      for (int64_t i = tile[0].begin; i < tile[0].end; ++i) {
        for (int64_t j = tile[1].begin; j < tile[1].end; ++j) sample_row(i, j, tile[2], brick);
      }
      scratch_.give(std::move(memory));
    });
  }

 private:
  const Job& job_;
  Tiles tiles_;
  Scratch<C> scratch_;

  // The part of the source that a tile needs; false if all of it lies outside. The extremes are at the tile's corners.
  bool find_brick(const Run (&tile)[3], Brick<C>& brick) const {
    for (int axis = 0; axis < 3; ++axis) {
      double low = INFINITY, high = -INFINITY;
      for (int corner = 0; corner < 8; ++corner) {
        const Ray ray(job_, corner & 4 ? tile[0].end - 1 : tile[0].begin, corner & 2 ? tile[1].end - 1 : tile[1].begin);
        const double position = ray.line[axis](corner & 1 ? tile[2].end - 1 : tile[2].begin);
        low = std::min(low, position);
        high = std::max(high, position);
      }
      if (job_.fill && !(high >= low_face() && low <= high_face(job_.n[axis]))) return false;
      const int64_t first = static_cast<int64_t>(clamp_to_centres(low, job_.n[axis]));
      const int64_t last = static_cast<int64_t>(clamp_to_centres(high, job_.n[axis]));
      brick.cover(axis, first - 1, last + 2, job_.n[axis], kMargin<C>);
    }
    return true;
  }

  void sample_row(int64_t i, int64_t j, const Run& columns, const Brick<C>& brick) const {
    const Ray ray(job_, i, j);
    const Run run = job_.fill ? ray.within_faces(job_, columns) : columns;
    C* row = static_cast<C*>(job_.target) + i * job_.target_stride[0] + j * job_.target_stride[1];
    for (int64_t k = columns.begin; k < columns.end; ++k) {
      const bool inside = k >= run.begin && k < run.end;
      row[k * job_.target_stride[2]] = inside ? value_at(ray, k, brick) : *static_cast<const C*>(job_.fill);
    }
  }

  C value_at(const Ray& ray, int64_t k, const Brick<C>& brick) const {
    const C* from = brick.values;
    C weight[3][4];
    for (int axis = 0; axis < 3; ++axis) {
      const double position = clamp_to_centres(ray.line[axis](k), job_.n[axis]);
      const int64_t first = static_cast<int64_t>(position);
      spline_weights(static_cast<C>(position - static_cast<double>(first)), weight[axis]);
      from += (first - 1 - brick.origin[axis]) * brick.stride(axis);
    }
    const int64_t plane = brick.stride(0), line = brick.stride(1);
    Four sum = {0, 0, 0, 0};
    for (int z = 0; z < 4; ++z) {
      Four part = {0, 0, 0, 0};
      for (int y = 0; y < 4; ++y) {
        Four four;
        std::memcpy(&four, from + z * plane + y * line, sizeof four);
        part += weight[1][y] * four;
      }
      sum += weight[0][z] * part;
    }
    return (weight[2][0] * sum[0] + weight[2][1] * sum[1]) + (weight[2][2] * sum[2] + weight[2][3] * sum[3]);
  }
};

}  // namespace

void sample_cubic_oblique(const Job& job, Type source) {
  with_image_type(source, [&](auto value) { ObliqueSpline<decltype(value)>(job).run(); });
}

}  // namespace medsegan::resample
