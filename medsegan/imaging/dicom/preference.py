"""Of several reconstructions of one scan the thin and soft one; nothing is preferred that cannot be proven."""

import re
from collections.abc import Sequence

import numpy as np

from .header import MODALITY_OF_CLASS
from .stacks import Stack

_SIEMENS = re.compile(r"[A-Z]{1,2}(\d{2})[A-Z]?")
_CANON = re.compile(r"FC(\d{2})")
_SOFT_UP_TO = 46
_LENGTH_MM = 500.0
"""Of a patient: how far apart the ends of two normals may be is measured at this length."""
_SOFT_NAMES = frozenset(["STANDARD", "STND", "SOFT", "A", "B", "SA", "SB"])
_SHARP_NAMES = frozenset(["LUNG", "BONE", "BONEPLUS", "EDGE", "ULTRA", "C", "D", "E", "L", "YC", "YD"])


def preferred(stacks: Sequence[Stack]) -> tuple[Stack, str] | None:
    """The thinnest stack with a soft kernel, and a note on the others; None where none of them is proven best.

    The stacks must be CT of one study, frame of reference and scan, and show the same part of the patient. Two
    acquisitions are never taken at the same time, so that overlapping acquisition times prove that one scan was
    reconstructed twice.

    Args:
        stacks: the candidates, at least two.
    """
    if any(stack.slices[0].thickness_mm is None for stack in stacks):
        return None
    if not (_is_one_scan(stacks) and _is_one_box(stacks)):
        return None
    thickness = [stack.slices[0].thickness_mm or 0.0 for stack in stacks]
    kernels = [_kernel(stack) for stack in stacks]
    softness = [0.0] * len(stacks) if len(set(kernels)) == 1 else [_softness(kernel) for kernel in kernels]
    if None in softness:
        return None
    best = [
        index
        for index in range(len(stacks))
        if thickness[index] == min(thickness) and softness[index] == max(value or 0.0 for value in softness)
    ]
    if len(best) != 1:
        return None
    chosen = best[0]
    others = "; ".join(_words(stacks[index]) for index in range(len(stacks)) if index != chosen)
    return stacks[chosen], (
        f"of {len(stacks)} reconstructions of one scan the one of thin slices and a soft kernel was taken "
        f"({_words(stacks[chosen])}), not {others}; ask for another by --series"
    )


def _is_one_scan(stacks: Sequence[Stack]) -> bool:
    first = stacks[0].slices[0]
    same = {(one.slices[0].origin[:2], one.slices[0].frame_uid, one.slices[0].sop_class) for one in stacks}
    if len(same) != 1 or not first.frame_uid or MODALITY_OF_CLASS[first.sop_class] != "ct":
        return False
    if len({one.slices[0].image_type for one in stacks}) != 1 or any(one.part for one in stacks):
        return False
    times = [sorted(dict(header.phases)["AcquisitionTime"] for header in stack.slices) for stack in stacks]
    return all(one[0] for one in times) and max(one[0] for one in times) <= min(one[-1] for one in times)


def _is_one_box(stacks: Sequence[Stack]) -> bool:
    """Whether all reach equally far, within the thickest slice, so that nothing is lost with the others."""
    if any(len(header.position) != 3 or len(header.orientation) != 6 for one in stacks for header in one.slices):
        return False
    boxes = []
    for stack in stacks:
        first = stack.slices[0]
        directions = np.array([first.orientation[:3], first.orientation[3:]])
        normal = np.cross(*directions)
        heights = [float(normal @ header.position) for header in stack.slices]
        size = np.array(first.pixel_spacing) * first.matrix
        boxes.append([*(directions @ first.position), *size, min(heights), max(heights), *(normal * _LENGTH_MM)])
    within = max(stack.slices[0].thickness_mm or 0.0 for stack in stacks)
    return bool(np.ptp(np.array(boxes), axis=0).max() <= within)


def _kernel(stack: Stack) -> str:
    return dict(stack.slices[0].phases)["ConvolutionKernel"].split("\\")[0].strip().upper()


def _softness(kernel: str) -> float | None:
    """1 for a kernel known to be soft, 0 for one known to be sharp, None for all others."""
    numbered = _CANON.fullmatch(kernel) or _SIEMENS.fullmatch(kernel)
    if kernel.startswith("FC") and numbered:
        return float(int(numbered[1]) < 20)
    if numbered:
        return float(int(numbered[1]) <= _SOFT_UP_TO)
    if kernel in _SOFT_NAMES or kernel in _SHARP_NAMES:
        return float(kernel in _SOFT_NAMES)
    return None


def _words(stack: Stack) -> str:
    return (
        f"{len(stack.slices)} slices of {stack.slices[0].thickness_mm:g} mm, kernel {_kernel(stack) or 'unknown'}"
    )
