// The C function of resample3d: which route a resampling takes.
#include "resample3d.h"

#include "api.h"

namespace medsegan::resample {

bool sort_axes(Job& job) {
  int column_of[3] = {-1, -1, -1};
  bool taken[3] = {false, false, false};
  for (int t = 0; t < 3; ++t) {
    if (job.m[t] != 1) continue;
    for (auto& row : job.matrix) row[t] = 0;  // its only index is 0
  }
  for (int s = 0; s < 3; ++s) {
    for (int t = 0; t < 3; ++t) {
      if (job.matrix[s][t] == 0) continue;
      if (column_of[s] >= 0 || taken[t]) return false;
      column_of[s] = t;
      taken[t] = true;
    }
  }
  for (int s = 0; s < 3; ++s) {  // an axis that is not sampled along takes what is left; its own first
    if (column_of[s] >= 0) continue;
    const int t = !taken[s] ? s : static_cast<int>(std::find(taken, taken + 3, false) - taken);
    column_of[s] = t;
    taken[t] = true;
  }
  const Job old = job;
  for (int s = 0; s < 3; ++s) {
    const int t = column_of[s];
    job.m[s] = old.m[t];
    job.target_stride[s] = old.target_stride[t];
    for (int other = 0; other < 3; ++other) job.matrix[s][other] = other == s ? old.matrix[s][t] : 0;
  }
  return true;
}

namespace {

bool copies_voxels(const Job& job) {
  for (int axis = 0; axis < 3; ++axis) {
    if (!AxisTable(job, axis).exact) return false;
  }
  return true;
}

void run(Job job, Type source, Type target, Order order) {
  const bool aligned = sort_axes(job);
  if (order == kNearest) return aligned ? sample_nearest_aligned(job, source, target) : sample_nearest_oblique(job, source);
  if (order == kLabelLinear) return aligned ? sample_labels_aligned(job, source) : sample_labels_oblique(job, source);
  if (aligned && copies_voxels(job)) return sample_nearest_aligned(job, source, target);
  if (aligned) return sample_separably(job, source, order == kCubic);
  return order == kCubic ? sample_cubic_oblique(job, source) : sample_linear_oblique(job, source);
}

}  // namespace
}  // namespace medsegan::resample

// Layouts are three lengths, then three strides in elements. The target's type is the source's for nearest and
// label-linear; else double for double and float for everything else.
extern "C" MEDSEGAN_API const char* medsegan_resample3d(const void* source, int32_t source_type, const int64_t* source_layout,
                                                        void* target, int32_t target_type, const int64_t* target_layout,
                                                        const double* matrix, const void* fill, int32_t order,
                                                        int32_t threads) {
  using namespace medsegan::resample;
  return medsegan::guarded([&] {
    Job job{};
    job.source = source;
    job.target = target;
    job.fill = fill;
    job.threads = threads;
    for (int axis = 0; axis < 3; ++axis) {
      job.n[axis] = source_layout[axis];
      job.source_stride[axis] = source_layout[3 + axis];
      job.m[axis] = target_layout[axis];
      job.target_stride[axis] = target_layout[3 + axis];
      std::copy_n(matrix + 4 * axis, 4, job.matrix[axis]);
    }
    run(job, static_cast<Type>(source_type), static_cast<Type>(target_type), static_cast<Order>(order));
  });
}
