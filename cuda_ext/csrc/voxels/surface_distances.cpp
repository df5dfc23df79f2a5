// Distances between the surfaces of two label volumes, class by class. See medsegan/voxels/surface_distances.py.
//
// One pass over the volumes finds the box of every class. All further work is done in the box of one class, where both
// masks, their surfaces and their surfels are grids of bits, and where only the elements of a surface look for the
// other one.
#include "api.h"
#include "labels.h"
#include "parallel.h"
#include "point_grid.h"
#include "surfel_areas.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <memory>
#include <new>
#include <vector>

namespace medsegan {
namespace {

constexpr int64_t kRowsPerBlock = 32;

struct Box {
  std::array<int64_t, 3> low{std::numeric_limits<int64_t>::max(), std::numeric_limits<int64_t>::max(),
                             std::numeric_limits<int64_t>::max()};
  std::array<int64_t, 3> high{-1, -1, -1};  // the last voxel

  void add(const Box& other) {
    for (int axis = 0; axis < 3; ++axis) {
      low[axis] = std::min(low[axis], other.low[axis]);
      high[axis] = std::max(high[axis], other.high[axis]);
    }
  }
  bool is_empty() const { return high[0] < 0; }
};

struct Volume {
  const void* labels;
  std::array<int64_t, 3> size;
  int type;
};

template <typename T>
void add_row(const T* row, int64_t i, int64_t j, int64_t length, const ClassOf& class_of, std::vector<Box>& boxes) {
  for (int64_t begin = 0; begin < length;) {
    const int64_t end = end_of_run(row, begin, length);
    const int32_t index = class_of(static_cast<int64_t>(row[begin]));
    if (index >= 0) boxes[index].add({{i, j, begin}, {i, j, end - 1}});
    begin = end;
  }
}

// The box of every class in both volumes together.
std::vector<Box> find_boxes(const Volume& a, const Volume& b, const int64_t* labels, int64_t classes, int threads) {
  const ClassOf class_of(labels, classes);
  const int64_t rows = a.size[0] * a.size[1];
  const int64_t shares = std::clamp<int64_t>(rows * a.size[2] / 65536, 1, 4 * std::max(threads, 1));
  std::vector<std::vector<Box>> found(shares, std::vector<Box>(classes));
  parallel_for(shares, threads, [&](int64_t share) {
    for (const Volume* volume : {&a, &b}) {
      with_label_type(volume->type, [&](auto* of_type) {
        const auto* values = static_cast<decltype(of_type)>(volume->labels);
        for (int64_t row = rows * share / shares; row < rows * (share + 1) / shares; ++row) {
          add_row(values + row * a.size[2], row / a.size[1], row % a.size[1], a.size[2], class_of, found[share]);
        }
      });
    }
  });
  std::vector<Box> boxes(classes);
  for (const auto& part : found) {
    for (int64_t c = 0; c < classes; ++c) boxes[c].add(part[c]);
  }
  return boxes;
}

// A mask in a box: bits of voxels, with an empty margin of one row. Rows are one bit longer than the box, since there
// is one more place between voxels, or beside them, than there are voxels.
class MaskBits {
 public:
  MaskBits(const Volume& volume, const Box& box, int64_t label, int threads) {
    std::array<int64_t, 3> size;
    for (int axis = 0; axis < 3; ++axis) size[axis] = box.high[axis] - box.low[axis] + 1;
    words_ = (size[2] + 1 + 63) / 64;
    plane_ = (words_ + 2) * (size[1] + 2);
    bits_.assign((size[0] + 2) * plane_, 0);
    with_label_type(volume.type, [&](auto* of_type) {
      using Pointer = decltype(of_type);
      using T = std::remove_cv_t<std::remove_pointer_t<Pointer>>;
      const auto* values = static_cast<Pointer>(volume.labels);
      if (static_cast<int64_t>(static_cast<T>(label)) != label) return;  // the type cannot hold it
      parallel_for(size[0], threads, [&](int64_t x) {
        for (int64_t y = 0; y < size[1]; ++y) {
          const int64_t from = (box.low[0] + x) * volume.size[1] + box.low[1] + y;
          const T* line = values + from * volume.size[2] + box.low[2];
          uint64_t* bits = row(x, y);
          for (int64_t z = 0; z < size[2]; z += 64) {
            bits[z / 64] = pack_equal(line + z, std::min<int64_t>(size[2] - z, 64), static_cast<T>(label));
          }
        }
      });
    });
  }

