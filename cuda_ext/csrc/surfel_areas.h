// How much surface lies between eight neighbouring voxels. The reasons are in medsegan/voxels/surfels.py.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <numeric>
#include <set>
#include <utility>
#include <vector>

namespace medsegan {
namespace surfels {

// Middles of edges in doubled coordinates. Corner n of the cube lies at bits 2, 1, 0 of n, along axes 0, 1, 2.
using Point = std::array<int, 3>;
using Triangle = std::array<Point, 3>;
using Edge = std::pair<int, int>;
using Line = std::pair<Edge, Edge>;

inline Point middle(const Edge& edge) {
  const auto along = [&](int bit) { return (edge.first >> bit & 1) + (edge.second >> bit & 1); };
  return {along(2), along(1), along(0)};
}

inline Point normal_of(const Triangle& triangle) {
  Point u, v;
  for (int axis = 0; axis < 3; ++axis) {
    u[axis] = triangle[1][axis] - triangle[0][axis];
    v[axis] = triangle[2][axis] - triangle[0][axis];
  }
  return {u[1] * v[2] - u[2] * v[1], u[2] * v[0] - u[0] * v[2], u[0] * v[1] - u[1] * v[0]};
}

// The plane of a triangle, in integers without a common factor; which side is in front does not matter.
inline std::array<int, 4> plane_of(const Triangle& triangle) {
  const Point normal = normal_of(triangle);
  const int first = normal[0] ? normal[0] : normal[1] ? normal[1] : normal[2];
  const int factor = std::gcd(std::gcd(normal[0], normal[1]), normal[2]) * (first > 0 ? 1 : -1);
  std::array<int, 4> plane{normal[0] / factor, normal[1] / factor, normal[2] / factor, 0};
  for (int axis = 0; axis < 3; ++axis) plane[3] += plane[axis] * triangle[0][axis];
  return plane;
}

// The lines in which a surface crosses the faces. Of a face with four crossings each inner corner is cut off alone.
inline std::vector<Line> lines_of(int code) {
  std::vector<Line> lines;
  constexpr int kAxes[3][3] = {{4, 2, 1}, {2, 4, 1}, {1, 4, 2}};
  for (const auto& [across, first, second] : kAxes) {
    for (int base : {0, across}) {
      const int corners[4] = {base, base | first, base | first | second, base | second};
      Edge edges[4];
      bool inside[4];
      for (int n = 0; n < 4; ++n) {
        edges[n] = std::minmax(corners[n], corners[(n + 1) % 4]);
        inside[n] = code >> (7 - corners[n]) & 1;
      }
      std::vector<Edge> crossed;
      for (int n = 0; n < 4; ++n) {
        if (inside[n] != inside[(n + 1) % 4]) crossed.push_back(edges[n]);
      }
      if (crossed.size() == 2) lines.push_back({crossed[0], crossed[1]});
      for (int n = 0; n < 4 && crossed.size() == 4; ++n) {
        if (inside[n]) lines.push_back({edges[(n + 3) % 4], edges[n]});
      }
    }
  }
  return lines;
}

// The closed polygons that the lines form; each edge ends two of them.
inline std::vector<std::vector<Point>> polygons_of(std::vector<Line> lines) {
  std::vector<std::vector<Point>> polygons;
  while (!lines.empty()) {
    auto [start, here] = lines.back();
    lines.pop_back();
    polygons.push_back({middle(start)});
    while (here != start) {
      polygons.back().push_back(middle(here));
      const auto line =
          std::find_if(lines.begin(), lines.end(), [&](const Line& l) { return l.first == here || l.second == here; });
      here = line->first == here ? line->second : line->first;
      lines.erase(line);
    }
  }
  return polygons;
}

// All ways to cut the polygon of the points from `begin` to `end`, both included, into triangles.
inline std::vector<std::vector<Triangle>> divisions_of(const std::vector<Point>& polygon, size_t begin, size_t end) {
  if (end - begin < 2) return {{}};
  std::vector<std::vector<Triangle>> all;
  for (size_t n = begin + 1; n < end; ++n) {
    for (const auto& before : divisions_of(polygon, begin, n)) {
      for (const auto& after : divisions_of(polygon, n, end)) {
        all.push_back({{polygon[begin], polygon[n], polygon[end]}});
        all.back().insert(all.back().end(), before.begin(), before.end());
        all.back().insert(all.back().end(), after.begin(), after.end());
      }
    }
  }
  return all;
}

inline std::vector<Triangle> triangles_of(int code) {
  const int minority = std::popcount(static_cast<unsigned>(code)) <= 4 ? code : 255 - code;
  const auto planes = [](const std::vector<Triangle>& triangles) {
    std::set<std::array<int, 4>> distinct;
    for (const Triangle& triangle : triangles) distinct.insert(plane_of(triangle));
    return distinct.size();
  };
  std::vector<Triangle> triangles;
  for (const auto& polygon : polygons_of(lines_of(minority))) {
    const auto divisions = divisions_of(polygon, 0, polygon.size() - 1);
    const auto flattest = std::min_element(divisions.begin(), divisions.end(),
                                           [&](const auto& a, const auto& b) { return planes(a) < planes(b); });
    triangles.insert(triangles.end(), flattest->begin(), flattest->end());
  }
  return triangles;
}

}  // namespace surfels

// Areas of all 256 codes in mm2. In a code the bit 7 - (4 i + 2 j + k) is set where voxel (i, j, k) of the eight, each
// 0 or 1, is in the mask.
inline std::array<double, 256> surfel_areas_mm2(const double* spacing_mm) {
  static const auto triangles = [] {
    std::array<std::vector<surfels::Triangle>, 256> all;
    for (int code = 0; code < 256; ++code) all[code] = surfels::triangles_of(code);
    return all;
  }();
  const double faces[3] = {spacing_mm[1] * spacing_mm[2], spacing_mm[0] * spacing_mm[2], spacing_mm[0] * spacing_mm[1]};
  std::array<double, 256> areas{};
  for (int code = 0; code < 256; ++code) {
    for (const auto& triangle : triangles[code]) {
      const surfels::Point normal = surfels::normal_of(triangle);
      double squared = 0;
      for (int axis = 0; axis < 3; ++axis) {  // coordinates are doubled, and a triangle is half of its square
        const double part = normal[axis] / 8.0 * faces[axis];
        squared += part * part;
      }
      areas[code] += std::sqrt(squared);
    }
  }
  return areas;
}

}  // namespace medsegan
