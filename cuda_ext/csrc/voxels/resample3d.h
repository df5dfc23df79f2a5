// A volume onto another grid: what all orders of interpolation share. See medsegan/voxels/resample3d.py.
#pragma once

#include "parallel.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

namespace medsegan::resample {

enum Order : int32_t { kNearest = 0, kLinear = 1, kCubic = 2, kLabelLinear = 3 };

enum Type : int32_t { kInt8, kUInt8, kInt16, kUInt16, kInt32, kUInt32, kInt64, kUInt64, kFloat, kDouble };

// A sample this far beyond the outer face of the edge voxel is rounding, not outside.
constexpr double kFaceTolerance = 1e-6;

// One resampling. Axes are those of the source; strides count elements and may be negative.
struct Job {
  const void* source;
  int64_t n[3], source_stride[3];
  void* target;
  int64_t m[3], target_stride[3];
  double matrix[3][4];  // source index = matrix * (target index, 1)
  const void* fill;     // one value of the target's type; nullptr continues the edge everywhere
  int threads;
};

// If no source axis depends on two target axes, nor two on one: makes the matrix diagonal by sorting the target's axes.
bool sort_axes(Job& job);

void sample_nearest_aligned(const Job& job, Type source, Type target);
void sample_nearest_oblique(const Job& job, Type type);
void sample_labels_aligned(const Job& job, Type type);
void sample_labels_oblique(const Job& job, Type type);
void sample_separably(const Job& job, Type source, bool cubic);
void sample_linear_oblique(const Job& job, Type source);
void sample_cubic_oblique(const Job& job, Type source);

// Calls f with a value of the C++ type; images are sampled from 8 to 32 bit integers, float and double.
template <typename F>
void with_image_type(Type type, const F& f) {
  switch (type) {
    case kInt8: return f(int8_t{});
    case kUInt8: return f(uint8_t{});
    case kInt16: return f(int16_t{});
    case kUInt16: return f(uint16_t{});
    case kInt32: return f(int32_t{});
    case kUInt32: return f(uint32_t{});
    case kDouble: return f(double{});
    default: return f(float{});
  }
}

template <typename F>
void with_label_type(Type type, const F& f) {
  switch (type) {
    case kInt8: return f(int8_t{});
    case kUInt8: return f(uint8_t{});
    case kInt16: return f(int16_t{});
    case kUInt16: return f(uint16_t{});
    case kInt32: return f(int32_t{});
    case kUInt32: return f(uint32_t{});
    case kInt64: return f(int64_t{});
    default: return f(uint64_t{});
  }
}

// Double volumes are computed in double, everything else in float.
template <typename T>
using Compute = std::conditional_t<std::is_same_v<T, double>, double, float>;

inline double low_face() { return -0.5 - kFaceTolerance; }
inline double high_face(int64_t n) { return static_cast<double>(n) - 0.5 + kFaceTolerance; }

// Between the face and the centre of the edge voxel the edge is continued; a position that is no number becomes 0.
inline double clamp_to_centres(double position, int64_t n) {
  return std::min(std::max(0.0, position), static_cast<double>(n - 1));
}

inline int64_t nearest_index(double position, int64_t n) {
  return static_cast<int64_t>(std::floor(clamp_to_centres(position, n) + 0.5));
}

// Target indices [begin, end) of something.
struct Run {
  int64_t begin, end;
  bool empty() const { return begin >= end; }
};

inline Run meet(const Run& a, const Run& b) { return {std::max(a.begin, b.begin), std::min(a.end, b.end)}; }

// Positions along one source axis while one target index counts up: base + step * k.
struct Line {
  double base, step;
  double operator()(int64_t k) const { return base + step * static_cast<double>(k); }
};

// The k of `within` for which low <= line(k), and line(k) <= high or, if open, line(k) < high. Rounding keeps order.
inline Run run_between(const Line& line, double low, double high, bool open, const Run& within) {
  auto above_low = [&](int64_t k) { return line(k) >= low; };
  auto below_high = [&](int64_t k) { return open ? line(k) < high : line(k) <= high; };
  auto first = [&](const auto& test) {  // of a range that fails first and holds then
    int64_t begin = within.begin, count = std::max<int64_t>(0, within.end - within.begin);
    while (count > 0) {
      const int64_t half = count / 2;
      if (test(begin + half)) {
        count = half;
      } else {
        begin += half + 1;
        count -= half + 1;
      }
    }
    return begin;
  };
  if (line.step >= 0) return {first(above_low), first([&](int64_t k) { return !below_high(k); })};
  return {first(below_high), first([&](int64_t k) { return !above_low(k); })};
}

inline Run run_within_faces(const Line& line, int64_t n, const Run& within) {
  return run_between(line, low_face(), high_face(n), false, within);
}

// Where the samples of a target axis lie on its source axis.
struct AxisTable {
  Run inside;  // target indices that are not filled
  bool exact;  // each of them is a voxel: nothing has to be interpolated
  std::vector<int64_t> first;
  std::vector<double> rest;  // position = first + rest, 0 <= rest < 1

