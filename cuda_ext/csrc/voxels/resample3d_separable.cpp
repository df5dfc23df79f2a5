// Linear and cubic interpolation where every axis of the target runs along one of the source: brick by brick, one axis
// after the other. An axis whose samples are voxels is only copied.
#include "resample3d.h"
#include "resample3d_brick.h"

namespace medsegan::resample {
namespace {

// One sample from `taps` rows.
template <typename C>
void combine(const C* rows, int64_t step, int taps, double rest, C* out, int64_t length) {
  if (taps == 1 || (taps == 2 && rest == 0)) {
    std::copy_n(rows, length, out);
  } else if (taps == 2) {
    const C *next = rows + step, r = static_cast<C>(rest);
#pragma omp simd
    for (int64_t k = 0; k < length; ++k) out[k] = rows[k] + r * (next[k] - rows[k]);
  } else {
    C w[4];
    spline_weights(static_cast<C>(rest), w);
    const C *b = rows + step, *c = rows + 2 * step, *d = rows + 3 * step;
#pragma omp simd
    for (int64_t k = 0; k < length; ++k) out[k] = (w[0] * rows[k] + w[1] * b[k]) + (w[2] * c[k] + w[3] * d[k]);
  }
}

// The samples along a row of the brick: where they lie in it, and their weights.
template <typename C>
struct RowSamples {
  int taps;
  std::vector<int32_t> first, next;
  std::vector<C> weight[4];

  RowSamples(const AxisTable& axis, int taps_, const Run& run, int64_t origin) : taps(taps_) {
    const int64_t count = run.end - run.begin;
    first.resize(count);
    next.resize(count);
    for (auto& w : weight) w.resize(taps == 1 ? 0 : count);
    for (int64_t k = 0; k < count; ++k) {
      const double rest = axis.rest[run.begin + k];
      first[k] = static_cast<int32_t>(axis.first[run.begin + k] - (taps == 4) - origin);
      next[k] = first[k] + (rest > 0);
      if (taps == 2) weight[0][k] = static_cast<C>(rest);
      if (taps != 4) continue;
      C w[4];
      spline_weights(static_cast<C>(rest), w);
      for (int tap = 0; tap < 4; ++tap) weight[tap][k] = w[tap];
    }
  }

  void sample(const C* row, C* out) const {
    const int64_t count = static_cast<int64_t>(first.size());
    const int32_t *at = first.data(), *after = next.data();
    const C *w0 = weight[0].data(), *w1 = weight[1].data(), *w2 = weight[2].data(), *w3 = weight[3].data();
    if (taps == 1) {
      for (int64_t k = 0; k < count; ++k) out[k] = row[at[k]];
    } else if (taps == 2) {
#pragma omp simd
      for (int64_t k = 0; k < count; ++k) {
        const C a = row[at[k]], value = a + w0[k] * (row[after[k]] - a);
        out[k] = w0[k] == 0 ? a : value;
      }
    } else {
#pragma omp simd
      for (int64_t k = 0; k < count; ++k) {
        const C* p = row + at[k];
        out[k] = (w0[k] * p[0] + w1[k] * p[1]) + (w2[k] * p[2] + w3[k] * p[3]);
      }
    }
  }
};

template <typename T>
class Separable {
  using C = Compute<T>;

 public:
  Separable(const Job& job, bool cubic) : job_(job), axes_{AxisTable(job, 0), AxisTable(job, 1), AxisTable(job, 2)} {
    int64_t extra[3];
    for (int axis = 0; axis < 3; ++axis) {
      taps_[axis] = axes_[axis].exact ? 1 : cubic ? 4 : 2;
      extra[axis] = taps_[axis] == 4 ? 2 * kMargin<C> : 0;
    }
    tiles_ = choose_tiles(job, extra, cubic ? int64_t{1} << 20 : int64_t{1} << 17, cubic ? 1 : 4);
  }

  void run() {
    parallel_for(tiles_.count(), job_.threads, [&](int64_t index) {
      Run tile[3], box[3];
      tiles_.place(index, tile);
      bool is_empty = false;
      for (int axis = 0; axis < 3; ++axis) {
        box[axis] = meet(tile[axis], axes_[axis].inside);
        is_empty |= box[axis].empty();
      }
      fill_around<C>(job_, tile, box);
      if (is_empty) return;
      auto memory = scratch_.take();
      sample(box, *memory);
      scratch_.give(std::move(memory));
    });
  }

 private:
  const Job& job_;
  const AxisTable axes_[3];
  int taps_[3];
  Tiles tiles_;
  Scratch<C> scratch_;

  // First tap of a sample, in indices of the source.
  int64_t tap(int axis, int64_t k) const { return axes_[axis].first[k] - (taps_[axis] == 4); }

  // First and last tap of all samples of a run.
  Run taps_of(int axis, const Run& run) const {
    Run taps{job_.n[axis], -1};
    for (const int64_t k : {run.begin, run.end - 1}) {  // positions never turn back
      const int64_t more = taps_[axis] == 4 ? 3 : taps_[axis] == 2 && axes_[axis].rest[k] > 0;
      taps = {std::min(taps.begin, tap(axis, k)), std::max(taps.end, tap(axis, k) + more)};
    }
    return taps;
  }

  void sample(const Run (&box)[3], std::vector<C>& memory) {
    Brick<C> brick{};
    Run taps[3];
    for (int axis = 0; axis < 3; ++axis) {
      taps[axis] = taps_of(axis, box[axis]);
      brick.cover(axis, taps[axis].begin, taps[axis].end, job_.n[axis], taps_[axis] == 4 ? kMargin<C> : 0);
    }
    const int64_t nz = taps[0].end - taps[0].begin + 1, ny = taps[1].end - taps[1].begin + 1;
    const int64_t mz = box[0].end - box[0].begin, my = box[1].end - box[1].begin, mx = box[2].end - box[2].begin;
    const bool is_dense = job_.target_stride[2] == 1;
    const int64_t needed = brick.cells() + (nz * ny + nz * my + (is_dense ? 0 : mz * my)) * mx;
    if (static_cast<int64_t>(memory.size()) < needed) {
      memory.clear();  // so that growing copies nothing
      memory.resize(needed);
    }
    brick.values = memory.data();
    C *along_x = brick.values + brick.cells(), *along_y = along_x + nz * ny * mx, *dense = along_y + nz * my * mx;
    brick.template load<T>(job_);
    for (int axis = 0; axis < 3; ++axis) {
      if (taps_[axis] == 4) filter_axis(brick, job_, axis);
    }
    brick.mirror(job_);

    const RowSamples<C> row(axes_[2], taps_[2], box[2], brick.origin[2]);
    const C* first = brick.values + (taps[0].begin - brick.origin[0]) * brick.stride(0) +
                     (taps[1].begin - brick.origin[1]) * brick.stride(1);
    for (int64_t z = 0; z < nz; ++z) {
      for (int64_t y = 0; y < ny; ++y) {
        row.sample(first + z * brick.stride(0) + y * brick.stride(1), along_x + (z * ny + y) * mx);
      }
    }
    for (int64_t z = 0; z < nz; ++z) {
      for (int64_t j = 0; j < my; ++j) {
        const int64_t k = box[1].begin + j;
        combine(along_x + (z * ny + tap(1, k) - taps[1].begin) * mx, mx, taps_[1], axes_[1].rest[k],
                along_y + (z * my + j) * mx, mx);
      }
    }
    C* target = static_cast<C*>(job_.target) + box[2].begin;
    for (int64_t i = 0; i < mz; ++i) {
      const int64_t k = box[0].begin + i;
      for (int64_t j = 0; j < my; ++j) {
        C* out = is_dense ? target + k * job_.target_stride[0] + (box[1].begin + j) * job_.target_stride[1]
                          : dense + (i * my + j) * mx;
        combine(along_y + ((tap(0, k) - taps[0].begin) * my + j) * mx, my * mx, taps_[0], axes_[0].rest[k], out, mx);
      }
    }
    if (!is_dense) scatter(job_, box, dense);
  }
};

}  // namespace

void sample_separably(const Job& job, Type source, bool cubic) {
  with_image_type(source, [&](auto value) { Separable<decltype(value)>(job, cubic).run(); });
}

}  // namespace medsegan::resample
