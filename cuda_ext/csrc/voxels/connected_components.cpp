// Connected components of a label volume, and the largest of each class. See medsegan/voxels/connected_components.py.
#include "connected_components.h"

#include "api.h"
#include "largest_of_class.h"

#include <cstdlib>
#include <memory>

namespace medsegan {
namespace {

struct Request {
  const void* labels;
  int64_t item_size;
  Volume volume;
  int64_t connectivity;
  int threads;
};

// Calls use(parts) with the parts of a volume, whose voxels are only compared: signs do not matter.
template <typename T, typename F>
const char* connect(const Request& request, const F& use) {
  const char* failure = nullptr;
  const char* thrown = guarded([&] {
    Parts<T> parts(static_cast<const T*>(request.labels), request.volume, request.connectivity, request.threads);
    if (parts.is_too_many()) {
      failure = "the labels fall into more than 2147483647 runs, more than components can be counted in";
      return;
    }
    parts.connect();
    use(parts);
  });
  return thrown ? thrown : failure;
}

template <typename F>
const char* dispatch(const Request& request, const F& use) {
  if (request.volume.size[2] > std::numeric_limits<int32_t>::max()) return "a row of labels is longer than 2147483647";
  switch (request.item_size) {
    case 1: return connect<uint8_t>(request, use);
    case 2: return connect<uint16_t>(request, use);
    case 4: return connect<uint32_t>(request, use);
    case 8: return connect<uint64_t>(request, use);
    default: return "labels must have 1, 2, 4 or 8 bytes each";
  }
}

Request as_request(const void* labels, int64_t item_size, const int64_t* size, const int64_t* order,
                   int64_t connectivity, int64_t threads) {
  return {labels, item_size, {{size[0], size[1], size[2]}, {order[0], order[1], order[2]}}, connectivity,
          static_cast<int>(threads)};
}

// Which components stay. n_classes: of the classes that are reduced to one component; -1 = every class.
template <typename T>
std::vector<char> keepers(const Parts<T>& parts, const T* classes, int64_t n_classes) {
  const std::vector<Component>& all = parts.components();
  const std::vector<T> chosen(classes, classes + std::max<int64_t>(n_classes, 0));
  return largest_of_class<T>(
      std::ssize(all), [&](int64_t index) { return parts.value_of(all[index]); },
      [&](int64_t index) { return all[index].size; }, n_classes < 0 ? nullptr : &chosen);
}

}  // namespace
}  // namespace medsegan

// components: int32, zero on entry, in the memory order of the labels. *table: n rows of (size, offset of the first
// voxel in memory), to be given back with medsegan_release; nullptr where n is 0.
extern "C" MEDSEGAN_API const char* medsegan_connected_components(const void* labels, int64_t item_size,
                                                                  const int64_t* size, const int64_t* order,
                                                                  int64_t connectivity, int64_t threads,
                                                                  int32_t* components, int64_t** table, int64_t* n) {
  using namespace medsegan;
  return dispatch(as_request(labels, item_size, size, order, connectivity, threads), [&](const auto& parts) {
    const std::vector<Component>& found = parts.components();
    std::unique_ptr<int64_t, decltype(&std::free)> rows(nullptr, &std::free);
    if (!found.empty()) {
      rows.reset(static_cast<int64_t*>(std::malloc(found.size() * 2 * sizeof(int64_t))));
      if (!rows) throw std::bad_alloc();
    }
    for (size_t index = 0; index < found.size(); ++index) {
      rows.get()[2 * index] = found[index].size;
      rows.get()[2 * index + 1] = found[index].offset;
    }
    parts.for_each_run([&](int64_t offset, int64_t length, int32_t component) {
      std::fill_n(components + offset, length, component + 1);
    });
    *n = std::ssize(found);
    *table = rows.release();
  });
}

extern "C" MEDSEGAN_API const char* medsegan_release(int64_t* table) {
  std::free(table);
  return nullptr;
}

// kept: of the labels' type, zero on entry.
extern "C" MEDSEGAN_API const char* medsegan_keep_largest(const void* labels, int64_t item_size, const int64_t* size,
                                                          const int64_t* order, int64_t connectivity, int64_t threads,
                                                          const void* classes, int64_t n_classes, void* kept) {
  using namespace medsegan;
  const Request request = as_request(labels, item_size, size, order, connectivity, threads);
  return dispatch(request, [&]<typename T>(const Parts<T>& parts) {
    const std::vector<char> keep = keepers(parts, static_cast<const T*>(classes), n_classes);
    parts.for_each_run([&](int64_t offset, int64_t length, int32_t component) {
      if (!keep[component]) return;
      const T* from = static_cast<const T*>(labels) + offset;
      std::copy(from, from + length, static_cast<T*>(kept) + offset);
    });
  });
}
