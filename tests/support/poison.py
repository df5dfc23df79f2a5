"""Scans that say who the patient is wherever they can, in words that occur nowhere else."""

import gzip
from pathlib import Path

import nibabel as nib
import numpy as np
import pydicom

from medsegan.geometry import reorientation_to
from medsegan.imaging import LabelVolume, Volume, write_label, write_series
from medsegan.phantoms import generate_case

BIRTH, STUDY = "19031207", "19040506"
TAGS = {
    "PatientName": "Qzxvkdoe^Qzxvkjane",
    "PatientID": "QZXVKPID{n}",
    "PatientBirthDate": BIRTH,
    "OtherPatientNames": "Qzxvkmaiden^Qzxvkjane",
    "OtherPatientIDs": "QZXVKOTHER",
    "PatientAddress": "QZXVKSTREET 7",
    "PatientComments": "QZXVKCOMMENT",
    "PatientMotherBirthName": "Qzxvkmother",
    "AccessionNumber": "QZXVKACC",
    "StudyID": "QZXVKSTUDY",
    "StudyDescription": "QZXVKSTUDYTEXT",
    "StudyDate": STUDY,
    "SeriesDate": STUDY,
    "AcquisitionDate": STUDY,
    "ContentDate": STUDY,
    "InstitutionName": "QZXVKHOSPITAL",
    "InstitutionAddress": "QZXVKCITY",
    "InstitutionalDepartmentName": "QZXVKWARD",
    "StationName": "QZXVKSTATION",
    "ReferringPhysicianName": "Qzxvkreferring",
    "PerformingPhysicianName": "Qzxvkperforming",
    "PhysiciansOfRecord": "Qzxvkrecord",
    "OperatorsName": "Qzxvkoperator",
    "ProtocolName": "QZXVKPROTOCOL",
    "ImageComments": "QZXVKIMAGECOMMENT",
}
TOKENS = ("qzxvk", BIRTH, "1903-12-07", STUDY)
"""In lower case; every word of the tags begins like the first."""


def write_poisoned(root: Path, n_dicom: int = 4, n_nifti: int = 2) -> None:
    """Phantoms of a few patients below images/ and labels/: DICOM series, and then NIfTI files."""
    for n in range(n_dicom + n_nifti):
        phantom = generate_case(0, n, "ct", in_plane_mm=6, slice_mm=18)
        turn = reorientation_to(phantom.volume.grid, "LPS")
        grid = turn.grid(phantom.volume.grid)
        volume = Volume(np.ascontiguousarray(turn.apply(phantom.volume.array)), grid, "ct")
        name = f"QZXVKDOE_QZXVKJANE_{BIRTH}_{n}"
        (root / "labels").mkdir(parents=True, exist_ok=True)
        label = LabelVolume(np.ascontiguousarray(turn.apply(phantom.label.array)), grid)
        write_label(label, root / "labels" / f"{name}.nii.gz")
        if n < n_dicom:
            write_poisoned_series(volume, root / "images" / name, n)
        else:
            write_poisoned_nifti(volume, root / "images" / f"{name}.nii.gz")


def write_poisoned_series(volume: Volume, folder: Path, n: int) -> None:
    """A DICOM series with every tag of `TAGS`."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    write_series(volume, folder, seed_uid=str(n))
    for number, path in enumerate(sorted(folder.iterdir())):
        dataset = pydicom.dcmread(path)
        for keyword, value in TAGS.items():
            setattr(dataset, keyword, value.format(n=n))
        dataset.save_as(folder / f"QZXVKIM_{STUDY}_{number:03d}")
        path.unlink()


def write_poisoned_nifti(volume: Volume, path: Path) -> None:
    """A NIfTI file with every text of its header set, and a comment behind it."""
    image = nib.Nifti1Image(np.asarray(volume.array, dtype=np.int16), volume.grid.world_from_voxel)
    header = image.header
    header["descrip"], header["intent_name"], header["aux_file"], header["db_name"] = (
        *(b"QZXVKDESCRIP", b"QZXVKINTENT"),
        *(b"QZXVKAUX", b"QZXVKDB"),
    )
    header.extensions.append(nib.nifti1.Nifti1Extension("comment", b"QZXVKEXTENSION"))
    path.parent.mkdir(parents=True, exist_ok=True)
    nib.save(image, path)


def found_in(text: str | bytes) -> list[str]:
    """The tokens that are in a text or in the bytes of a file."""
    lowered = text.lower() if isinstance(text, str) else text.lower().decode("latin-1")
    return [token for token in TOKENS if token in lowered]


def leaks_below(*folders: Path, but: tuple[Path, ...] = ()) -> list[str]:
    """Every file whose name or content has a token in it."""
    leaks = []
    for folder in folders:
        for path in sorted(folder.rglob("*")):
            if any(path.is_relative_to(other) for other in but):
                continue
            content = path.read_bytes() if path.is_file() else b""
            if content.startswith(b"\x1f\x8b"):
                content = gzip.decompress(content)
            tokens = found_in(str(path.relative_to(folder))) + found_in(content)
            leaks += [f"{path}: {tokens}"] if tokens else []
    return leaks
