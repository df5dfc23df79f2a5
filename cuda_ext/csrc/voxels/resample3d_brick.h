// A box of the source in float or double, small enough to stay in cache, and the coefficients of its cubic B-spline.
#pragma once

#include "resample3d.h"

#include <memory>
#include <mutex>

namespace medsegan::resample {

constexpr double kPole = -0.26794919243112270647;  // sqrt(3) - 2

// A coefficient feels a voxel at distance d by kPole^d: 1e-8 for float, and 4e-12 for double, of the range of values.
template <typename C>
constexpr int64_t kMargin = std::is_same_v<C, double> ? 20 : 14;

inline int64_t mirrored(int64_t index, int64_t n) {
  if (n == 1) return 0;
  const int64_t period = 2 * n - 2;
  index = ((index % period) + period) % period;
  return index < n ? index : period - index;
}

// Memory for the bricks at work: as many as there are threads, used again and again.
template <typename C>
class Scratch {
 public:
  std::unique_ptr<std::vector<C>> take() {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (free_.empty()) return std::make_unique<std::vector<C>>();
    auto last = std::move(free_.back());
    free_.pop_back();
    return last;
  }
  void give(std::unique_ptr<std::vector<C>> buffer) {
    const std::lock_guard<std::mutex> lock(mutex_);
    free_.push_back(std::move(buffer));
  }

 private:
  std::mutex mutex_;
  std::vector<std::unique_ptr<std::vector<C>>> free_;
};

// Source indices [origin, origin + size) along each axis; those beyond the volume are mirrored at its edge voxels.
template <typename C>
struct Brick {
  int64_t origin[3], size[3];
  C* values;

  int64_t cells() const { return size[0] * size[1] * size[2]; }
  int64_t stride(int axis) const { return axis == 0 ? size[1] * size[2] : axis == 1 ? size[2] : 1; }

  // Makes room for the taps [first, last], with a margin wherever the axis is filtered.
  void cover(int axis, int64_t first, int64_t last, int64_t n, int64_t margin) {
    origin[axis] = std::min(first, std::max<int64_t>(0, first - margin));
    size[axis] = std::max(last, std::min(n - 1, last + margin)) + 1 - origin[axis];
  }

  // The part of an axis that lies in the volume, in indices of the brick.
  Run real(int axis, int64_t n) const {
    return {std::max<int64_t>(0, -origin[axis]), std::min(size[axis], n - origin[axis])};
  }

  template <typename T>
  void load(const Job& job) {
    const Run z = real(0, job.n[0]), y = real(1, job.n[1]), x = real(2, job.n[2]);
    const int64_t step = job.source_stride[2];
    for (int64_t i = z.begin; i < z.end; ++i) {
      for (int64_t j = y.begin; j < y.end; ++j) {
        const T* from = static_cast<const T*>(job.source) + (origin[0] + i) * job.source_stride[0] +
                        (origin[1] + j) * job.source_stride[1] + origin[2] * step;
        C* row = values + (i * size[1] + j) * size[2];
        if (step == 1) {
          for (int64_t k = x.begin; k < x.end; ++k) row[k] = static_cast<C>(from[k]);
        } else {
          for (int64_t k = x.begin; k < x.end; ++k) row[k] = static_cast<C>(from[k * step]);
        }
      }
    }
  }

  // Copies what lies beyond the volume from its mirror image; axes in any order, the box grows with each.
  void mirror(const Job& job) {
    Run box[3] = {real(0, job.n[0]), real(1, job.n[1]), real(2, job.n[2])};
    for (int axis = 0; axis < 3; ++axis) {
      const Run inner = box[axis];
      for (int64_t at = 0; at < size[axis]; ++at) {
        if (at >= inner.begin && at < inner.end) continue;
        const int64_t from = mirrored(at + origin[axis], job.n[axis]) - origin[axis];
        copy_plane(axis, from, at, box);
      }
      box[axis] = {0, size[axis]};
    }
  }

