// The minimum over p of row[p] + (s (x - p))^2 for every x: one axis of the distance transform.
//
// A lower envelope of parabolas (Felzenszwalb and Huttenlocher, "Distance Transforms of Sampled Functions", Theory of
// Computing 8, 2012, equation 4). The place of the minimum grows with x. So it is found for the middle of the axis
// first, then for the quarters between their neighbours, and so on: n log n additions and comparisons without a
// division or a stack, for sixteen neighbouring lines at once. Only sums of this form are compared, never rounded
// intersections.
#pragma once

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <utility>
#include <vector>

namespace medsegan::envelope {

constexpr int kLanes = 16;  // lines that are worked on at once, neighbours along the last axis

// Squared distances are whole numbers where all spacings are multiples of the smallest, else real ones.
template <typename V>
struct Vectors;
template <>
struct Vectors<int32_t> {
  using Site = int32_t;
  typedef int32_t Values __attribute__((vector_size(32)));
  typedef int32_t Sites __attribute__((vector_size(32)));
};
template <>
struct Vectors<double> {
  using Site = int64_t;
  typedef double Values __attribute__((vector_size(32)));
  typedef int64_t Sites __attribute__((vector_size(32)));
};

// The best values of sixteen lines at one place, and at which sites (numbers of rows) they were found.
template <typename V>
struct Best {
  using Site = typename Vectors<V>::Site;
  using Values = typename Vectors<V>::Values;
  using Sites = typename Vectors<V>::Sites;
  static constexpr int kWidth = sizeof(Values) / sizeof(V);
  static constexpr int kParts = kLanes / kWidth;

  Values values[kParts];
  Sites sites[kParts];

  void start(const V* row, V added, int64_t site) {
    for (int part = 0; part < kParts; ++part) {
      values[part] = reinterpret_cast<const Values*>(row)[part] + added;
      sites[part] = Sites{} + static_cast<Site>(site);
    }
  }

  // The first of several equal sites stays.
  template <bool kTrack>
  void improve(const V* row, V added, int64_t site) {
    const Sites here = Sites{} + static_cast<Site>(site);
    for (int part = 0; part < kParts; ++part) {
      const Values other = reinterpret_cast<const Values*>(row)[part] + added;
      if constexpr (kTrack) sites[part] = other < values[part] ? here : sites[part];
      values[part] = other < values[part] ? other : values[part];
    }
  }

  V largest() const {
    Values most = values[0];
    for (int part = 1; part < kParts; ++part) most = most < values[part] ? values[part] : most;
    V result = most[0];
    for (int lane = 1; lane < kWidth; ++lane) result = result < most[lane] ? most[lane] : result;
    return result;
  }

  int64_t site(int lane) const { return sites[lane / kWidth][lane % kWidth]; }

  // The smallest and the largest of the sites.
  std::pair<int64_t, int64_t> range() const {
    Sites low = sites[0], high = sites[0];
    for (int part = 1; part < kParts; ++part) {
      low = sites[part] < low ? sites[part] : low;
      high = sites[part] > high ? sites[part] : high;
    }
    Site first = low[0], last = high[0];
    for (int lane = 1; lane < kWidth; ++lane) {
      first = low[lane] < first ? low[lane] : first;
      last = high[lane] > last ? high[lane] : last;
    }
    return {first, last};
  }
};

// One axis: its length, and what a step along it costs.
template <typename V>
struct Axis {
  int64_t length;
  V step;                  // in units of the spacing that V counts in
  std::vector<V> squares;  // squares[length - 1 + d] = (d * step)^2, for negative d as well

  Axis(int64_t length_, double step_) : length(length_), step(static_cast<V>(step_)), squares(2 * length_ - 1) {
    for (int64_t d = 0; d < length; ++d) squares[length - 1 + d] = squares[length - 1 - d] = square(d);
  }
  V square(int64_t steps) const { return (static_cast<V>(steps) * step) * (static_cast<V>(steps) * step); }
  // Pointer to which a place is added to get its squared distance from x.
  const V* from(int64_t x) const { return squares.data() + (length - 1 - x); }
  // No site further away than this many steps can be as good as `value`.
  int64_t reach(V value) const {
    return static_cast<int64_t>(std::min(std::sqrt(static_cast<double>(value)) / step, double(length))) + 1;
  }
};

// The places along an axis that have a finite value.
struct Sites {
  std::vector<int32_t> places;
  std::vector<int32_t> before;  // before[x]: how many sites lie before place x

  template <typename F>
  Sites(int64_t length, const F& is_site) {
    before.reserve(length + 1);
    for (int64_t x = 0; x < length; ++x) {
      before.push_back(static_cast<int32_t>(places.size()));
      if (is_site(x)) places.push_back(static_cast<int32_t>(x));
    }
    before.push_back(static_cast<int32_t>(places.size()));
  }
  int64_t count() const { return static_cast<int64_t>(places.size()); }
};

// The best of the sites first..last as seen from x; rows[site] holds the values of sixteen lines.
template <bool kTrack, typename V>
Best<V> best_of(const Sites& sites, const V* rows, const V* squares, int64_t first, int64_t last) {
  const int32_t* places = sites.places.data();
  Best<V> best;
  best.start(rows + first * kLanes, squares[places[first]], first);
  for (int64_t site = first + 1; site <= last; ++site) {
    best.template improve<kTrack>(rows + site * kLanes, squares[places[site]], site);
  }
  return best;
}

// Calls emit(x, best) for every place x of an axis. At least one site; `ranges` is room for `length` pairs.
template <bool kIndex, typename V, typename Emit>
void lower_envelope(const Axis<V>& axis, const Sites& sites, const V* rows, std::pair<int32_t, int32_t>* ranges,
                    const Emit& emit) {
  const int64_t count = sites.count();
  for (int64_t half = std::bit_ceil(static_cast<uint64_t>(axis.length) + 1) / 2; half > 0; half /= 2) {
    for (int64_t x = half - 1; x < axis.length; x += 2 * half) {
      int64_t first = x - half >= 0 ? ranges[x - half].first : 0;
      int64_t last = x + half < axis.length ? ranges[x + half].second : count - 1;
      const V* squares = axis.from(x);
      const int64_t guess = std::clamp<int64_t>(sites.before[x], first, last);
      Best<V> best;
      best.start(rows + guess * kLanes, squares[sites.places[guess]], guess);
      if (last > first) {
        const V limit = best.largest();
        if (limit > 0) {
          const int64_t reach = axis.reach(limit);
          first = std::max<int64_t>(first, sites.before[std::max<int64_t>(x - reach, 0)]);
          last = std::min<int64_t>(last, sites.before[std::min(x + reach + 1, axis.length)] - 1);
          const bool track = kIndex || half > 1;
          best = track ? best_of<true>(sites, rows, squares, first, last)
                       : best_of<false>(sites, rows, squares, first, last);
        }
      }
      if (half > 1) ranges[x] = best.range();
      emit(x, best);
    }
  }
}

}  // namespace medsegan::envelope
