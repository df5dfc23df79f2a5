// Exact Euclidean distance transform, axis by axis. See medsegan/voxels/distance_transform.py.
//
// Along the last axis two scans find the nearest feature of every line; along the others, lower_envelope.h.
#include "distance_transform.h"

#include "api.h"
#include "lower_envelope.h"
#include "parallel.h"
#include "whole_steps.h"

#include <atomic>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <memory>

#if defined(__linux__)
#include <sys/mman.h>
#endif

namespace medsegan {
namespace {

using envelope::Axis;
using envelope::Best;
using envelope::kLanes;
using envelope::Sites;

constexpr int64_t kBlock = 64;             // lines of the first scan that are worth handing to a thread
constexpr size_t kHuge = size_t{1} << 22;  // bytes from which large pages are asked for

struct Box {
  const uint8_t* voxels;
  bool feature;  // voxels that are (not zero) == feature are what distances go to
  const int64_t* shape;
  const double* spacing;
  int threads;

  int64_t lines() const { return shape[0] * shape[1]; }
};

enum class Line : uint8_t { kNone, kSome, kAll };  // how many of its voxels are features

// The place of the nearest feature on a line waits in the memory of the result, four bytes for each.
template <typename Out>
void put_place(Out* slot, int32_t place) { std::memcpy(slot, &place, sizeof(place)); }

template <typename Out>
int32_t get_place(const Out* slot) {
  int32_t place;
  std::memcpy(&place, slot, sizeof(place));
  return place;
}

// Puts the place of the nearest feature, the smaller of two, into a line that has some; `next` is room for one line.
template <typename Out>
Line scan_line(const Box& box, const uint8_t* line, int32_t* next, Out* out) {
  const int64_t length = box.shape[2];
  uint8_t any_set = 0, any_clear = 0;
  for (int64_t k = 0; k < length; ++k) {
    any_set |= line[k];
    any_clear |= line[k] == 0;
  }
  const bool any_feature = box.feature ? any_set : any_clear, any_other = box.feature ? any_clear : any_set;
  if (!any_feature) return Line::kNone;
  if (!any_other) return Line::kAll;
  // Masks of bits instead of conditions: a branch would be mispredicted at every other voxel of a noisy mask.
  const auto choose = [line, feature = box.feature](int64_t k, int64_t otherwise) {
    const int64_t chosen = -static_cast<int64_t>((line[k] != 0) == feature);
    return (k & chosen) | (otherwise & ~chosen);
  };
  int64_t ahead = std::numeric_limits<int32_t>::max();
  for (int64_t k = length - 1; k >= 0; --k) {
    ahead = choose(k, ahead);
    next[k] = static_cast<int32_t>(ahead);
  }
  int64_t behind = -int64_t{std::numeric_limits<int32_t>::max()};
  for (int64_t k = 0; k < length; ++k) {
    behind = choose(k, behind);
    const int64_t nearer = -static_cast<int64_t>(k - behind <= next[k] - k);
    put_place(out + k, static_cast<int32_t>((behind & nearer) | (next[k] & ~nearer)));
  }
  return Line::kSome;
}

struct Free {
  void operator()(void* memory) const { std::free(memory); }
};

// Memory that nobody has written to, on whole cache lines.
template <typename T>
std::unique_ptr<T[], Free> room_for(int64_t count) {
  const size_t bytes = (static_cast<size_t>(count) * sizeof(T) / 64 + 1) * 64;
  void* memory = std::aligned_alloc(64, bytes);
  if (!memory) throw std::bad_alloc();
#if defined(MADV_HUGEPAGE)
  if (bytes >= kHuge) madvise(memory, bytes, MADV_HUGEPAGE);
#endif
  return std::unique_ptr<T[], Free>(static_cast<T*>(memory));
}

float finished(double squared, double unit, float) { return static_cast<float>(std::sqrt(squared) * unit); }
double finished(double squared, double unit, double) { return squared * (unit * unit); }

// V: what squared distances are counted in; Out: float for distances, double for squared ones.
template <typename V, typename Out, bool kIndex>
class Transform {
 public:
  Transform(const Box& box, const Steps& steps, Out* out, int64_t* index)
      : box_(box),
        unit_(steps.unit),
        axes_{{box.shape[0], steps.steps[0]}, {box.shape[1], steps.steps[1]}, {box.shape[2], steps.steps[2]}},
        lines_(box.lines()),
        out_(out),
        index_(index) {}

