// Points of a regular grid, one bit each, and the exact distance from any place of the grid to the nearest of them.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <mutex>
#include <vector>

namespace medsegan {

static_assert(std::endian::native == std::endian::little, "windows of bits are read across bytes");

constexpr double kNothing = std::numeric_limits<double>::infinity();

// The extent of a grid, the rows near any row in order of their distance, and all squared distances along an axis.
// Rows run along the last axis. Around the grid lie empty rows, so that near rows need no test whether they exist.
struct GridShape {
  struct NearRow {
    double squared_mm;
    int64_t bytes;  // from a row to the near one
  };

  static constexpr double kNearRows = 300;  // looked through before the tree of bricks is asked
  static constexpr int kReach = 28;         // bits of a row looked at, to either side

  std::array<int64_t, 3> size;
  std::array<int64_t, 2> margin;
  int64_t words;         // of a row, without one empty word before and after
  int64_t row_stride;    // in words
  int64_t plane_stride;  // in words
  std::array<std::vector<double>, 3> squared_mm;
  std::array<double, 65> squared_window_mm;
  std::vector<NearRow> near;
  double settled_mm2;  // a squared distance up to this is sure after the near rows

  GridShape(const std::array<int64_t, 3>& size_, const double* spacing_mm) : size(size_) {
    for (int axis = 0; axis < 3; ++axis) {
      for (int64_t d = 0; d <= size[axis]; ++d) {
        const double mm = static_cast<double>(d) * spacing_mm[axis];
        squared_mm[axis].push_back(mm * mm);
      }
    }
    for (int d = 0; d < 64; ++d) {
      const double mm = d * spacing_mm[2];
      squared_window_mm[d] = mm * mm;
    }
    squared_window_mm[64] = kNothing;
    const double radius2 = kNearRows * spacing_mm[0] * spacing_mm[1] / 3.14159265358979;
    int64_t reach[2];
    for (int axis = 0; axis < 2; ++axis) {
      const double rows = std::sqrt(radius2) / spacing_mm[axis];
      reach[axis] = rows < static_cast<double>(size[axis] - 1) ? static_cast<int64_t>(rows) + 1 : size[axis] - 1;
      margin[axis] = reach[axis] + 1;
    }
    words = (size[2] + 63) / 64;
    row_stride = words + 2;
    plane_stride = row_stride * (size[1] + 2 * margin[1]);
    bool all_rows = true;
    for (int64_t dx = -reach[0]; dx <= reach[0]; ++dx) {
      for (int64_t dy = -reach[1]; dy <= reach[1]; ++dy) {
        const double squared = squared_mm[0][std::abs(dx)] + squared_mm[1][std::abs(dy)];
        if (squared <= radius2) {
          near.push_back({squared, 8 * (dx * plane_stride + dy * row_stride)});
        } else {
          all_rows = false;
        }
      }
    }
    all_rows = all_rows && reach[0] == size[0] - 1 && reach[1] == size[1] - 1;
    std::sort(near.begin(), near.end(), [](const NearRow& a, const NearRow& b) {
      return a.squared_mm != b.squared_mm ? a.squared_mm < b.squared_mm : a.bytes < b.bytes;
    });
    near.push_back({kNothing, 0});
    settled_mm2 = std::min(all_rows ? kNothing : radius2, size[2] <= kReach ? kNothing : squared_window_mm[kReach + 1]);
  }

  int64_t words_in_all() const { return (size[0] + 2 * margin[0]) * plane_stride; }
};

// A place of the grid that was found to be the nearest point of the last one asked for.
struct Hint {
  bool is_far = false;
  int64_t x = 0, y = 0, z = 0;
};

class PointGrid {
 public:
  explicit PointGrid(const GridShape& shape) : shape_(shape), bits_(shape.words_in_all(), 0) {}

  uint64_t* row(int64_t x, int64_t y) { return bits_.data() + offset(x, y); }
  const uint64_t* row(int64_t x, int64_t y) const { return bits_.data() + offset(x, y); }

  // Squared mm from a place to the nearest point, of which there must be one. The hint makes places that are far from
  // every point cheap when they are asked for one after the other; it never changes the answer.
  double squared_mm(int64_t x, int64_t y, int64_t z, Hint& hint) const {
    double best = kNothing;
    if (!hint.is_far) {
      best = look_near(x, y, z);
      if (best <= shape_.settled_mm2) return best;
      best = std::nextafter(best, kNothing);  // so that the tree finds that point again, for the hint
    } else {
      best = shape_.squared_mm[0][std::abs(x - hint.x)] + shape_.squared_mm[1][std::abs(y - hint.y)] +
             shape_.squared_mm[2][std::abs(z - hint.z)];
    }
    std::call_once(built_, [this] { build(); });
    const Place place{{x, y, z}};
    const int top = static_cast<int>(levels_.size()) - 1;
    descend(top, 0, 0, 0, place, best, hint);
    hint.is_far = best > shape_.settled_mm2;
    return best;
  }

 private:
  struct Place {
    std::array<int64_t, 3> at;
  };

  // Whether bricks of 8 x 8 rows x 8 bits, or of twice the length at each higher level, hold a point.
  struct Level {
    std::array<int64_t, 3> size;
    std::vector<uint8_t> holds;
    uint8_t& at(int64_t x, int64_t y, int64_t z) { return holds[(x * size[1] + y) * size[2] + z]; }
    uint8_t at(int64_t x, int64_t y, int64_t z) const { return holds[(x * size[1] + y) * size[2] + z]; }
  };

