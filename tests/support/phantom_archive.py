"""Many small DICOM series, made by changing the bytes of one; and ways to break them."""

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pydicom

from medsegan.geometry import Grid
from medsegan.imaging import Modality, Volume, write_series

SHAPE = (24, 24, 5)
GRID = Grid(SHAPE, np.diag([-2.0, -2.0, 5.0, 1.0]))


class Archive:
    """Series in nested folders, `site_1/patient_7/study/series`, each of a patient of its own.

    Args:
        root: of the tree.
        work: a folder for the series that all others are made of.
    """

    def __init__(self, root: Path, work: Path) -> None:
        self.root = root
        body = np.full(SHAPE, -1000, dtype=np.int16)
        body[4:20, 4:20] = 40
        write_series(Volume(body, GRID, "ct"), work / "pattern", seed_uid="pattern")
        files = sorted((work / "pattern").iterdir())
        self._files = {file.name: file.read_bytes() for file in files}
        first = pydicom.dcmread(files[0], stop_before_pixels=True)
        self._uids = [str(first[name].value).encode() for name in ("SeriesInstanceUID", "StudyInstanceUID")]
        self._uids.append(str(first.FrameOfReferenceUID).encode())
        self._instances = [str(pydicom.dcmread(file).SOPInstanceUID).encode() for file in files]
        self._patient = str(first.PatientID).encode()

    def folder(self, number: int) -> Path:
        """Where a series lies."""
        return self.root / f"site_{number % 3}" / f"patient_{number}" / "study" / "series"

    def add(self, number: int) -> Path:
        """The folder of a new series; no other has its voxels."""
        folder = self.folder(number)
        folder.mkdir(parents=True)
        for name, content in self._files.items():
            for uid in (*self._uids, *self._instances):
                content = content.replace(uid, uid[:-4] + b"%04d" % number)
            content = content.replace(self._patient, b"%010d" % number)
            voxels = np.frombuffer(content[-2 * SHAPE[0] * SHAPE[1] :], "<u2").copy()
            voxels[-SHAPE[0] :] += number  # the last row
            (folder / name).write_bytes(content[: -voxels.nbytes] + voxels.tobytes())
        return folder


def truncate(folder: Path) -> None:
    """A slice ends in its pixels, as after a copy that was cut short."""
    path = folder / "slice_0003.dcm"
    path.write_bytes(path.read_bytes()[:-300])


def cut_header(folder: Path) -> None:
    """A slice ends in its header."""
    path = folder / "slice_0003.dcm"
    path.write_bytes(path.read_bytes()[:400])


def empty_slice(folder: Path) -> None:
    """A slice is an empty file."""
    (folder / "slice_0004.dcm").write_bytes(b"")


def empty_all(folder: Path) -> None:
    """All slices are empty files."""
    for path in folder.iterdir():
        path.write_bytes(b"")


def no_dicom(folder: Path) -> None:
    """What is called .dcm is something else."""
    for path in folder.iterdir():
        path.write_bytes(b"<html>please log in</html>" * 20)


def noise(folder: Path) -> None:
    """Random bytes behind the magic."""
    random = np.random.default_rng(7)
    for path in folder.iterdir():
        path.write_bytes(bytes(128) + b"DICM" + random.bytes(600))


def miss_slices(folder: Path) -> None:
    """A slice in the middle is missing."""
    (folder / "slice_0003.dcm").unlink()


def two_phases(folder: Path) -> None:
    """Two scans at the same positions, told apart by their acquisition number."""
    for path in sorted(folder.iterdir()):
        dataset = pydicom.dcmread(path)
        dataset.AcquisitionNumber = 2
        dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID + "2"
        dataset.PixelData = bytes(len(dataset.PixelData))
        dataset.save_as(folder / f"second_{path.name}")


def other_modality(folder: Path) -> None:
    """An MR series, which is no case of a domain of CT."""
    shutil.rmtree(folder)
    modality: Modality = "mr"
    array = np.arange(np.prod(SHAPE), dtype=np.int16).reshape(SHAPE)
    write_series(Volume(array, GRID, modality), folder, seed_uid="mr")


def no_pixels(folder: Path) -> None:
    """The headers alone, without voxels."""
    for path in folder.iterdir():
        dataset = pydicom.dcmread(path)
        del dataset.PixelData
        dataset.save_as(path)


BREAKAGES: tuple[Callable[[Path], None], ...] = (
    truncate,
    cut_header,
    empty_slice,
    empty_all,
    no_dicom,
    noise,
    miss_slices,
    two_phases,
    other_modality,
    no_pixels,
)
