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

template <typename T>
bool is_class(T value, int64_t n_classes) {
  return static_cast<uint64_t>(static_cast<int64_t>(value)) < static_cast<uint64_t>(n_classes);
}

template <typename T>
bool add(T prediction, T reference, int64_t times, int64_t n_classes, Share& share) {
  const bool prediction_is_bad = !is_class(prediction, n_classes);
  if (prediction_is_bad || !is_class(reference, n_classes)) {
    share.is_bad = true;
    share.bad_in_reference = !prediction_is_bad;
    share.bad_value = static_cast<int64_t>(prediction_is_bad ? prediction : reference);
    return false;
  }
  share.counts[static_cast<int64_t>(reference) * n_classes + static_cast<int64_t>(prediction)] += times;
  return true;
}

// Volumes are mostly runs: 64 equal pairs at once, single voxels only where a border runs through the 64.
template <typename T>
void count(const T* prediction, const T* reference, int64_t begin, int64_t end, int64_t n_classes, Share& share) {
  constexpr int kBlock = 64;
  int64_t i = begin;
  for (; i + kBlock <= end; i += kBlock) {
    if (is_uniform<kBlock>(prediction + i, prediction[i]) && is_uniform<kBlock>(reference + i, reference[i])) {
      if (!add(prediction[i], reference[i], kBlock, n_classes, share)) return;
      continue;
    }
    for (int64_t k = i; k < i + kBlock; ++k) {
      if (!add(prediction[k], reference[k], 1, n_classes, share)) return;
    }
  }
  for (; i < end; ++i) {
    if (!add(prediction[i], reference[i], 1, n_classes, share)) return;
  }
}

}  // namespace
}  // namespace medsegan

// counts: n_classes x n_classes, rows are the reference. bad: {0 none, 1 prediction, 2 reference; the value}, of the
// first voxel in memory whose value is not 0..n_classes-1; counts is not written then.
extern "C" MEDSEGAN_API const char* medsegan_confusion(const void* prediction, const void* reference, int type,
                                                       int64_t voxels, int64_t n_classes, int threads,
                                                       int64_t* counts, int64_t* bad) {
  using namespace medsegan;
  return guarded([&] {
    const int64_t used = std::clamp<int64_t>(voxels / 65536, 1, std::max(threads, 1));
    std::vector<Share> shares(used);
    with_label_type(type, [&](auto* of_type) {
      using Pointer = decltype(of_type);
      parallel_for(used, threads, [&](int64_t who) {
        shares[who].counts.assign(n_classes * n_classes, 0);
        count(static_cast<Pointer>(prediction), static_cast<Pointer>(reference), voxels * who / used,
              voxels * (who + 1) / used, n_classes, shares[who]);
      });
    });
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
