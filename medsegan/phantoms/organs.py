"""Paints the organs: kidneys, spleen and liver with their labels, and the distractors without."""

from dataclasses import replace

import numpy as np

from .anatomy import LIVER_SEAM_MM, ROUGHNESS_MM, Anatomy
from .canvas import Canvas
from .implicit import Box, Ellipsoid, Field, smooth_minimum
from .tissues import PhantomLabels, Tissue

HILUM_RADII_MM = (14.0, 9.0, 17.0)
CORTEX_MM = 6.0
STOMACH_WALL_MM = 5.0
VISCERAL_NORMAL = (-0.55, -0.36, -0.75)
"""Outward normal of the liver's lower surface, which faces left, back and down."""

BOWEL_TOP_MM = 18.0
BOWEL_KNOT_MM = 24.0


def paint_organs(canvas: Canvas, anatomy: Anatomy) -> None:
    """Paint all organs; those that come first press their shape into those that follow."""
    gap_mm = float(canvas.rng.uniform(0.0, 3.0))
    for name, label, side in (
        ("right_kidney", PhantomLabels.RIGHT_KIDNEY, 1),
        ("left_kidney", PhantomLabels.LEFT_KIDNEY, -1),
    ):
        if name in anatomy.organs:
            _paint_kidney(canvas, anatomy.organs[name], anatomy.balls.get(name, ()), label, side)
    _paint_spleen(canvas, anatomy, gap_mm)
    _paint_liver(canvas, anatomy, gap_mm)
    _paint_stomach(canvas, anatomy, gap_mm)
    for name, tissue in (("gallbladder", Tissue.FLUID), ("pancreas", Tissue.PANCREAS)):
        _paint_simple(canvas, anatomy.organs[name], tissue)
    for name in ("right_colon", "left_colon"):
        _paint_colon(canvas, anatomy.organs[name])
    _paint_bowel(canvas, anatomy)


def _paint_kidney(
    canvas: Canvas, kidney: Ellipsoid, cysts: tuple[Ellipsoid, ...], label: PhantomLabels, side: int
) -> None:
    """A bean whose hilum opens towards the spine; only fat lies between it and the back."""
    scale = kidney.radii[0] / 30.0
    x, y, z = kidney.centre
    behind = replace(kidney, centre=(x, y - 32 * scale, z))
    box = canvas.box(kidney, behind, *cysts)
    near = canvas.points.crop(box)
    surface = kidney.field(near) + canvas.roughness(box, ROUGHNESS_MM["kidney"])
    radii = HILUM_RADII_MM[0] * scale, HILUM_RADII_MM[1] * scale, HILUM_RADII_MM[2] * scale
    hilum = Ellipsoid((x - side * 22 * scale, y + 7 * scale, z), radii).field(near)
    pyramids = (surface < -CORTEX_MM) & (canvas.roughness(box, 1.0, 15.0) > 0.1)
    fluid = np.zeros(near.shape, dtype=bool)
    for cyst in cysts:
        fluid |= cyst.field(near) < 0
    inside = ((surface < 0) & (hilum > 0)) | (fluid & (surface < 12))
    painted = canvas.paint(box, inside, Tissue.KIDNEY, label)
    canvas.repaint(box, painted & pyramids, Tissue.MEDULLA)
    canvas.repaint(box, painted & fluid, Tissue.FLUID)
    capsule_mm = float(canvas.rng.uniform(2.0, 7.0))
    canvas.take(box, painted | (surface < capsule_mm) | (behind.field(near) < 0))


def _paint_spleen(canvas: Canvas, anatomy: Anatomy, gap_mm: float) -> None:
    """A shell against the left wall, hollowed by the stomach in front of its hilum."""
    spleen = anatomy.organs["spleen"]
    box = canvas.box(spleen)
    near = canvas.points.crop(box)
    surface = spleen.field(near) + canvas.roughness(box, ROUGHNESS_MM["spleen"])
    rx, ry, rz = spleen.radii
    x, y, z = spleen.centre
    hollow = Ellipsoid((x + 1.25 * rx, y + 0.62 * ry, z), (rx, 0.85 * ry, 1.05 * rz)).field(near)
    inside = (surface < 0) & (hollow > 0)
    painted = canvas.paint(box, inside, Tissue.SPLEEN, PhantomLabels.SPLEEN)
    canvas.take(box, painted | ((surface < gap_mm) & (hollow > -gap_mm)))


