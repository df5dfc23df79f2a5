"""A CT series in which every voxel knows its value from its place: HU = round(2x + 3y + 1.5z) in LPS mm."""

import random
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, RLELossless

from medsegan.imaging import Volume

ROWS, COLUMNS, N_SLICES = 40, 32, 12
SPACING_MM, STEP_MM = 0.9, 2.5
ORIGIN = np.array([-12.0, -20.0, 0.0])


def hounsfield(world_lps: np.ndarray) -> np.ndarray:
    return np.rint(world_lps @ np.array([2.0, 3.0, 1.5]))


@dataclass
class SliceSpec:
    """One slice to write; the pixels follow from the place unless `added_hu` says otherwise."""

    position: np.ndarray
    along_row: tuple[float, float, float] = (1.0, 0.0, 0.0)
    along_column: tuple[float, float, float] = (0.0, 1.0, 0.0)
    matrix: tuple[int, int] = (ROWS, COLUMNS)
    pixel_spacing: tuple[float, float] = (SPACING_MM, SPACING_MM)
    slope: float = 1.0
    intercept: float = -1024.0
    signed: bool = False
    number: int = 1
    series_uid: str = "1.2.3.4"
    added_hu: int = 0
    rle: bool = False
    sop_class: str = CTImageStorage
    tags: dict[str, Any] = field(default_factory=dict)
    edit: Callable[[FileDataset], None] | None = None

    def hounsfield(self) -> np.ndarray:
        rows, columns = np.indices(self.matrix)
        world = (
            np.asarray(self.position)
            + columns[..., None] * self.pixel_spacing[1] * np.array(self.along_row)
            + rows[..., None] * self.pixel_spacing[0] * np.array(self.along_column)
        )
        return hounsfield(world) + self.added_hu


def stack_specs(n_slices: int = N_SLICES, step_mm: float = STEP_MM, **changes: Any) -> list[SliceSpec]:
    return [
        SliceSpec(ORIGIN + np.array([0.0, 0.0, step_mm * index]), number=index + 1, **changes)
        for index in range(n_slices)
    ]


def write_slice(spec: SliceSpec, path: Path) -> None:
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = spec.sop_class
    meta.MediaStorageSOPInstanceUID = f"1.2.3.{zlib.crc32(path.name.encode())}.{spec.number}"
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
    dataset.SOPClassUID = spec.sop_class
    dataset.SOPInstanceUID = meta.MediaStorageSOPInstanceUID
    dataset.StudyInstanceUID, dataset.SeriesInstanceUID = "1.2.3", spec.series_uid
    dataset.FrameOfReferenceUID = "1.2.3.9"
    dataset.Modality, dataset.Manufacturer, dataset.SeriesNumber = "CT", "SIEMENS", 2
    dataset.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
    dataset.InstanceNumber, dataset.AcquisitionNumber = spec.number, 1
    dataset.SliceThickness = STEP_MM
    dataset.ImagePositionPatient = [f"{number:.8g}" for number in spec.position]
    dataset.ImageOrientationPatient = [f"{number:.10g}" for number in (*spec.along_row, *spec.along_column)]
    dataset.PixelSpacing = list(spec.pixel_spacing)
    dataset.Rows, dataset.Columns = spec.matrix
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = 16, 16, 15
    dataset.PixelRepresentation = int(spec.signed)
    dataset.RescaleSlope, dataset.RescaleIntercept = f"{spec.slope:.10g}", f"{spec.intercept:.10g}"
    stored = np.rint((spec.hounsfield() - spec.intercept) / spec.slope)
    dataset.PixelData = stored.astype("<i2" if spec.signed else "<u2").tobytes()
    for keyword, value in spec.tags.items():
        setattr(dataset, keyword, value)
    if spec.edit is not None:
        spec.edit(dataset)
    if spec.rle:
        dataset.compress(RLELossless, generate_instance_uid=False)
    dataset.save_as(path, enforce_file_format=True)


@pytest.fixture
def write_specs(tmp_path: Path) -> Callable[[list[SliceSpec]], Path]:
    """A function that writes slices under names in random order and returns their folder."""

    def write(specs: list[SliceSpec]) -> Path:
        folder = tmp_path / "series"
        folder.mkdir(exist_ok=True)
        names = [f"IM{index:04d}.dcm" for index in range(len(specs))]
        random.Random(5).shuffle(names)
        with pydicom.config.disable_value_validation():
            for spec, name in zip(specs, names, strict=True):
                write_slice(spec, folder / name)
        return folder

    return write


def off_the_truth(volume: Volume) -> tuple[np.ndarray, np.ndarray]:
    """By how much each voxel differs from what its place demands, and where it is air that no slice reached."""
    indices = np.stack([*np.indices(volume.array.shape), np.ones(volume.array.shape)], axis=-1)
    world_ras = (indices @ volume.grid.world_from_voxel.T)[..., :3]
    return np.abs(volume.array - hounsfield(world_ras * [-1, -1, 1])), volume.array == -1024


@dataclass(frozen=True)
class SliceTools:
    """What the tests of the traps build their series from."""

    stack: Callable[..., list[SliceSpec]]
    slice: type[SliceSpec]
    hounsfield: Callable[[np.ndarray], np.ndarray]
    origin: np.ndarray
    off: Callable[[Volume], tuple[np.ndarray, np.ndarray]]


@pytest.fixture
def slices() -> SliceTools:
    return SliceTools(stack_specs, SliceSpec, hounsfield, ORIGIN, off_the_truth)
