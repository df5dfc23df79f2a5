"""Paints the frame of the body: skin, fat, muscle, ribs, spine, diaphragm, lungs and heart, great vessels."""

import numpy as np

from .anatomy import Anatomy, Wall
from .canvas import Canvas
from .implicit import Box, Ellipsoid, Field, Points
from .tissues import Tissue

RIB_PERIOD_MM = 27.0
RIB_SLOPE = 0.45
RIB_LOWEST_MM = -28.0
DIAPHRAGM_MM = 4.0
DOME_DROP_MM = 85.0
SPINE_RADII = (23.0, 17.0)
VERTEBRA_PERIOD_MM = 36.0


def paint_wall(canvas: Canvas, anatomy: Anatomy) -> None:
    """Paint fat, muscle and ribs, and open the cavity inside them for the organs."""
    wall, points = anatomy.wall, canvas.points
    whole: Box = (slice(None), slice(None), slice(None))
    depth, forward = _depth(points, wall)
    fat = wall.fat_side + (wall.fat_front - wall.fat_side) * forward
    fat += canvas.roughness(whole, 1.5, 60.0)
    inner = fat + wall.muscle
    tissue = canvas.tissue
    tissue[depth > 0] = Tissue.SKIN_FAT
    tissue[depth > fat] = Tissue.MUSCLE
    cavity = depth > inner
    tissue[cavity] = Tissue.VISCERAL_FAT
    np.logical_not(cavity, out=canvas.taken)
    _paint_ribs(canvas, depth - fat, wall)


def _depth(points: Points, wall: Wall) -> tuple[Field, Field]:
    """Distance below the skin along the ray from the body's axis, mm, and how far that ray leaves the sides."""
    power = np.float32(wall.power)
    across = np.abs(points.x / np.float32(wall.half_width)) ** power
    across += np.abs(points.y / np.float32(wall.half_depth)) ** power
    norm = np.maximum(across, np.float32(1e-6)) ** (np.float32(1) / power)
    radius = np.hypot(points.x, points.y) + np.float32(1e-3)
    return radius / norm - radius, (points.y / radius) ** 2


def _paint_ribs(canvas: Canvas, below_fat: Field, wall: Wall) -> None:
    """Ribs run down and forward inside the muscle of the wall, above the flanks."""
    points = canvas.points
    phase = (points.z + np.float32(RIB_SLOPE) * points.y) * np.float32(2 * np.pi / RIB_PERIOD_MM)
    middle = np.abs(below_fat - np.float32(0.55 * wall.muscle)) < np.float32(0.32 * wall.muscle)
    level = (points.z - np.float32(0.25) * points.y > RIB_LOWEST_MM) & (
        np.abs(points.x) > np.float32(0.3 * wall.half_width)
    )
    rib = middle & level
    rib[rib] = np.sin(phase[rib]) > np.float32(0.25)
    canvas.tissue[rib] = Tissue.BONE


def paint_couch(canvas: Canvas, wall: Wall, thickness_mm: float = 14.0) -> None:
    """Paint the table of a CT scanner behind the back, where there is air."""
    points = canvas.points
    surface = np.float32(-wall.half_depth - 7.0) + np.float32(0.0006) * points.x * points.x
    below = surface - points.y
    couch = (below > 0) & (below < np.float32(thickness_mm)) & (np.abs(points.x) < np.float32(200.0))
    canvas.tissue[couch & (canvas.tissue == Tissue.AIR)] = Tissue.COUCH