def _paint_liver(canvas: Canvas, anatomy: Anatomy, gap_mm: float) -> None:
    """Two lobes under the right dome with vessels and lesions."""
    right, left = anatomy.organs["liver_right"], anatomy.organs["liver_left"]
    box = canvas.box(right, left)
    near = canvas.points.crop(box)
    surface = smooth_minimum(right.field(near), left.field(near), LIVER_SEAM_MM)
    surface += canvas.roughness(box, ROUGHNESS_MM["liver"])
    anchor = np.array([0.16 * anatomy.wall.cavity[0], 0.0, 16.0 * anatomy.scale])
    offset = np.float32(np.dot(VISCERAL_NORMAL, anchor) + 5.0 * canvas.rng.standard_normal())
    nx, ny, nz = (np.float32(value) for value in VISCERAL_NORMAL)
    below = nx * near.x + ny * near.y + nz * near.z - offset
    surface = -smooth_minimum(-surface, -below, 14.0)
    painted = canvas.paint(box, surface < 0, Tissue.LIVER, PhantomLabels.LIVER)
    deep = painted & (surface < -6)
    first, second = (canvas.roughness(box, 1.0, 34.0) for _ in range(2))
    canvas.repaint(box, deep & (first * first + second * second < 0.06), Tissue.LIVER_VESSEL)
    for lesion in anatomy.balls.get("liver", ()):
        inner = canvas.box(lesion)
        ball = lesion.field(canvas.points.crop(inner)) + canvas.roughness(inner, 2.0, 12.0)
        canvas.repaint(inner, (ball < 0) & (canvas.label[inner] == PhantomLabels.LIVER), Tissue.LESION)
    canvas.take(box, painted | (surface < gap_mm))


def _paint_stomach(canvas: Canvas, anatomy: Anatomy, gap_mm: float) -> None:
    """Fundus and antrum with wall, content and a bubble that floats to the front."""
    fundus, antrum = anatomy.organs["stomach"], anatomy.organs["antrum"]
    box = canvas.box(fundus, antrum)
    near = canvas.points.crop(box)
    surface = smooth_minimum(fundus.field(near), antrum.field(near), 20.0)
    surface += canvas.roughness(box, ROUGHNESS_MM["stomach"])
    painted = canvas.paint(box, surface < 0, Tissue.STOMACH_WALL)
    content = painted & (surface < -STOMACH_WALL_MM)
    canvas.repaint(box, content, Tissue.STOMACH_CONTENT)
    if anatomy.has_gas:
        level = fundus.centre[1] + float(canvas.rng.uniform(0.25, 0.8)) * fundus.radii[1]
        canvas.repaint(box, content & (near.y > np.float32(level)), Tissue.GAS)
    canvas.take(box, painted | (surface < gap_mm))


def _paint_simple(canvas: Canvas, organ: Ellipsoid, tissue: Tissue) -> None:
    box = canvas.box(organ)
    surface = organ.field(canvas.points.crop(box)) + canvas.roughness(box, ROUGHNESS_MM["other"])
    canvas.take(box, canvas.paint(box, surface < 0, tissue))


def _paint_colon(canvas: Canvas, colon: Ellipsoid) -> None:
    """A part of the large bowel: wall, and a content that is half gas."""
    box = canvas.box(colon)
    surface = colon.field(canvas.points.crop(box)) + canvas.roughness(box, 5.0, 22.0)
    painted = canvas.paint(box, surface < 0, Tissue.BOWEL)
    gas = canvas.roughness(box, 1.0, 26.0) > 0.2
    canvas.repaint(box, painted & gas & (surface < -5), Tissue.GAS)
    canvas.take(box, painted)


def _paint_bowel(canvas: Canvas, anatomy: Anatomy) -> None:
    """Loops of small bowel in front of the kidneys, wherever there is room."""
    half_x, half_y = anatomy.wall.cavity
    top = BOWEL_TOP_MM * anatomy.scale
    back = -0.25 * half_y
    box: Box = canvas.points.box((0, (back + half_y) / 2, top - 250), (half_x, (half_y - back) / 2, 250))
    near = canvas.points.crop(box)
    if near.x.size == 0:
        return
    loops: Field = canvas.roughness(box, 1.0, BOWEL_KNOT_MM)
    ragged = canvas.roughness(box, 9.0, 36.0)
    room = (near.z - ragged < np.float32(top)) & (near.y - ragged > np.float32(back))
    painted = canvas.paint(box, room & (loops > -0.15), Tissue.BOWEL)
    gas = canvas.roughness(box, 1.0, 18.0) > 1.5
    canvas.repaint(box, painted & gas & (loops > 0.3), Tissue.GAS)