  void run() {
    scan();
    const int64_t rows = box_.shape[1];
    const Sites planes(box_.shape[0], [&](int64_t i) {
      const Line* lines = lines_.data() + i * rows;
      return std::any_of(lines, lines + rows, [](Line line) { return line != Line::kNone; });
    });
    if (planes.count() == 0) {
      const int64_t voxels = box_.lines() * box_.shape[2];
      std::fill_n(out_, voxels, std::numeric_limits<Out>::infinity());
      if (kIndex) std::fill_n(index_, voxels, int64_t{-1});
      return;
    }
    // Each team of threads takes slab after slab, in memory of its own.
    const int64_t slabs = (box_.shape[2] + kLanes - 1) / kLanes;
    const int teams = static_cast<int>(std::clamp<int64_t>(box_.threads, 1, slabs));
    const int members = std::max(1, box_.threads / teams);
    std::atomic<int64_t> next{0};
    parallel_for(teams, teams, [&](int64_t) {
      Slab slab(rows * planes.count() * kLanes);
      for (int64_t number = next++; number < slabs; number = next++) {
        slab.begin = number * kLanes;
        parallel_for(planes.count(), members, [&](int64_t plane) { transform_plane(slab, planes, plane); });
        parallel_for(rows, members, [&](int64_t row) { transform_across(slab, planes, row); });
      }
    });
  }

 private:
  // What sixteen neighbours along the last axis hold after the second axis: [rows, planes with features, 16].
  struct Slab {
    std::unique_ptr<V[], Free> values;
    std::unique_ptr<int64_t[], Free> flat;  // index of the nearest feature
    int64_t begin = 0;

    explicit Slab(int64_t count) : values(room_for<V>(count)), flat(kIndex ? room_for<int64_t>(count) : nullptr) {}
  };

  void scan() {
    const int64_t length = box_.shape[2], count = box_.lines();
    parallel_for((count + kBlock - 1) / kBlock, box_.threads, [&](int64_t block) {
      const auto next = room_for<int32_t>(length);
      for (int64_t line = block * kBlock; line < std::min(count, (block + 1) * kBlock); ++line) {
        lines_[line] = scan_line(box_, box_.voxels + line * length, next.get(), out_ + line * length);
      }
    });
  }

  // Squared distances along the last axis from sixteen voxels to what is nearest on their line; its places as well.
  void load(int64_t line, int64_t begin, V* row, int32_t* places) const {
    const int64_t length = box_.shape[2];
    const Out* from = out_ + line * length;
    const bool all = lines_[line] == Line::kAll;
    for (int64_t lane = 0; lane < kLanes; ++lane) {
      const int64_t k = std::min(begin + lane, length - 1);
      const int32_t place = all ? static_cast<int32_t>(k) : get_place(from + k);
      row[lane] = axes_[2].square(k - place);
      if (kIndex) places[lane] = place;
    }
  }

  void transform_plane(Slab& slab, const Sites& planes, int64_t plane) {
    const int64_t rows = box_.shape[1], begin_line = planes.places[plane] * rows;
    const Sites sites(rows, [&](int64_t j) { return lines_[begin_line + j] != Line::kNone; });
    const auto values = room_for<V>(sites.count() * kLanes);
    const auto places = room_for<int32_t>(kIndex ? sites.count() * kLanes : 0);
    const auto ranges = room_for<std::pair<int32_t, int32_t>>(rows);
    for (int64_t site = 0; site < sites.count(); ++site) {
      load(begin_line + sites.places[site], slab.begin, values.get() + site * kLanes, places.get() + site * kLanes);
    }
    envelope::lower_envelope<kIndex>(axes_[1], sites, values.get(), ranges.get(), [&](int64_t j, const Best<V>& best) {
      const int64_t offset = (j * planes.count() + plane) * kLanes;
      std::memcpy(slab.values.get() + offset, best.values, sizeof(best.values));
      if constexpr (kIndex) {
        for (int lane = 0; lane < kLanes; ++lane) {
          const int64_t site = best.site(lane);
          const int64_t line = begin_line + sites.places[site];
          slab.flat[offset + lane] = line * box_.shape[2] + places[site * kLanes + lane];
        }
      }
    });
  }

