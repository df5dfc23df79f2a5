"""One picture of a whole domain: a slice of each case with the contours of its labels."""

from pathlib import Path

import numpy as np

from ...pictures import montage, overlay, write_png
from ...shapes import FloatArray, LabelArray
from ...slices import CaseRecord, SliceStore

LARGEST_NUMBER_OF_CASES = 24
_TILE_PIXELS = 256


def write_contact_sheet(store: SliceStore, path: Path, max_cases: int = LARGEST_NUMBER_OF_CASES) -> Path:
    """The path of the picture, once it is written.

    Of each case the slice is shown that has most of all classes, each measured by its own largest slice; of a case
    without labels the middle one. Axial slices are seen from below, as radiologists do: the patient's right is on
    the left.

    Args:
        store: the domain.
        path: of the PNG file.
        max_cases: more are not shown; labelled ones come first.
    """
    cases = [*store.cases(labeled=True), *store.cases(labeled=False)][:max_cases]
    scale = max(1, _TILE_PIXELS // store.manifest.size)
    tiles, captions = [], []
    for case in cases:
        image, label = shown_slice(store, case)
        tiles.append(overlay(image, label, scale=scale))
        captions.append(
            f"{case.case_id} {store.split_of(case.case_id)}" + ("" if case.has_label else ", no label")
        )
    columns = max(1, min(6, round(len(tiles) ** 0.5 * 1.25)))
    write_png(montage(tiles, columns, captions), path)
    return path


def shown_slice(store: SliceStore, case: CaseRecord) -> tuple[FloatArray, LabelArray]:
    """The slice that stands for a case: (H, W) float32 in [-1, 1] in the domain's window, (H, W) uint8 labels."""
    images = store.read_images(case.case_id)
    if case.has_label:
        labels = store.read_labels(case.case_id)
        index = _richest(labels)
        label = labels[index]
    else:
        index = case.n_slices // 2
        label = np.zeros(images.shape[1:], dtype=np.uint8)
    low, high = store.manifest.window
    image = (np.asarray(images[index], dtype=np.float32) - low) / (high - low) * 2 - 1
    return np.clip(image, -1, 1).astype(np.float32), label


def _richest(labels: LabelArray) -> int:
    shares = np.zeros(len(labels))
    for index in range(1, int(labels.max()) + 1):
        n_pixels = (labels == index).sum(axis=(1, 2))
        shares += n_pixels / max(1, int(n_pixels.max()))
    return int(shares.argmax()) if shares.any() else len(labels) // 2