def paint_spine(canvas: Canvas, anatomy: Anatomy) -> None:
    """Paint vertebrae with disc and canal, and the muscles beside them."""
    half_depth, scale, points = anatomy.wall.half_depth, anatomy.scale, canvas.points
    cavity_depth = anatomy.wall.cavity[1]
    centre_y = -0.60 * cavity_depth
    rx, ry = (radius * scale for radius in SPINE_RADII)
    for side in (-1, 1):
        back = Ellipsoid((side * 30 * scale, centre_y - 34 * scale, 0), (27 * scale, 19 * scale, 900), power=2.6)
        psoas = Ellipsoid(
            (side * 33 * scale, centre_y - 2, -105 * scale),
            (17 * scale, 18 * scale, 100 * scale),
            (0, side * 5, 0),
        )
        for muscle in (back, psoas):
            _paint_muscle(canvas, muscle)
    body = Ellipsoid((0, centre_y, 0), (rx, ry, 1e5), power=2.4)
    box = points.box((0, centre_y - 20, 0), (rx + 30, ry + half_depth * 0.4, 400))
    near = points.crop(box)
    bone = body.field(near) * np.float32(ry / (rx * ry * 1e5) ** (1 / 3))
    disc = np.cos(near.z * np.float32(2 * np.pi / (VERTEBRA_PERIOD_MM * scale))) > np.float32(0.86)
    canal_y = np.float32(centre_y - ry - 10 * scale)
    canal = np.hypot(near.x, near.y - canal_y) - np.float32(9 * scale)
    process = (np.abs(near.x) < 5) & (near.y < canal_y) & (near.y > canal_y - np.float32(34 * scale))
    process &= np.cos(near.z * np.float32(2 * np.pi / (VERTEBRA_PERIOD_MM * scale)) + 2.0) > -0.3
    inside = (bone < 0) | (canal < 4)
    canvas.repaint(box, process | (canal < 4), Tissue.BONE)
    canvas.repaint(box, bone < 0, Tissue.SPINE)
    canvas.repaint(box, (bone < 0) & disc, Tissue.MUSCLE)
    canvas.repaint(box, (bone < 0) & (bone > -2.0) & ~disc, Tissue.BONE)
    canvas.repaint(box, canal < 0, Tissue.CORD)
    canvas.take(box, inside | (bone < 2))


def _paint_muscle(canvas: Canvas, muscle: Ellipsoid) -> None:
    box = canvas.box(muscle)
    inside = muscle.field(canvas.points.crop(box)) < 0
    visible = inside & (canvas.tissue[box] != Tissue.AIR) & (canvas.tissue[box] != Tissue.SKIN_FAT)
    canvas.repaint(box, visible & (canvas.tissue[box] != Tissue.BONE), Tissue.MUSCLE)
    canvas.take(box, visible)


def paint_lungs(canvas: Canvas, anatomy: Anatomy) -> None:
    """Paint lung bases and heart above the diaphragm, which is the ceiling of all organs."""
    wall, points = anatomy.wall, canvas.points
    lowest = min(wall.dome_right, wall.dome_left) - DOME_DROP_MM
    box = points.box((0, 0, lowest + 500), (400, 400, 500))
    near = points.crop(box)
    if near.x.size == 0:
        return
    half_x, half_y = wall.cavity
    height = np.maximum(
        wall.dome_right - _drop(near, 0.46 * half_x, half_x, half_y),
        wall.dome_left - _drop(near, -0.50 * half_x, half_x, half_y),
    ).astype(np.float32)
    height += canvas.roughness(box, 2.5, 40.0)
    above = near.z - height
    canvas.paint(box, above > 0, Tissue.LUNG)
    canvas.paint(box, (above > -DIAPHRAGM_MM) & (above <= 0), Tissue.MUSCLE)
    heart = anatomy.organs["heart"].field(near) < 0
    canvas.paint(box, heart & (above > -DIAPHRAGM_MM), Tissue.MUSCLE)
    canvas.take(box, above > -DIAPHRAGM_MM)


def _drop(points: Points, centre_x: float, half_x: float, half_y: float) -> Field:
    """How far the diaphragm lies below its dome."""
    u = (points.x - np.float32(centre_x)) / np.float32(half_x)
    v = (points.y - np.float32(0.1 * half_y)) / np.float32(half_y)
    return np.float32(DOME_DROP_MM) * (np.float32(0.9) * u * u + np.float32(0.75) * v * v)


def paint_vessels(canvas: Canvas, anatomy: Anatomy, gap_mm: float) -> None:
    """Paint aorta and inferior vena cava in front of the spine."""
    scale, rng = anatomy.scale, canvas.rng
    front = -0.60 * anatomy.wall.cavity[1] + SPINE_RADII[1] * scale
    for x, y, radius in ((-11.0, 13.0, 10.5), (19.0, 12.0, 12.0)):
        radius *= scale * float(np.exp(0.1 * rng.standard_normal()))
        lean = 0.06 * rng.standard_normal()
        box = canvas.points.box((x * scale, front + y, 0), (radius + 22, radius + 12, 400))
        near = canvas.points.crop(box)
        across = near.x - np.float32(x * scale) - np.float32(lean) * near.z
        tube = np.hypot(across, near.y - np.float32(front + y)) - np.float32(radius)
        canvas.take(box, canvas.paint(box, tube < 0, Tissue.VESSEL))
        canvas.take(box, tube < gap_mm)