  // x and y from -1 to the size; the words before and after a row are empty.
  uint64_t* row(int64_t x, int64_t y) { return bits_.data() + (x + 1) * plane_ + (y + 1) * (words_ + 2) + 1; }
  const uint64_t* row(int64_t x, int64_t y) const {
    return bits_.data() + (x + 1) * plane_ + (y + 1) * (words_ + 2) + 1;
  }

 private:
  int64_t words_, plane_;
  std::vector<uint64_t> bits_;
};

// Voxels of the mask with one of the six neighbours outside it.
void mark_voxels(const MaskBits& mask, int64_t x, int64_t y, int64_t words, uint64_t* out) {
  const uint64_t* here = mask.row(x, y);
  const uint64_t *left = mask.row(x - 1, y), *right = mask.row(x + 1, y);
  const uint64_t *down = mask.row(x, y - 1), *up = mask.row(x, y + 1);
  for (int64_t w = 0; w < words; ++w) {
    const uint64_t before = here[w] << 1 | here[w - 1] >> 63, after = here[w] >> 1 | here[w + 1] << 63;
    out[w] = here[w] & ~(left[w] & right[w] & down[w] & up[w] & before & after);
  }
}

// The four rows of voxels around a row of places; place z lies between the voxels z - 1 and z.
struct Around {
  const uint64_t* rows[4];

  Around(const MaskBits& mask, int64_t x, int64_t y)
      : rows{mask.row(x - 1, y - 1), mask.row(x - 1, y), mask.row(x, y - 1), mask.row(x, y)} {}

  // Which of the eight voxels are inside: the first axis has the highest weight, and the lower voxel counts more.
  int code(int64_t z) const {
    int code = 0;
    for (const uint64_t* row : rows) {
      for (int64_t at : {z - 1, z}) code = code << 1 | (row[at >> 6] >> (at & 63) & 1);
    }
    return code;
  }
};

// Places whose eight voxels are neither all inside nor all outside: there a piece of the surface lies.
void mark_surfels(const MaskBits& mask, int64_t x, int64_t y, int64_t words, uint64_t* out) {
  const Around around(mask, x, y);
  const auto any = [&](int64_t w) { return around.rows[0][w] | around.rows[1][w] | around.rows[2][w] | around.rows[3][w]; };
  const auto all = [&](int64_t w) { return around.rows[0][w] & around.rows[1][w] & around.rows[2][w] & around.rows[3][w]; };
  for (int64_t w = 0; w < words; ++w) {
    const uint64_t some = any(w) | any(w) << 1 | any(w - 1) >> 63;
    const uint64_t every = all(w) & (all(w) << 1 | all(w - 1) >> 63);
    out[w] = some & ~every;
  }
}

// Elements of a surface in blocks of rows, and where each block's part of a list of them begins.
struct Elements {
  PointGrid points;
  std::vector<int64_t> begin;  // one more than there are blocks

  Elements(const GridShape& shape, int64_t blocks) : points(shape), begin(blocks + 1, 0) {}
  int64_t count() const { return begin.back(); }
};

struct Task {
  const Elements* from;
  const Elements* to;
  const MaskBits* mask;  // whose surfels have areas; null for voxels
  double *distances, *areas;
};

class ClassSurfaces {
 public:
  ClassSurfaces(const MaskBits& prediction, const MaskBits& reference, const GridShape& shape, bool surfels, int threads)
      : masks_{&prediction, &reference},
        shape_(shape),
        rows_(shape.size[0] * shape.size[1]),
        blocks_((rows_ + kRowsPerBlock - 1) / kRowsPerBlock),
        threads_(threads) {
    for (int i = 0; i < (surfels ? 4 : 2); ++i) elements_.push_back(std::make_unique<Elements>(shape, blocks_));
    parallel_for(blocks_, threads, [&](int64_t block) { mark(block); });
    for (auto& elements : elements_) {
      for (int64_t block = 0; block < blocks_; ++block) elements->begin[block + 1] += elements->begin[block];
    }
  }

  // Lists: voxels of the prediction, of the reference; surfels of both and their areas, prediction first.
  int64_t count(size_t list) const { return elements_[list]->count(); }

  void measure(double* const* distances, double* const* areas, const double* area_of_code) const {
    std::vector<Task> tasks;
    for (size_t i = 0; i < elements_.size(); ++i) {
      const bool is_surfel = i >= 2;
      tasks.push_back({elements_[i].get(), elements_[i ^ 1].get(), is_surfel ? masks_[i % 2] : nullptr, distances[i],
                       is_surfel ? areas[i - 2] : nullptr});
    }
    parallel_for(blocks_ * static_cast<int64_t>(tasks.size()), threads_, [&](int64_t index) {
      measure(tasks[index % tasks.size()], index / static_cast<int64_t>(tasks.size()), area_of_code);
    });
  }

