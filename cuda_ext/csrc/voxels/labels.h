// Volumes of labels: their integer types, and the runs of equal values that they are made of.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <vector>

namespace medsegan {

// Integer types as the Python side numbers them; see medsegan/voxels/labels.py.
enum LabelType : int { kUint8 = 0, kUint16 = 1, kInt16 = 2, kInt32 = 3, kInt64 = 4 };

// Calls f with a null pointer of the type that the number stands for; false if it stands for none.
template <typename F>
bool with_label_type(int type, const F& f) {
  switch (type) {
    case kUint8: f(static_cast<const uint8_t*>(nullptr)); return true;
    case kUint16: f(static_cast<const uint16_t*>(nullptr)); return true;
    case kInt16: f(static_cast<const int16_t*>(nullptr)); return true;
    case kInt32: f(static_cast<const int32_t*>(nullptr)); return true;
    case kInt64: f(static_cast<const int64_t*>(nullptr)); return true;
    default: return false;
  }
}

template <int kLength, typename T>
bool is_uniform(const T* values, T value) {
  T difference = 0;
  for (int i = 0; i < kLength; ++i) difference = static_cast<T>(difference | (values[i] ^ value));
  return difference == 0;
}

// The index after the run of equal values that starts at `begin`.
template <typename T>
int64_t end_of_run(const T* values, int64_t begin, int64_t end) {
  const T value = values[begin];
  int64_t i = begin + 1;
  while (i + 64 <= end && is_uniform<64>(values + i, value)) i += 64;
  while (i + 16 <= end && is_uniform<16>(values + i, value)) i += 16;
  while (i < end && values[i] == value) ++i;
  return i;
}

// Up to 64 values as bits: bit i is set where values[i] is the label.
template <typename T>
uint64_t pack_equal(const T* values, int64_t count, T label) {
  alignas(64) uint8_t equal[64];
  if (count >= 64) {
    for (int i = 0; i < 64; ++i) equal[i] = values[i] == label;
  } else {
    std::memset(equal, 0, sizeof equal);
    for (int64_t i = 0; i < count; ++i) equal[i] = values[i] == label;
  }
  uint64_t bits = 0;
  for (int byte = 0; byte < 8; ++byte) {  // the product gathers the lowest bit of eight bytes in the highest byte
    uint64_t eight;
    std::memcpy(&eight, equal + 8 * byte, 8);
    bits |= ((eight * 0x0102040810204080u) >> 56) << (8 * byte);
  }
  return bits;
}

// The position of a label value in the list of classes, -1 for a value that is not in it.
class ClassOf {
 public:
  ClassOf(const int64_t* labels, int64_t count) : table_(kTable, -1) {
    for (int64_t i = 0; i < count; ++i) {
      if (labels[i] >= 0 && labels[i] < kTable) {
        table_[labels[i]] = static_cast<int32_t>(i);
      } else {
        others_.push_back({labels[i], static_cast<int32_t>(i)});
      }
    }
    std::sort(others_.begin(), others_.end(), [](const Entry& a, const Entry& b) { return a.label < b.label; });
  }

  int32_t operator()(int64_t value) const {
    if (value >= 0 && value < kTable) return table_[value];
    const auto found = std::lower_bound(others_.begin(), others_.end(), value,
                                        [](const Entry& entry, int64_t wanted) { return entry.label < wanted; });
    return found != others_.end() && found->label == value ? found->index : -1;
  }

 private:
  static constexpr int64_t kTable = 65536;
  struct Entry {
    int64_t label;
    int32_t index;
  };
  std::vector<int32_t> table_;
  std::vector<Entry> others_;
};

}  // namespace medsegan
