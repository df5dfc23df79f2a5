// The voxel next to each sample: copied, or converted where an image of integers becomes float.
#include "resample3d.h"
#include "resample3d_oblique.h"

namespace medsegan::resample {
namespace {

// Offsets into the source of the samples along one axis.
std::vector<int64_t> offsets_along(const Job& job, int axis, Run& inside) {
  const Line line{job.matrix[axis][3], job.matrix[axis][axis]};
  inside = job.fill ? run_within_faces(line, job.n[axis], {0, job.m[axis]}) : Run{0, job.m[axis]};
  std::vector<int64_t> offsets(job.m[axis]);
  for (int64_t k = inside.begin; k < inside.end; ++k) {
    offsets[k] = nearest_index(line(k), job.n[axis]) * job.source_stride[axis];
  }
  return offsets;
}

template <typename T, typename Out>
void copy_row(const T* source, const int64_t* offsets, int64_t count, Out* target, int64_t stride, bool is_run) {
  if (stride != 1) {
    for (int64_t k = 0; k < count; ++k) target[k * stride] = static_cast<Out>(source[offsets[k]]);
  } else if (is_run) {  // neighbours in memory
    const T* from = source + offsets[0];
    for (int64_t k = 0; k < count; ++k) target[k] = static_cast<Out>(from[k]);
  } else {
    for (int64_t k = 0; k < count; ++k) target[k] = static_cast<Out>(source[offsets[k]]);
  }
}

template <typename T, typename Out>
void nearest_aligned(const Job& job) {
  Run inside[3];
  std::vector<int64_t> offsets[3];
  for (int axis = 0; axis < 3; ++axis) offsets[axis] = offsets_along(job, axis, inside[axis]);
  int order[3];
  order_of_memory(job, order);
  const int a = order[0], b = order[1], c = order[2];
  // Positions never turn back: where neighbours lie side by side, a run from end to end is a run throughout.
  const Run& fast = inside[c];
  const bool is_run = !fast.empty() && job.source_stride[c] * job.matrix[c][c] == 1 &&
                      offsets[c][fast.end - 1] - offsets[c][fast.begin] == fast.end - fast.begin - 1;
  Tiles tiles{{job.m[0], job.m[1], job.m[2]}, {}};
  tiles.size[a] = 8;
  tiles.size[b] = 32;
  tiles.size[c] = 512;
  parallel_for(tiles.count(), job.threads, [&](int64_t index) {
    Run tile[3], box[3];
    tiles.place(index, tile);
    for (int axis = 0; axis < 3; ++axis) box[axis] = meet(tile[axis], inside[axis]);
    fill_around<Out>(job, tile, box);
    if (box[c].empty()) return;
    for (int64_t i = box[a].begin; i < box[a].end; ++i) {
      for (int64_t j = box[b].begin; j < box[b].end; ++j) {
        const T* source = static_cast<const T*>(job.source) + offsets[a][i] + offsets[b][j];
        Out* target = static_cast<Out*>(job.target) + i * job.target_stride[a] + j * job.target_stride[b] +
                      box[c].begin * job.target_stride[c];
        copy_row(source, offsets[c].data() + box[c].begin, box[c].end - box[c].begin, target, job.target_stride[c], is_run);
      }
    }
  });
}

template <typename T>
struct NearestKernel {
  const Job& job;

  void near(const Ray& ray, const Run& run, T* row) const {
    const T* source = static_cast<const T*>(job.source);
    for (int64_t k = run.begin; k < run.end; ++k) {
      int64_t offset = 0;
      for (int axis = 0; axis < 3; ++axis) {
        offset += nearest_index(ray.line[axis](k), job.n[axis]) * job.source_stride[axis];
      }
      row[k * job.target_stride[2]] = source[offset];
    }
  }
  void between(const Ray& ray, const Run& run, T* row) const { near(ray, run, row); }
};

// A voxel that is only copied is so many bytes.
template <typename F>
void with_width(Type type, const F& f) {
  switch (type) {
    case kInt8:
    case kUInt8: return f(uint8_t{});
    case kInt16:
    case kUInt16: return f(uint16_t{});
    case kInt32:
    case kUInt32:
    case kFloat: return f(uint32_t{});
    default: return f(uint64_t{});
  }
}

}  // namespace

void sample_nearest_aligned(const Job& job, Type source, Type target) {
  if (source == target) {
    with_width(source, [&](auto value) { nearest_aligned<decltype(value), decltype(value)>(job); });
  } else {
    with_image_type(source, [&](auto value) {
      if constexpr (!std::is_same_v<decltype(value), double>) nearest_aligned<decltype(value), float>(job);
    });
  }
}

void sample_nearest_oblique(const Job& job, Type type) {
  with_width(type, [&](auto value) {
    using T = decltype(value);
    for_each_row<T>(job, NearestKernel<T>{job});
  });
}

}  // namespace medsegan::resample