 private:
  template <typename F>
  void for_each_row(int64_t block, const F& work) const {
    for (int64_t row = block * kRowsPerBlock; row < std::min(rows_, (block + 1) * kRowsPerBlock); ++row) {
      work(row / shape_.size[1], row % shape_.size[1]);
    }
  }

  void mark(int64_t block) {
    for_each_row(block, [&](int64_t x, int64_t y) {
      const bool has_voxels = x + 1 < shape_.size[0] && y + 1 < shape_.size[1];
      for (size_t i = 0; i < elements_.size(); ++i) {
        uint64_t* out = elements_[i]->points.row(x, y);
        if (i >= 2) {
          mark_surfels(*masks_[i % 2], x, y, shape_.words, out);
        } else if (has_voxels) {
          mark_voxels(*masks_[i], x, y, shape_.words, out);
        }
        for (int64_t w = 0; w < shape_.words; ++w) elements_[i]->begin[block + 1] += std::popcount(out[w]);
      }
    });
  }

  void measure(const Task& task, int64_t block, const double* area_of_code) const {
    int64_t at = task.from->begin[block];
    if (at == task.from->begin[block + 1]) return;
    const bool is_alone = task.to->count() == 0;
    Hint hint;
    for_each_row(block, [&](int64_t x, int64_t y) {
      const uint64_t* words = task.from->points.row(x, y);
      for (int64_t w = 0; w < shape_.words; ++w) {
        for (uint64_t bits = words[w]; bits; bits &= bits - 1, ++at) {
          const int64_t z = 64 * w + std::countr_zero(bits);
          task.distances[at] = is_alone ? kNothing : std::sqrt(task.to->points.squared_mm(x, y, z, hint));
          if (task.areas) task.areas[at] = area_of_code[Around(*task.mask, x, y).code(z)];
        }
      }
    });
  }

  std::array<const MaskBits*, 2> masks_;
  const GridShape& shape_;
  int64_t rows_, blocks_;
  int threads_;
  std::vector<std::unique_ptr<Elements>> elements_;
};

}  // namespace
}  // namespace medsegan

// For every class in turn, memory is asked for with allocate(count): distances of the voxels of the prediction, of the
// reference; with surfels also distances of the surfels of both, then areas of both. Labels are distinct. A distance
// to an empty surface is infinite.
extern "C" MEDSEGAN_API const char* medsegan_surface_distances(const void* prediction, const void* reference, int type,
                                                               const int64_t* size, const double* spacing_mm,
                                                               const int64_t* labels, int64_t classes,
                                                               int surfels, int threads,
                                                               double* (*allocate)(int64_t)) {
  using namespace medsegan;
  return guarded([&] {
    const Volume volumes[2] = {{prediction, {size[0], size[1], size[2]}, type},
                               {reference, {size[0], size[1], size[2]}, type}};
    const std::vector<Box> boxes = find_boxes(volumes[0], volumes[1], labels, classes, threads);
    const auto take = [&](int64_t count) {
      double* memory = allocate(count);
      if (!memory) throw std::bad_alloc();
      return memory;
    };
    const size_t lists = surfels ? 4 : 2;
    const std::array<double, 256> area_of_code = surfel_areas_mm2(spacing_mm);
    for (int64_t c = 0; c < classes; ++c) {
      const Box& box = boxes[c];
      if (box.is_empty()) {
        for (size_t i = 0; i < (surfels ? 6u : 2u); ++i) take(0);
        continue;
      }
      std::array<int64_t, 3> places;
      for (int axis = 0; axis < 3; ++axis) places[axis] = box.high[axis] - box.low[axis] + 2;
      const GridShape shape(places, spacing_mm);
      const MaskBits a(volumes[0], box, labels[c], threads), b(volumes[1], box, labels[c], threads);
      const ClassSurfaces surfaces(a, b, shape, surfels != 0, threads);
      double *distances[4], *areas[2];
      for (size_t i = 0; i < lists; ++i) distances[i] = take(surfaces.count(i));
      if (surfels) {
        for (size_t i = 0; i < 2; ++i) areas[i] = take(surfaces.count(2 + i));
      }
      surfaces.measure(distances, areas, area_of_code.data());
    }
  });
}
