// Which components of a label volume stay when each class is to be in one piece.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

namespace medsegan {

// 1 for the largest component of every chosen class, the first of equals; 1 for all of every other class; else 0.
// value_of(index) and size_of(index) tell of a component; `chosen` = nullptr stands for every class.
template <typename Value, typename ValueOf, typename SizeOf>
std::vector<char> largest_of_class(int64_t count, const ValueOf& value_of, const SizeOf& size_of,
                                   const std::vector<Value>* chosen) {
  std::vector<char> keep(count, 1);
  std::vector<int64_t> rivals;
  for (int64_t index = 0; index < count; ++index) {
    const Value value = value_of(index);
    if (!chosen || std::find(chosen->begin(), chosen->end(), value) != chosen->end()) rivals.push_back(index);
  }
  std::sort(rivals.begin(), rivals.end(), [&](int64_t a, int64_t b) {
    if (value_of(a) != value_of(b)) return value_of(a) < value_of(b);
    if (size_of(a) != size_of(b)) return size_of(a) > size_of(b);
    return a < b;
  });
  for (size_t place = 1; place < rivals.size(); ++place) {
    if (value_of(rivals[place]) == value_of(rivals[place - 1])) keep[rivals[place]] = 0;
  }
  return keep;
}

}  // namespace medsegan