  static constexpr int64_t kBrick = 8;

  int64_t offset(int64_t x, int64_t y) const {
    return (x + shape_.margin[0]) * shape_.plane_stride + (y + shape_.margin[1]) * shape_.row_stride + 1;
  }

  double look_near(int64_t x, int64_t y, int64_t z) const {
    constexpr int kCentre = GridShape::kReach;
    const int64_t first = z - kCentre + 64;  // counted from the empty word before the row
    const char* window = reinterpret_cast<const char*>(row(x, y) - 1) + (first >> 3);
    const int shift = static_cast<int>(first & 7);
    double best = kNothing;
    for (const GridShape::NearRow* near = shape_.near.data(); near->squared_mm < best; ++near) {
      uint64_t bits;
      std::memcpy(&bits, window + near->bytes, 8);
      bits >>= shift;
      const int steps = std::min(std::countr_zero(bits >> kCentre), std::countl_zero(bits << (63 - kCentre)));
      best = std::min(best, near->squared_mm + shape_.squared_window_mm[steps]);
    }
    return best;
  }

  // From the nearest brick to the farthest, leaving out those that lie beyond the best point so far.
  void descend(int level, int64_t x, int64_t y, int64_t z, const Place& place, double& best, Hint& hint) const {
    if (level < 0) return look_into(x, y, z, place, best, hint);
    const Level& bricks = levels_[level];
    const std::array<int64_t, 3> brick{x, y, z};
    double nearest = 0;
    int first_child = 0;
    for (int axis = 0; axis < 3; ++axis) {
      const int64_t length = kBrick << level;
      const int64_t low = brick[axis] * length;
      const int64_t gap = std::max<int64_t>({low - place.at[axis], place.at[axis] - (low + length - 1), 0});
      nearest += shape_.squared_mm[axis][gap];
      first_child |= (place.at[axis] >= low + length / 2) << axis;
    }
    if (nearest >= best || !bricks.at(x, y, z)) return;
    if (level == 0) return look_into(x, y, z, place, best, hint);
    const auto& below = levels_[level - 1].size;
    for (int order : {0, 1, 2, 4, 3, 5, 6, 7}) {
      const int child = order ^ first_child;
      const int64_t cx = 2 * x + (child & 1), cy = 2 * y + (child >> 1 & 1), cz = 2 * z + (child >> 2);
      if (cx < below[0] && cy < below[1] && cz < below[2]) descend(level - 1, cx, cy, cz, place, best, hint);
    }
  }

  void look_into(int64_t bx, int64_t by, int64_t bz, const Place& place, double& best, Hint& hint) const {
    for (int64_t x = bx * kBrick; x < std::min((bx + 1) * kBrick, shape_.size[0]); ++x) {
      const double along_x = shape_.squared_mm[0][std::abs(x - place.at[0])];
      if (along_x >= best) continue;
      for (int64_t y = by * kBrick; y < std::min((by + 1) * kBrick, shape_.size[1]); ++y) {
        unsigned bits = reinterpret_cast<const uint8_t*>(row(x, y))[bz];
        const double across = along_x + shape_.squared_mm[1][std::abs(y - place.at[1])];
        if (across >= best) continue;
        for (; bits; bits &= bits - 1) {
          const int64_t z = bz * kBrick + std::countr_zero(bits);
          const double squared = across + shape_.squared_mm[2][std::abs(z - place.at[2])];
          if (squared >= best) continue;
          best = squared;
          hint.x = x, hint.y = y, hint.z = z;
        }
      }
    }
  }

  void build() const {
    Level lowest{{}, {}};
    for (int axis = 0; axis < 3; ++axis) lowest.size[axis] = (shape_.size[axis] + kBrick - 1) / kBrick;
    lowest.holds.assign(lowest.size[0] * lowest.size[1] * lowest.size[2], 0);
    for (int64_t x = 0; x < shape_.size[0]; ++x) {
      for (int64_t y = 0; y < shape_.size[1]; ++y) {
        const uint8_t* bytes = reinterpret_cast<const uint8_t*>(row(x, y));
        uint8_t* holds = &lowest.at(x / kBrick, y / kBrick, 0);
        for (int64_t z = 0; z < lowest.size[2]; ++z) holds[z] |= bytes[z];
      }
    }
    levels_.push_back(std::move(lowest));
    while (levels_.back().holds.size() > 1) {
      const Level& below = levels_.back();
      Level level{{}, {}};
      for (int axis = 0; axis < 3; ++axis) level.size[axis] = (below.size[axis] + 1) / 2;
      level.holds.assign(level.size[0] * level.size[1] * level.size[2], 0);
      for (int64_t x = 0; x < below.size[0]; ++x) {
        for (int64_t y = 0; y < below.size[1]; ++y) {
          for (int64_t z = 0; z < below.size[2]; ++z) level.at(x / 2, y / 2, z / 2) |= below.at(x, y, z);
        }
      }
      levels_.push_back(std::move(level));
    }
  }

  const GridShape& shape_;
  std::vector<uint64_t> bits_;
  mutable std::once_flag built_;
  mutable std::vector<Level> levels_;  // once built_
};

}  // namespace medsegan
