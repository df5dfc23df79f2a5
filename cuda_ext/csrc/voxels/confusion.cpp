// How often each class of one volume meets each class of another. See medsegan/voxels/confusion.py.
#include "api.h"
#include "labels.h"
#include "parallel.h"

#include <algorithm>
#include <vector>

namespace medsegan {
namespace {

// What one thread counted in its share of the voxels, and the first voxel there whose value is no class.
struct Share {
  std::vector<int64_t> counts;
  bool is_bad = false, bad_in_reference = false;
  int64_t bad_value = 0;
};

// Row and column of a value, -1 for a value that has none: the value itself below n_classes, or its place in a list,
// with 0 for all that is not listed.
struct Itself {
  int64_t n_classes;
  int64_t operator()(int64_t value) const { return value >= 0 && value < n_classes ? value : -1; }
};

struct Listed {
  ClassOf class_of;
  int64_t operator()(int64_t value) const { return class_of(value) + 1; }
};

template <typename T, typename Place>
bool add(T prediction, T reference, int64_t times, int64_t n_classes, const Place& place, Share& share) {
  const int64_t column = place(static_cast<int64_t>(prediction)), row = place(static_cast<int64_t>(reference));
  if (column < 0 || row < 0) {
    share.is_bad = true;
    share.bad_in_reference = column >= 0;
    share.bad_value = static_cast<int64_t>(column < 0 ? prediction : reference);
    return false;
  }
  share.counts[row * n_classes + column] += times;
  return true;
}

// Volumes are mostly runs: 64 equal pairs at once, single voxels only where a border runs through the 64.
template <typename T, typename Place>
void count(const T* prediction, const T* reference, int64_t begin, int64_t end, int64_t n_classes, const Place& place,
           Share& share) {
  constexpr int kBlock = 64;
  int64_t i = begin;
  for (; i + kBlock <= end; i += kBlock) {
    if (is_uniform<kBlock>(prediction + i, prediction[i]) && is_uniform<kBlock>(reference + i, reference[i])) {
      if (!add(prediction[i], reference[i], kBlock, n_classes, place, share)) return;
      continue;
    }
    for (int64_t k = i; k < i + kBlock; ++k) {
      if (!add(prediction[k], reference[k], 1, n_classes, place, share)) return;
    }
  }
  for (; i < end; ++i) {
    if (!add(prediction[i], reference[i], 1, n_classes, place, share)) return;
  }
}

template <typename Place>
void count_all(const void* prediction, const void* reference, int type, int64_t voxels, int64_t n_classes,
               const Place& place, int threads, std::vector<Share>& shares) {
  const int64_t used = std::clamp<int64_t>(voxels / 65536, 1, std::max(threads, 1));
  shares.resize(used);
  with_label_type(type, [&](auto* of_type) {
    using Pointer = decltype(of_type);
    parallel_for(used, threads, [&](int64_t who) {
      shares[who].counts.assign(n_classes * n_classes, 0);
      count(static_cast<Pointer>(prediction), static_cast<Pointer>(reference), voxels * who / used,
            voxels * (who + 1) / used, n_classes, place, shares[who]);
    });
  });
}

}  // namespace
}  // namespace medsegan

// counts: n_classes x n_classes, rows are the reference. labels: null if the values are the classes, else the values of
// the classes from 1 on, distinct, while class 0 is any other value. bad: {0 none, 1 prediction, 2 reference; the
// value}, of the first voxel in memory whose value is no class; counts is not written then.
extern "C" MEDSEGAN_API const char* medsegan_confusion(const void* prediction, const void* reference, int type,
                                                       int64_t voxels, int64_t n_classes, const int64_t* labels,
                                                       int threads, int64_t* counts, int64_t* bad) {
  using namespace medsegan;
  return guarded([&] {
    std::vector<Share> shares;
    if (labels) {
      const Listed place{ClassOf(labels, n_classes - 1)};
      count_all(prediction, reference, type, voxels, n_classes, place, threads, shares);
    } else {
      count_all(prediction, reference, type, voxels, n_classes, Itself{n_classes}, threads, shares);
    }
    bad[0] = 0;
    for (const Share& share : shares) {
      if (!share.is_bad) continue;
      bad[0] = share.bad_in_reference ? 2 : 1;
      bad[1] = share.bad_value;
      return;
    }
    std::fill_n(counts, n_classes * n_classes, 0);
    for (const Share& share : shares) {
      for (int64_t i = 0; i < n_classes * n_classes; ++i) counts[i] += share.counts[i];
    }
  });
}