  AxisTable(const Job& job, int axis) : exact(true), first(job.m[axis]), rest(job.m[axis]) {
    const int64_t m = job.m[axis], n = job.n[axis];
    const Line line{job.matrix[axis][3], job.matrix[axis][axis]};
    inside = job.fill ? run_within_faces(line, n, {0, m}) : Run{0, m};
    for (int64_t k = inside.begin; k < inside.end; ++k) {
      const double position = clamp_to_centres(line(k), n);
      first[k] = static_cast<int64_t>(position);
      rest[k] = position - static_cast<double>(first[k]);
      exact = exact && rest[k] == 0;
    }
  }
};

// Even tiles over three axes, the last axis fastest.
struct Tiles {
  int64_t total[3], size[3];

  int64_t along(int axis) const { return (total[axis] + size[axis] - 1) / size[axis]; }
  int64_t count() const { return along(0) * along(1) * along(2); }
  void place(int64_t index, Run (&tile)[3]) const {
    for (int axis = 2; axis >= 0; --axis) {
      const int64_t begin = index % along(axis) * size[axis];
      tile[axis] = {begin, std::min(total[axis], begin + size[axis])};
      index /= along(axis);
    }
  }
};

// Axes from the largest step in the target's memory to the smallest.
inline void order_of_memory(const Job& job, int (&order)[3]) {
  for (int axis = 0; axis < 3; ++axis) order[axis] = axis;
  std::stable_sort(order, order + 3, [&](int a, int b) { return job.target_stride[a] > job.target_stride[b]; });
}

// Sets the target to the fill value in the tile, but for the inner box.
template <typename Out>
void fill_around(const Job& job, const Run (&tile)[3], const Run (&inner)[3]) {
  if (!job.fill) return;
  const Out value = *static_cast<const Out*>(job.fill);
  int order[3];
  order_of_memory(job, order);
  const int a = order[0], b = order[1], c = order[2];
  for (int64_t i = tile[a].begin; i < tile[a].end; ++i) {
    const bool hits_a = i >= inner[a].begin && i < inner[a].end && !inner[c].empty();
    for (int64_t j = tile[b].begin; j < tile[b].end; ++j) {
      const bool hits = hits_a && j >= inner[b].begin && j < inner[b].end;
      Out* row = static_cast<Out*>(job.target) + i * job.target_stride[a] + j * job.target_stride[b];
      const int64_t stride = job.target_stride[c];
      const int64_t until = hits ? inner[c].begin : tile[c].end;
      for (int64_t k = tile[c].begin; k < until; ++k) row[k * stride] = value;
      for (int64_t k = hits ? inner[c].end : tile[c].end; k < tile[c].end; ++k) row[k * stride] = value;
    }
  }
}

// Writes a dense box (last axis fastest) into the target, going along the target's memory.
template <typename Out>
void scatter(const Job& job, const Run (&box)[3], const Out* values) {
  const int64_t length = box[2].end - box[2].begin, plane = (box[1].end - box[1].begin) * length;
  const int64_t stride[3] = {plane, length, 1};
  int order[3];
  order_of_memory(job, order);
  const int a = order[0], b = order[1], c = order[2];
  for (int64_t i = box[a].begin; i < box[a].end; ++i) {
    for (int64_t j = box[b].begin; j < box[b].end; ++j) {
      Out* row = static_cast<Out*>(job.target) + i * job.target_stride[a] + j * job.target_stride[b];
      const Out* from = values + (i - box[a].begin) * stride[a] + (j - box[b].begin) * stride[b];
      for (int64_t k = box[c].begin; k < box[c].end; ++k) {
        row[k * job.target_stride[c]] = from[(k - box[c].begin) * stride[c]];
      }
    }
  }
}

}  // namespace medsegan::resample
