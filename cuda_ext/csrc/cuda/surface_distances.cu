// Distances between the surfaces of two label volumes on the GPU, class by class, in the box of the class. The nearest
// element is found axis by axis: in each row of the box, then in each plane, then for the elements of the other
// surface alone. See medsegan/ops/surface_distances.py.
#include "check.h"
#include "cuda/launch.h"
#include "cuda/surface_kernels.cuh"
#include "surfel_areas.h"

#include <algorithm>
#include <array>
#include <climits>
#include <limits>
#include <optional>
#include <tuple>
#include <vector>

namespace medsegan {
namespace {

using torch::headeronly::ScalarType;

constexpr const char* kName = "surface_distances";

void check_cuda(cudaError_t error) {
  STD_TORCH_CHECK(error == cudaSuccess, kName, ": the GPU reports: ", cudaGetErrorString(error));
}

// Where the work is done, and memory for it.
struct Place {
  const Tensor& like;
  cudaStream_t stream;

  Tensor room(int64_t count, ScalarType type) const { return torch::stable::new_empty(like, {count}, type); }

  template <typename T>
  Tensor upload(const T* values, int64_t count, ScalarType type) const {
    Tensor there = room(count, type);
    check_cuda(cudaMemcpyAsync(there.data_ptr(), values, count * sizeof(T), cudaMemcpyHostToDevice, stream));
    check_cuda(cudaStreamSynchronize(stream));  // the host's memory may go
    return there;
  }

  template <typename T>
  void download(const void* from, T* values, int64_t count) const {
    check_cuda(cudaMemcpyAsync(values, from, count * sizeof(T), cudaMemcpyDeviceToHost, stream));
    check_cuda(cudaStreamSynchronize(stream));
  }
};

struct Request {
  Tensor prediction, reference;  // contiguous
  std::vector<int64_t> labels;
  Spacing spacing;
  bool surfels;