  void transform_across(Slab& slab, const Sites& planes, int64_t j) {
    const int64_t offset = j * planes.count() * kLanes;
    const int64_t width = std::min<int64_t>(kLanes, box_.shape[2] - slab.begin);
    const auto ranges = room_for<std::pair<int32_t, int32_t>>(box_.shape[0]);
    const V* values = slab.values.get() + offset;
    envelope::lower_envelope<kIndex>(axes_[0], planes, values, ranges.get(), [&](int64_t i, const Best<V>& best) {
      const int64_t voxel = (i * box_.shape[1] + j) * box_.shape[2] + slab.begin;
      V squared[kLanes];
      Out result[kLanes];
      std::memcpy(squared, best.values, sizeof(squared));
      for (int lane = 0; lane < kLanes; ++lane) result[lane] = finished(squared[lane], unit_, Out{});
      std::memcpy(out_ + voxel, result, width * sizeof(Out));
      if constexpr (kIndex) {
        for (int lane = 0; lane < width; ++lane) {
          index_[voxel + lane] = slab.flat[offset + best.site(lane) * kLanes + lane];
        }
      }
    });
  }

  const Box box_;
  const double unit_;
  const Axis<V> axes_[3];
  std::vector<Line> lines_;
  Out* const out_;
  int64_t* const index_;
};

// Whole numbers of 32 bits are twice as fast, where no sum overflows.
template <typename Out, bool kIndex>
void transform(const Box& box, Out* out, int64_t* index) {
  const Steps steps = whole_steps(box.shape, box.spacing);
  if (steps.whole && steps.diagonal < std::numeric_limits<int32_t>::max()) {
    Transform<int32_t, Out, kIndex>(box, steps, out, index).run();
  } else {
    Transform<double, Out, kIndex>(box, steps, out, index).run();
  }
}

}  // namespace

void distance_transform(const uint8_t* mask, const int64_t shape[3], const double spacing[3], int threads,
                        float* distance, int64_t* index) {
  const Box box{mask, false, shape, spacing, threads};
  if (shape[0] * shape[1] * shape[2] == 0) return;
  if (index) transform<float, true>(box, distance, index);
  else transform<float, false>(box, distance, index);
}

void squared_distance_transform(const uint8_t* features, const int64_t shape[3], const double spacing[3], int threads,
                                double* squared) {
  if (shape[0] * shape[1] * shape[2] == 0) return;
  transform<double, false>({features, true, shape, spacing, threads}, squared, nullptr);
}

}  // namespace medsegan

// A batch of `items` volumes, each mask[shape]; see distance_transform. `index` may be null.
extern "C" MEDSEGAN_API const char* medsegan_distance_transform(const uint8_t* mask, const int64_t* shape,
                                                                const double* spacing, int64_t items, int threads,
                                                                float* distance, int64_t* index) {
  for (int axis = 0; axis < 3; ++axis) {
    if (shape[axis] > INT32_MAX) return "no axis of a mask may be longer than 2147483647 voxels";
  }
  return medsegan::guarded([&] {
    const int64_t voxels = shape[0] * shape[1] * shape[2];
    const bool many = items >= threads;  // then every thread takes whole items
    medsegan::parallel_for(items, many ? threads : 1, [&](int64_t item) {
      const int64_t offset = item * voxels;
      medsegan::distance_transform(mask + offset, shape, spacing, many ? 1 : threads, distance + offset,
                                   index ? index + offset : nullptr);
    });
  });
}
