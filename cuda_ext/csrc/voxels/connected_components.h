// Runs of equal voxels along the rows of a volume, and which of them hang together.
//
// The parts of a volume are found in slabs, each by one thread; slabs are then joined one after the other. The set of
// components does not depend on how the volume was cut, and they are numbered by their first voxel: nothing in the
// result tells how many threads there were.
#pragma once

#include "parallel.h"

#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstring>
#include <limits>
#include <numeric>
#include <vector>

namespace medsegan {

static_assert(std::endian::native == std::endian::little);

// Voxels [begin, end) of one row; all have the same value, which is not 0.
struct Run {
  int32_t begin, end;
};

// A volume in the order of memory, the last axis fastest; and where its axes stand in the order that the caller sees.
struct Volume {
  int64_t size[3];
  int64_t order[3];  // what a step along each axis adds to the caller's index in raster order

  int64_t rows() const { return size[0] * size[1]; }
  bool is_in_raster_order() const { return order[0] >= order[1] && order[1] >= order[2]; }
};

// One component. `offset` is where in memory its first voxel lies, `rank` where that is in the caller's raster order.
struct Component {
  int64_t size, offset, rank;
};

// How far apart along the row two voxels of neighbouring rows may be; -1 = those rows do not touch.
struct Reach {
  int side;    // rows that are one step apart along one axis
  int corner;  // rows that are one step apart along both
};

inline Reach reach_of(int64_t connectivity) {
  return {connectivity == 6 ? 0 : 1, connectivity == 6 ? -1 : (connectivity == 18 ? 0 : 1)};
}

// The first place at or behind x where the row does not hold `value`; eight bytes are compared at once.
template <typename T>
int64_t first_unlike(const T* row, int64_t x, int64_t length, T value) {
  constexpr int64_t kLanes = 8 / sizeof(T);
  const uint64_t pattern = ~uint64_t(0) / std::numeric_limits<T>::max() * value;
  for (; x + kLanes <= length; x += kLanes) {
    uint64_t word;
    std::memcpy(&word, row + x, 8);
    if (const uint64_t differs = word ^ pattern) return x + std::countr_zero(differs) / int64_t(8 * sizeof(T));
  }
  while (x < length && row[x] == value) ++x;
  return x;
}

template <typename T>
void append_runs(const T* row, int64_t length, std::vector<Run>& runs) {
  for (int64_t x = first_unlike(row, 0, length, T(0)); x < length;) {
    const int64_t end = first_unlike(row, x + 1, length, row[x]);
    runs.push_back({static_cast<int32_t>(x), static_cast<int32_t>(end)});
    x = end < length && row[end] != 0 ? end : first_unlike(row, end, length, T(0));
  }
}

// Which runs hang together: a forest in which every run points to an earlier one, or to itself.
class Forest {
 public:
  void resize(int64_t count) { parent_.resize(count); }
  void plant(int64_t run) { parent_[run] = static_cast<int32_t>(run); }

  void join(int64_t a, int64_t b) {
    const int32_t first = root(a), second = root(b);
    if (first < second) {
      parent_[second] = first;
    } else {
      parent_[first] = second;
    }
  }

  // Replaces every run's parent by the number of its component, in the order of memory; returns how many there are.
  int64_t number() {
    int32_t count = 0;
    for (size_t run = 0; run < parent_.size(); ++run) {
      const int32_t parent = parent_[run];
      parent_[run] = static_cast<size_t>(parent) == run ? count++ : parent_[parent];
    }
    return count;
  }

  int32_t operator[](int64_t run) const { return parent_[run]; }

 private:
  int32_t root(int64_t run) {
    int32_t here = static_cast<int32_t>(run);
    while (parent_[here] != here) here = parent_[here] = parent_[parent_[here]];
    return here;
  }

  std::vector<int32_t> parent_;
};

// The runs of a slab of rows; those of row r are [starts[r - first_row], starts[r - first_row + 1]).
struct Slab {
  int64_t first_row, rows;
  int64_t base = 0;  // runs in the slabs before
  std::vector<Run> runs;
  std::vector<int64_t> starts;
};

template <typename T>
class Parts {
 public:
  Parts(const T* labels, const Volume& volume, int64_t connectivity, int threads)
      : labels_(labels), volume_(volume), reach_(reach_of(connectivity)), threads_(threads) {
    cut();
    parallel_for(std::ssize(slabs_), threads_, [&](int64_t index) { read(slabs_[index]); });
    for (size_t index = 1; index < slabs_.size(); ++index) {
      slabs_[index].base = slabs_[index - 1].base + std::ssize(slabs_[index - 1].runs);
    }
    n_runs_ = slabs_.back().base + std::ssize(slabs_.back().runs);
  }

  bool is_too_many() const { return n_runs_ > std::numeric_limits<int32_t>::max(); }

  // Finds the components; they are in the caller's raster order of their first voxels.
  void connect() {
    forest_.resize(n_runs_);
    parallel_for(std::ssize(slabs_), threads_, [&](int64_t index) {
      const Slab& slab = slabs_[index];
      for (int64_t run = 0; run < std::ssize(slab.runs); ++run) forest_.plant(slab.base + run);
      for (int64_t row = slab.first_row; row < slab.first_row + slab.rows; ++row) join_row(slab, slab, row);
    });
    for (size_t index = 1; index < slabs_.size(); ++index) {
      const Slab& slab = slabs_[index];
      for (int64_t row = slab.first_row; row < slab.first_row + volume_.size[1]; ++row) {
        join_row(slab, slabs_[index - 1], row);
      }
    }
    components_.assign(forest_.number(), {0, 0, std::numeric_limits<int64_t>::max()});
    measure();
    sort();
  }