  Extent size() const { return {prediction.size(0), prediction.size(1), prediction.size(2)}; }
};

// The results of a list, in memory of its own until the number of all is known.
struct List {
  int64_t count = 0;
  std::optional<Tensor> distances, weights;
};

// The elements of one surface.
struct Surface {
  Tensor codes;
  int64_t count;
  std::optional<Tensor> elements;
};

// The box of each label in both volumes together, in the order of the labels.
template <typename T>
std::vector<Box> find_all_boxes(const Request& asked, const Place& place) {
  const int64_t n_labels = static_cast<int64_t>(asked.labels.size());
  std::vector<int64_t> sorted = asked.labels;
  std::sort(sorted.begin(), sorted.end());
  const Tensor labels = place.upload(sorted.data(), n_labels, ScalarType::Long);
  std::vector<Box> boxes(n_labels, Box{{INT_MAX, INT_MAX, INT_MAX}, {-1, -1, -1}});
  constexpr int64_t kInts = sizeof(Box) / sizeof(int);
  const Tensor there = place.upload(&boxes[0].low[0], n_labels * kInts, ScalarType::Int);
  for (const Tensor* volume : {&asked.prediction, &asked.reference}) {
    find_boxes<<<grid_for(volume->numel() / 16, kThreads), kThreads, 0, place.stream>>>(
        data<T>(*volume), asked.size(), data<int64_t>(labels), static_cast<int>(n_labels),
        static_cast<Box*>(there.data_ptr()));
    check_launch(kName);
  }
  place.download(there.data_ptr(), boxes.data(), n_labels);
  std::vector<Box> in_order;
  for (int64_t label : asked.labels) {
    in_order.push_back(boxes[std::lower_bound(sorted.begin(), sorted.end(), label) - sorted.begin()]);
  }
  return in_order;
}

template <typename T>
Mask<T> mask_of(const Tensor& volume, const Request& asked, const Box& box, int64_t label) {
  Mask<T> mask{data<T>(volume), asked.size(), {}, {}, static_cast<T>(label)};
  std::copy(box.low, box.low + 3, mask.low);
  mask.box = {box.high[0] - box.low[0] + 1, box.high[1] - box.low[1] + 1, box.high[2] - box.low[2] + 1};
  return mask;
}

template <typename T>
Surface find_surface(const Mask<T>& mask, const Extent& places, bool surfels, const Place& place) {
  const int64_t count = places.count(), chunks = (count + kChunk - 1) / kChunk;
  Surface surface{place.room(count, ScalarType::Byte), 0, std::nullopt};
  uint8_t* codes = data<uint8_t>(surface.codes);
  const int blocks = grid_for(count, kThreads);
  if (surfels) {
    mark_surfels<<<blocks, kThreads, 0, place.stream>>>(mask, places, codes);
  } else {
    mark_voxels<<<blocks, kThreads, 0, place.stream>>>(mask, places, codes);
  }
  check_launch(kName);
  const Tensor begins = place.room(chunks + 1, ScalarType::Long);
  count_elements<<<static_cast<unsigned>(chunks), kThreads, 0, place.stream>>>(codes, count, data<int64_t>(begins));
  check_launch(kName);
  add_up<<<1, kScanThreads, 0, place.stream>>>(data<int64_t>(begins), chunks);
  check_launch(kName);
  place.download(data<int64_t>(begins) + chunks, &surface.count, 1);
  if (surface.count == 0) return surface;
  surface.elements = place.room(surface.count, ScalarType::Long);
  list_elements<<<static_cast<unsigned>(chunks), kThreads, 0, place.stream>>>(
      codes, count, data<int64_t>(begins), data<int64_t>(*surface.elements));
  check_launch(kName);
  return surface;
}

// From the elements of one surface to the nearest of the other.
List measure(const Surface& from, const Surface& to, const Extent& places, const Request& asked,
             const double* area_of_code, const Place& place) {
  List list{from.count, std::nullopt, std::nullopt};
  if (from.count == 0) return list;
  list.distances = place.room(from.count, ScalarType::Double);
  list.weights = place.room(from.count, ScalarType::Double);
  const int64_t* elements = data<int64_t>(*from.elements);
  const int blocks = grid_for(from.count, kThreads);
  weigh<<<blocks, kThreads, 0, place.stream>>>(data<uint8_t>(from.codes), area_of_code, elements, from.count,
                                               data<double>(*list.weights));
  check_launch(kName);
  if (to.count == 0) {
    fill<<<blocks, kThreads, 0, place.stream>>>(data<double>(*list.distances), from.count,
                                                std::numeric_limits<double>::infinity());
    check_launch(kName);
    return list;
  }
  const Tensor steps = place.room(places.count(), ScalarType::Int);
  const Tensor squared_mm = place.room(places.count(), ScalarType::Double);
  nearest_in_row<<<grid_for(places.n0 * places.n1 * kWarp, kThreads), kThreads, 0, place.stream>>>(
      data<uint8_t>(to.codes), places, data<int>(steps));
  check_launch(kName);
  nearest_in_plane<<<grid_for(places.count(), kThreads), kThreads, 0, place.stream>>>(
      data<int>(steps), places, asked.spacing, data<double>(squared_mm));
  check_launch(kName);
  nearest_of_elements<<<blocks, kThreads, 0, place.stream>>>(data<double>(squared_mm), places, asked.spacing, elements,
                                                             from.count, data<double>(*list.distances));
  check_launch(kName);
  return list;
}

// The four lists of every class.
template <typename T>
std::vector<List> measure_all(const Request& asked, const Place& place) {
  const std::vector<Box> boxes = find_all_boxes<T>(asked, place);
  const std::array<double, 256> areas = surfel_areas_mm2(asked.spacing.mm);
  const Tensor area_of_code = place.upload(areas.data(), areas.size(), ScalarType::Double);
  std::vector<List> lists;
  for (size_t c = 0; c < boxes.size(); ++c) {
    lists.resize(4 * c + 4);
    if (boxes[c].high[0] < 0) continue;
    const Mask<T> prediction = mask_of<T>(asked.prediction, asked, boxes[c], asked.labels[c]);
    const Mask<T> reference = mask_of<T>(asked.reference, asked, boxes[c], asked.labels[c]);
    // There is one more place between voxels, or beside them, than there are voxels.
    const Extent places{prediction.box.n0 + 1, prediction.box.n1 + 1, prediction.box.n2 + 1};
    for (bool surfels : {false, true}) {
      if (surfels && !asked.surfels) continue;
      const Surface a = find_surface(prediction, places, surfels, place);
      const Surface b = find_surface(reference, places, surfels, place);
      const double* table = surfels ? data<double>(area_of_code) : nullptr;
      lists[4 * c + 2 * surfels] = measure(a, b, places, asked, table, place);
      lists[4 * c + 2 * surfels + 1] = measure(b, a, places, asked, table, place);
    }
  }
  return lists;
}

std::tuple<Tensor, Tensor, Tensor> join(const std::vector<List>& lists, const Place& place) {
  std::vector<int64_t> ends{0};
  for (const List& list : lists) ends.push_back(ends.back() + list.count);
  const Tensor distances = place.room(ends.back(), ScalarType::Double);
  const Tensor weights = place.room(ends.back(), ScalarType::Double);
  for (size_t i = 0; i < lists.size(); ++i) {
    if (lists[i].count == 0) continue;
    const size_t bytes = lists[i].count * sizeof(double);
    const auto append = [&](const Tensor& from, const Tensor& to) {
      check_cuda(cudaMemcpyAsync(data<double>(to) + ends[i], from.data_ptr(), bytes, cudaMemcpyDeviceToDevice,
                                 place.stream));
    };
    append(*lists[i].distances, distances);
    append(*lists[i].weights, weights);
  }
  return {distances, weights, place.upload(ends.data(), static_cast<int64_t>(ends.size()), ScalarType::Long)};
}

std::tuple<Tensor, Tensor, Tensor> surface_distances(const Tensor& prediction, const Tensor& reference,
                                                     std::vector<int64_t> labels, std::vector<double> spacing_mm,
                                                     bool surfels) {
  STD_TORCH_CHECK(prediction.dim() == 3 && reference.dim() == 3 && spacing_mm.size() == 3,
                  "needs 3D volumes and three spacings, got ", prediction.dim(), "D and ", spacing_mm.size());
  STD_TORCH_CHECK(prediction.scalar_type() == reference.scalar_type(), "prediction and reference differ in dtype");
  for (int64_t axis = 0; axis < 3; ++axis) {
    STD_TORCH_CHECK(prediction.size(axis) == reference.size(axis), "prediction and reference differ in dimension ",
                    axis, ": ", prediction.size(axis), " and ", reference.size(axis));
    STD_TORCH_CHECK(spacing_mm[axis] > 0, "spacings must be positive, got ", spacing_mm[axis], " mm");
    STD_TORCH_CHECK(prediction.size(axis) < INT_MAX, "no axis may be longer than 2147483646 voxels");
  }
  const DeviceGuard guard(prediction);
  const Request asked{torch::stable::contiguous(prediction), torch::stable::contiguous(reference), std::move(labels),
                      Spacing{{spacing_mm[0], spacing_mm[1], spacing_mm[2]}}, surfels};
  const Place place{asked.prediction, stream_of(asked.prediction)};
  std::vector<List> lists(4 * asked.labels.size());
  if (prediction.numel() > 0 && !lists.empty()) {
    THO_DISPATCH_V2(prediction.scalar_type(), kName, AT_WRAP([&] { lists = measure_all<scalar_t>(asked, place); }),
                    AT_EXPAND(AT_INTEGRAL_TYPES), ScalarType::UInt16);
  }
  return join(lists, place);
}

}  // namespace

STABLE_TORCH_LIBRARY_IMPL(medsegan, CUDA, library) { library.impl(kName, TORCH_BOX(&surface_distances)); }

}  // namespace medsegan
