"""DICOM label objects on small oblique series, written by highdicom and pydicom."""

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import highdicom as hd
import numpy as np
import pydicom
from highdicom.sr.coding import CodedConcept
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, generate_uid
from scipy.spatial.transform import Rotation

from medsegan.geometry import Grid
from medsegan.imaging import Volume, write_series
from medsegan.imaging.dicom.rtstruct import RTSTRUCT_CLASS

SHAPE = (26, 22, 9)
LPS = np.array([-1.0, -1.0, 1.0])


def oblique_grid(shape: tuple[int, int, int] = SHAPE, euler: Sequence[float] = (12, -8, 25)) -> Grid:
    """A grid of slices whose axes run as those of DICOM: columns to the left, rows to the back."""
    affine = np.eye(4)
    turn = Rotation.from_euler("xyz", euler, degrees=True).as_matrix()
    affine[:3, :3] = turn @ np.diag([-0.8, -1.1, 2.5])
    affine[:3, 3] = [31.5, 42.25, -100]
    return Grid(shape, affine)


def write_scan(folder: Path, grid: Grid, seed: str = "a") -> Path:
    """A CT series on a grid."""
    array = np.random.default_rng(1).integers(-100, 100, grid.shape).astype(np.int16)
    write_series(Volume(array, grid, "ct"), folder, seed_uid=seed)
    return folder


def organs(shape: tuple[int, int, int] = SHAPE) -> np.ndarray:
    """Three boxes of different sizes, away from each other, none at a symmetric place."""
    labels = np.zeros(shape, dtype=np.uint8)
    labels[3:9, 4:8, 2:4] = 1
    labels[14:20, 5:15, 3:8] = 2
    labels[4:7, 12:20, 5:6] = 3
    return labels


def centroids_mm(labels: np.ndarray, grid: Grid) -> dict[int, np.ndarray]:
    """Value -> centre of mass in RAS+ mm."""
    found = {}
    for value in np.unique(labels[labels > 0]):
        index = np.argwhere(labels == value).mean(axis=0)
        found[int(value)] = (grid.world_from_voxel @ [*index, 1])[:3]
    return found


def write_seg(
    labels: np.ndarray, series: Path, path: Path, names: Sequence[str], kind: str = "BINARY", **options: Any
) -> Path:
    """A segmentation of a series by highdicom; `labels` (I, J, K), or (I, J, K, classes) for fractions."""
    slices = [pydicom.dcmread(file) for file in sorted(series.iterdir())]
    code = CodedConcept("85756007", "SCT", "Tissue")
    described = [
        hd.seg.SegmentDescription(number, name, code, code, "MANUAL") for number, name in enumerate(names, start=1)
    ]
    pixels = np.moveaxis(labels, [0, 1, 2], [2, 1, 0]) if labels.ndim == 3 else labels.transpose(2, 1, 0, 3)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        seg = hd.seg.Segmentation(
            slices,
            np.ascontiguousarray(pixels),
            kind,
            described,
            generate_uid(),
            2,
            generate_uid(),
            1,
            "maker",
            "model",
            "1",
            "1",
            **options,
        )
        seg.save_as(path)
    return path


def circle(centre: tuple[float, float], radius: float, n: int = 240) -> np.ndarray:
    """(n, 2) corners of a circle in voxels."""
    angles = np.linspace(0, 2 * np.pi, n, endpoint=False)
    return np.array(centre) + radius * np.stack([np.cos(angles), np.sin(angles)], axis=1)


def at_height(curve: np.ndarray, height: float) -> np.ndarray:
    """(n, 3) a curve of voxels at a height in slices."""
    return np.column_stack([curve, np.full(len(curve), height)])


def write_rtstruct(
    path: Path,
    grid: Grid,
    regions: dict[str, list[np.ndarray]],
    kinds: dict[str, str] | None = None,
    geometry: str = "CLOSED_PLANAR",
    series_uid: str = "",
) -> Path:
    """A structure set whose curves are given in voxels of a grid."""
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = RTSTRUCT_CLASS, generate_uid()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
    dataset.SOPClassUID, dataset.SOPInstanceUID = RTSTRUCT_CLASS, meta.MediaStorageSOPInstanceUID
    dataset.Modality, dataset.StructureSetLabel = "RTSTRUCT", "test"
    dataset.StructureSetROISequence, dataset.ROIContourSequence = [], []
    dataset.RTROIObservationsSequence = []
    for number, (name, curves) in enumerate(regions.items(), start=1):
        roi, contours, observed = Dataset(), Dataset(), Dataset()
        roi.ROINumber, roi.ROIName = number, name
        contours.ReferencedROINumber, contours.ContourSequence = number, []
        observed.ObservationNumber, observed.ReferencedROINumber = number, number
        observed.RTROIInterpretedType = (kinds or {}).get(name, "ORGAN")
        for curve in curves:
            item = Dataset()
            world = (curve @ grid.world_from_voxel[:3, :3].T + grid.world_from_voxel[:3, 3]) * LPS
            item.ContourGeometricType, item.NumberOfContourPoints = geometry, len(curve)
            item.ContourData = [f"{number:.10g}" for number in world.ravel()]
            contours.ContourSequence.append(item)
        dataset.StructureSetROISequence.append(roi)
        dataset.ROIContourSequence.append(contours)
        dataset.RTROIObservationsSequence.append(observed)
    if series_uid:
        frame, study, series = Dataset(), Dataset(), Dataset()
        series.SeriesInstanceUID, study.RTReferencedSeriesSequence = series_uid, [series]
        frame.RTReferencedStudySequence = [study]
        dataset.ReferencedFrameOfReferenceSequence = [frame]
    dataset.save_as(path, enforce_file_format=True)
    return path