  const std::vector<Component>& components() const { return components_; }

  T value_of(const Component& component) const { return labels_[component.offset]; }

  // Calls paint(offset, length, component) for every run.
  template <typename F>
  void for_each_run(const F& paint) const {
    parallel_for(std::ssize(slabs_), threads_, [&](int64_t index) {
      const Slab& slab = slabs_[index];
      for (int64_t row = 0; row < slab.rows; ++row) {
        const int64_t offset = (slab.first_row + row) * volume_.size[2];
        for (int64_t run = slab.starts[row]; run < slab.starts[row + 1]; ++run) {
          const Run& r = slab.runs[run];
          paint(offset + r.begin, r.end - r.begin, place_[forest_[slab.base + run]]);
        }
      }
    });
  }

 private:
  static constexpr int64_t kSlabVoxels = int64_t(1) << 20;

  void cut() {
    const int64_t slices = std::max<int64_t>(1, kSlabVoxels / (volume_.size[1] * volume_.size[2]));
    for (int64_t z = 0; z < volume_.size[0]; z += slices) {
      Slab slab;
      slab.first_row = z * volume_.size[1];
      slab.rows = std::min(slices, volume_.size[0] - z) * volume_.size[1];
      slabs_.push_back(std::move(slab));
    }
  }

  void read(Slab& slab) const {
    const int64_t length = volume_.size[2];
    slab.starts.reserve(slab.rows + 1);
    for (int64_t row = slab.first_row; row < slab.first_row + slab.rows; ++row) {
      slab.starts.push_back(std::ssize(slab.runs));
      append_runs(labels_ + row * length, length, slab.runs);
    }
    slab.starts.push_back(std::ssize(slab.runs));
  }

  // Joins the runs of a row with those before it that lie in `other`: its own slab, or the one in front of it.
  void join_row(const Slab& slab, const Slab& other, int64_t row) {
    const int64_t height = volume_.size[1], y = row % height;
    if (slab.starts[row - slab.first_row] == slab.starts[row - slab.first_row + 1]) return;
    if (&slab == &other && y > 0) join_rows(slab, row, other, row - 1, reach_.side);
    if (row - height < other.first_row || row - height >= other.first_row + other.rows) return;
    join_rows(slab, row, other, row - height, reach_.side);
    if (reach_.corner < 0) return;
    if (y > 0) join_rows(slab, row, other, row - height - 1, reach_.corner);
    if (y + 1 < height) join_rows(slab, row, other, row - height + 1, reach_.corner);
  }

  void join_rows(const Slab& slab, int64_t row, const Slab& other, int64_t other_row, int reach) {
    const T *a_values = labels_ + row * volume_.size[2], *b_values = labels_ + other_row * volume_.size[2];
    int64_t a = slab.starts[row - slab.first_row], b = other.starts[other_row - other.first_row];
    const int64_t a_end = slab.starts[row - slab.first_row + 1], b_end = other.starts[other_row - other.first_row + 1];
    const auto join_if_touching = [&](int64_t i, int64_t j) {
      const Run &p = slab.runs[i], &q = other.runs[j];
      if (p.begin < q.end + reach && q.begin < p.end + reach && a_values[p.begin] == b_values[q.begin]) {
        forest_.join(slab.base + i, other.base + j);
      }
    };
    while (a < a_end && b < b_end) {
      join_if_touching(a, b);
      const int32_t p = slab.runs[a].end, q = other.runs[b].end;
      // Where both end at one place, each may still touch the other's successor at a corner.
      if (p == q && b + 1 < b_end) join_if_touching(a, b + 1);
      if (p <= q) {
        ++a;
      } else {
        ++b;
      }
    }
  }

  // Size and first voxel of every component. Along a row the caller's index grows: a run begins with its first voxel.
  void measure() {
    for (const Slab& slab : slabs_) {
      for (int64_t row = 0; row < slab.rows; ++row) {
        const int64_t y = slab.first_row + row, z = y / volume_.size[1];
        const int64_t rank = z * volume_.order[0] + (y - z * volume_.size[1]) * volume_.order[1];
        for (int64_t run = slab.starts[row]; run < slab.starts[row + 1]; ++run) {
          const Run& r = slab.runs[run];
          Component& component = components_[forest_[slab.base + run]];
          component.size += r.end - r.begin;
          const int64_t first = rank + r.begin * volume_.order[2];
          if (first < component.rank) {
            component.rank = first;
            component.offset = y * volume_.size[2] + r.begin;
          }
        }
      }
    }
  }

  // Brings the components into the caller's raster order; place_ says where each of them went.
  void sort() {
    place_.resize(components_.size());
    std::iota(place_.begin(), place_.end(), 0);
    if (volume_.is_in_raster_order()) return;
    std::vector<int32_t> order = place_;
    std::sort(order.begin(), order.end(),
              [&](int32_t a, int32_t b) { return components_[a].rank < components_[b].rank; });
    std::vector<Component> sorted;
    sorted.reserve(components_.size());
    for (const int32_t component : order) {
      place_[component] = static_cast<int32_t>(sorted.size());
      sorted.push_back(components_[component]);
    }
    components_.swap(sorted);
  }

  const T* labels_;
  Volume volume_;
  Reach reach_;
  int threads_;
  std::vector<Slab> slabs_;
  int64_t n_runs_ = 0;
  Forest forest_;
  std::vector<Component> components_;
  std::vector<int32_t> place_;
};

}  // namespace medsegan
