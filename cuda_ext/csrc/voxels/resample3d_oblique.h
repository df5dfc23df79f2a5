// Rows of the target in any direction through the source, in tiles so that neighbouring rows find the source in cache.
#pragma once

#include "resample3d.h"

namespace medsegan::resample {

// The three positions of a row of the target.
struct Ray {
  Line line[3];

  Ray(const Job& job, int64_t i, int64_t j) {
    for (int axis = 0; axis < 3; ++axis) {
      const double* row = job.matrix[axis];
      line[axis] = {row[3] + row[0] * static_cast<double>(i) + row[1] * static_cast<double>(j), row[2]};
    }
  }
  Run within_faces(const Job& job, Run run) const {
    for (int axis = 0; axis < 3; ++axis) run = meet(run, run_within_faces(line[axis], job.n[axis], run));
    return run;
  }
  // Where both neighbours along every axis are voxels of the source.
  Run between_centres(const Job& job, Run run) const {
    for (int axis = 0; axis < 3; ++axis) {
      run = meet(run, run_between(line[axis], 0.0, static_cast<double>(job.n[axis] - 1), true, run));
    }
    return run;
  }
};

// One sample with all that has to be thought of near the faces.
struct Corner {
  int64_t offset;   // of the first of the eight neighbours
  int64_t next[3];  // to the second along each axis; 0 where the first is hit exactly
  double rest[3];

  Corner(const Job& job, const Ray& ray, int64_t k) : offset(0) {
    for (int axis = 0; axis < 3; ++axis) {
      const double position = clamp_to_centres(ray.line[axis](k), job.n[axis]);
      const int64_t first = static_cast<int64_t>(position);
      rest[axis] = position - static_cast<double>(first);
      offset += first * job.source_stride[axis];
      next[axis] = rest[axis] > 0 ? job.source_stride[axis] : 0;
    }
  }
};

// Calls kernel.between(ray, run, row) where all eight neighbours exist, kernel.near(ray, run, row) at the faces, and
// fills the rest. `row` points to the target's row, whose elements lie `target_stride[2]` apart.
template <typename Out, typename Kernel>
void for_each_row(const Job& job, const Kernel& kernel) {
  constexpr int64_t kRows = 8, kLength = 64;
  const Tiles tiles{{job.m[0], job.m[1], 1}, {kRows, kRows, 1}};
  const int64_t stride = job.target_stride[2];
  parallel_for(tiles.count(), job.threads, [&](int64_t index) {
    Run tile[3];
    tiles.place(index, tile);
    Run inside[kRows * kRows], between[kRows * kRows];
    for (int64_t part = 0; part < job.m[2]; part += kLength) {
      const Run columns{part, std::min(job.m[2], part + kLength)};
      for (int64_t i = tile[0].begin; i < tile[0].end; ++i) {
        for (int64_t j = tile[1].begin; j < tile[1].end; ++j) {
          const Ray ray(job, i, j);
          Out* row = static_cast<Out*>(job.target) + i * job.target_stride[0] + j * job.target_stride[1];
          Run& in = inside[(i - tile[0].begin) * kRows + j - tile[1].begin];
          Run& safe = between[(i - tile[0].begin) * kRows + j - tile[1].begin];
          if (part == 0) {
            in = job.fill ? ray.within_faces(job, {0, job.m[2]}) : Run{0, job.m[2]};
            safe = ray.between_centres(job, in);
            if (safe.empty()) safe = {in.end, in.end};
          }
          Run piece = meet(columns, {0, in.begin});
          for (int64_t k = piece.begin; k < piece.end; ++k) row[k * stride] = *static_cast<const Out*>(job.fill);
          piece = meet(columns, {in.begin, safe.begin});
          if (!piece.empty()) kernel.near(ray, piece, row);
          piece = meet(columns, safe);
          if (!piece.empty()) kernel.between(ray, piece, row);
          piece = meet(columns, {safe.end, in.end});
          if (!piece.empty()) kernel.near(ray, piece, row);
          piece = meet(columns, {std::max(in.begin, in.end), job.m[2]});
          for (int64_t k = piece.begin; k < piece.end; ++k) row[k * stride] = *static_cast<const Out*>(job.fill);
        }
      }
    }
  });
}

}  // namespace medsegan::resample