 private:
  void copy_plane(int axis, int64_t from, int64_t to, const Run (&box)[3]) {
    const int a = axis == 0 ? 1 : 0, b = axis == 2 ? 1 : 2;
    for (int64_t i = box[a].begin; i < box[a].end; ++i) {
      for (int64_t j = box[b].begin; j < box[b].end; ++j) {
        C* base = values + i * stride(a) + j * stride(b);
        base[to * stride(axis)] = base[from * stride(axis)];
      }
    }
  }
};

// Turns `count` samples, `step` apart, of `lanes` neighbouring lines into coefficients of the cubic B-spline that passes
// through them, times 1/6. Beyond both ends they are mirrored (Unser, "Splines", IEEE Signal Processing Magazine 1999,
// box 2); where an end is not the volume's, this is wrong by kPole^margin at the margin's far side.
template <typename C>
void filter_lines(C* values, int64_t count, int64_t step, int64_t lanes) {
  if (count == 1) {
    for (int64_t lane = 0; lane < lanes; ++lane) values[lane] /= C(6);
    return;
  }
  const C pole = static_cast<C>(kPole);
  const int64_t horizon = std::min<int64_t>(count, 2 * kMargin<C>);
  // The first causal value is the sum over the mirrored past; on a short line the past repeats.
  double weight[2 * kMargin<C>];
  double power = 1, back = std::pow(kPole, 2.0 * static_cast<double>(count - 1));
  const double repeats = horizon < count ? 1 : 1 / (1 - back);
  for (int64_t k = 0; k < horizon; ++k, power *= kPole) {
    const bool has_twin = horizon == count && k > 0 && k < count - 1;
    weight[k] = repeats * (power + (has_twin ? back / power : 0.0));
  }
  for (int64_t lane = 0; lane < lanes; ++lane) values[lane] *= static_cast<C>(weight[0]);
  for (int64_t k = 1; k < horizon; ++k) {
    const C w = static_cast<C>(weight[k]);
    const C* row = values + k * step;
#pragma omp simd
    for (int64_t lane = 0; lane < lanes; ++lane) values[lane] += w * row[lane];
  }
  for (int64_t k = 1; k < count; ++k) {
    C *row = values + k * step, *last = row - step;
#pragma omp simd
    for (int64_t lane = 0; lane < lanes; ++lane) row[lane] += pole * last[lane];
  }
  C *end = values + (count - 1) * step, *before = end - step;
  const C closing = static_cast<C>(kPole / (kPole * kPole - 1));
#pragma omp simd
  for (int64_t lane = 0; lane < lanes; ++lane) end[lane] = closing * (end[lane] + pole * before[lane]);
  for (int64_t k = count - 2; k >= 0; --k) {
    C *row = values + k * step, *next = row + step;
#pragma omp simd
    for (int64_t lane = 0; lane < lanes; ++lane) row[lane] = pole * (next[lane] - row[lane]);
  }
}

// Filters the part of the brick that lies in the volume along one axis.
template <typename C>
void filter_axis(Brick<C>& brick, const Job& job, int axis) {
  const Run z = brick.real(0, job.n[0]), y = brick.real(1, job.n[1]), x = brick.real(2, job.n[2]);
  const int64_t width = x.end - x.begin;
  auto at = [&](int64_t i, int64_t j) { return brick.values + i * brick.stride(0) + j * brick.stride(1) + x.begin; };
  if (axis == 0) {
    for (int64_t j = y.begin; j < y.end; ++j) filter_lines(at(z.begin, j), z.end - z.begin, brick.stride(0), width);
    return;
  }
  if (axis == 1) {
    for (int64_t i = z.begin; i < z.end; ++i) filter_lines(at(i, y.begin), y.end - y.begin, brick.stride(1), width);
    return;
  }
  constexpr int64_t kLanes = 16;  // rows side by side, turned so that they are filtered at once
  std::vector<C> turned(width * kLanes);
  for (int64_t i = z.begin; i < z.end; ++i) {
    for (int64_t j = y.begin; j < y.end; j += kLanes) {
      const int64_t rows = std::min(kLanes, y.end - j);
      C* first = at(i, j);
      for (int64_t r = 0; r < rows; ++r) {
        for (int64_t k = 0; k < width; ++k) turned[k * kLanes + r] = first[r * brick.stride(1) + k];
      }
      filter_lines(turned.data(), width, kLanes, kLanes);
      for (int64_t r = 0; r < rows; ++r) {
        for (int64_t k = 0; k < width; ++k) first[r * brick.stride(1) + k] = turned[k * kLanes + r];
      }
    }
  }
}

// Six times the weights of the four neighbours: with the filter's 1/6 they make the spline.
template <typename C>
void spline_weights(C rest, C (&weight)[4]) {
  const C other = 1 - rest;
  weight[0] = other * other * other;
  weight[1] = 4 - 3 * rest * rest * (2 - rest);
  weight[2] = 4 - 3 * other * other * (2 - other);
  weight[3] = rest * rest * rest;
}

// Tiles of the target so small that what they need of the source, margins and all, fits into `budget` values.
// Rows are kept long by `row_preference`. The choice knows nothing of threads, so results do not depend on them.
inline Tiles choose_tiles(const Job& job, const int64_t (&extra)[3], int64_t budget, double row_preference) {
  Tiles tiles{{job.m[0], job.m[1], job.m[2]}, {job.m[0], job.m[1], job.m[2]}};
  for (;;) {
    double source = 1, target = 1, between[2] = {1, 1}, extent[3];
    for (int axis = 0; axis < 3; ++axis) {
      double span = 1;
      extent[axis] = 1;
      for (int other = 0; other < 3; ++other) {
        span += std::abs(job.matrix[axis][other]) * static_cast<double>(tiles.size[other] - 1);
        extent[axis] += std::abs(job.matrix[other][axis]) * static_cast<double>(tiles.size[axis] - 1);
      }
      const double needed = std::min(span, static_cast<double>(job.n[axis])) + 4;
      const double size = static_cast<double>(tiles.size[axis]);
      source *= std::min(needed + static_cast<double>(extra[axis]), static_cast<double>(job.n[axis]) + 4);
      target *= size;
      between[0] *= axis < 2 ? needed : size;
      between[1] *= axis < 1 ? needed : size;
      extent[axis] = tiles.size[axis] > 1 ? std::max(extent[axis], size) : 0;
    }
    extent[2] /= row_preference;
    const double half = 0.5 * static_cast<double>(budget);
    const int longest = static_cast<int>(std::max_element(extent, extent + 3) - extent);
    const bool fits = source <= static_cast<double>(budget) && std::max({target, between[0], between[1]}) <= half;
    if (fits || tiles.size[longest] == 1) return tiles;
    tiles.size[longest] = (tiles.size[longest] + 1) / 2;
  }
}

}  // namespace medsegan::resample
