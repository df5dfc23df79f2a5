"""How much surface lies between eight neighbouring voxels, for each of the 256 ways to be in a mask or not.

Marching cubes on a binary mask: the surface crosses an edge of the cube of voxel centres in its middle, where one
end is in the mask and the other is not. On each face the crossings are joined by lines, the lines close to
polygons, and the area of the polygons is that of the *surfel* at the middle of the cube. Two choices are needed:

* A face with four crossings can be read in two ways. The corners of the minority of the cube's eight (those in the
  mask or those out of it) are cut off one by one.
* A polygon that is not flat is divided into triangles that lie in as few planes as possible.

For every code and spacing these are the areas of google-deepmind/surface-distance, which the tests hold us to.

Source: Lorensen and Cline, "Marching Cubes", SIGGRAPH 1987; Nikolov et al., arXiv 1809.04430, on areas as weights.
"""

from collections.abc import Iterator, Sequence
from functools import cache
from math import gcd

import numpy as np
import numpy.typing as npt

_Point = tuple[int, int, int]
_Triangle = tuple[_Point, _Point, _Point]
_Edge = tuple[int, int]

_CORNERS: tuple[_Point, ...] = tuple((i, j, k) for i in (0, 1) for j in (0, 1) for k in (0, 1))
"""Corner n is voxel (i, j, k) of the eight; its bit in a code is 7 - n."""

_FACES: tuple[tuple[int, int, int, int], ...] = tuple(
    (base, base | first, base | first | second, base | second)
    for across, first, second in ((4, 2, 1), (2, 4, 1), (1, 4, 2))
    for base in (0, across)
)
"""The corners of each face, in turn around it."""


def surfel_areas_mm2(spacing_mm: Sequence[float]) -> npt.NDArray[np.float64]:
    """(256,) area of the surfel of every code in mm2; 0 for codes 0 and 255, where there is no surface.

    In a code the bit 7 - (4 i + 2 j + k) is set where voxel (i, j, k) of the eight, each 0 or 1, is in the mask.

    Args:
        spacing_mm: distance of neighbouring voxel centres along each of three axes.
    """
    x, y, z = spacing_mm
    return np.linalg.norm(_normals() * (y * z, x * z, x * y), axis=2).sum(axis=1)


@cache
def _normals() -> npt.NDArray[np.float64]:
    """(256, 4, 3) normals of up to four triangles of each code, as long as their area at a spacing of 1."""
    normals = np.zeros((256, 4, 3))
    for code in range(256):
        for n, (a, b, c) in enumerate(_triangles(code)):
            normals[code, n] = np.array(_cross(a, b, c)) / 8  # coordinates are doubled, and a triangle is half
    return normals


def _triangles(code: int) -> list[_Triangle]:
    """The surface of a code; corners are middles of edges, in coordinates that are doubled to be integers."""
    minority = code if code.bit_count() <= 4 else 255 - code
    lines = [line for face in _FACES for line in _lines(minority, face)]
    return [triangle for polygon in _polygons(lines) for triangle in _flattest(polygon)]


def _lines(code: int, face: tuple[int, int, int, int]) -> Iterator[tuple[_Edge, _Edge]]:
    """The lines in which a surface crosses a face, as pairs of edges of the cube."""
    inside = [bool(code >> (7 - corner) & 1) for corner in face]
    edges: list[_Edge] = [(min(a, b), max(a, b)) for a, b in zip(face, face[1:] + face[:1], strict=True)]
    crossed = [edge for n, edge in enumerate(edges) if inside[n] != inside[(n + 1) % 4]]
    if len(crossed) == 2:
        yield crossed[0], crossed[1]
    elif crossed:
        for n in range(4):
            if inside[n]:
                yield edges[n - 1], edges[n]


def _polygons(lines: list[tuple[_Edge, _Edge]]) -> Iterator[list[_Point]]:
    """The closed polygons that lines form; each edge of the cube ends two lines."""
    rest = list(lines)
    while rest:
        start, here = rest.pop()
        polygon = [start]
        while here != start:
            polygon.append(here)
            line = next(line for line in rest if here in line)
            rest.remove(line)
            here = line[1] if line[0] == here else line[0]
        yield [_middle(edge) for edge in polygon]


def _middle(edge: _Edge) -> _Point:
    one, other = _CORNERS[edge[0]], _CORNERS[edge[1]]
    return one[0] + other[0], one[1] + other[1], one[2] + other[2]


def _flattest(polygon: list[_Point]) -> list[_Triangle]:
    return min(_divisions(polygon), key=lambda triangles: len({_plane(triangle) for triangle in triangles}))


def _divisions(polygon: list[_Point]) -> Iterator[list[_Triangle]]:
    """All ways to cut a polygon into triangles."""
    if len(polygon) < 3:
        yield []
    for n in range(1, len(polygon) - 1):
        for before in _divisions(polygon[: n + 1]):
            for after in _divisions(polygon[n:]):
                yield [(polygon[0], polygon[n], polygon[-1]), *before, *after]


def _plane(triangle: _Triangle) -> tuple[int, int, int, int]:
    """The plane of a triangle as integers without a common factor; which side is in front does not matter."""
    normal = _cross(*triangle)
    first = next(value for value in normal if value)
    factor = gcd(*normal) * (1 if first > 0 else -1)
    x, y, z = (value // factor for value in normal)
    return x, y, z, sum(n * p for n, p in zip((x, y, z), triangle[0], strict=True))


def _cross(a: _Point, b: _Point, c: _Point) -> _Point:
    (ux, uy, uz), (vx, vy, vz) = ([to - at for to, at in zip(end, a, strict=True)] for end in (b, c))
    return uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx
