"""300 damaged files: refused with exit 3 or 4, or read as if they were whole. Never another volume without a word.

The rule. A file that is cut off is refused. With one bit changed it is refused too, or gives the same volume,
unless

* the bit lies in voxels that are stored plainly (uncompressed NIfTI, NRRD, MetaImage, TIFF): any value is as good
  as another, so values may differ, the geometry may not; or
* it lies in a number of the header that nothing else in the file repeats: slope and intercept of NIfTI, and the
  numbers of spacing, direction and origin of NRRD and MetaImage, which are text without a checksum.

What is repeated is compared. In NIfTI: dim, datatype and vox_offset against the length of the file, sform against
qform (a note beyond 0.1 voxel, the sform is taken) or pixdim, checksums of gzip against the content. In PNG and
zip: the checksums. In TIFF: the sizes against the length of the pixels, and zlib's checksum. Slices of a DICOM
series are compared with each other: test_dicom_damage.py.
"""

import random
import signal
import zipfile
from contextlib import contextmanager

import nibabel as nib
import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813 (the name everybody knows it by)
from label_scenes import oblique_grid, organs, write_scan, write_seg
from PIL import Image

from medsegan.imaging import read_label, read_volume
from medsegan_cli.explain import explain

LIMIT_S = 10
AFFINE = np.array([[-0.8, 0.1, 0, 90.5], [0.1, 0.8, 0, -126], [0, 0, 2.5, -72], [0, 0, 0, 1]])
VOXELS = np.random.default_rng(1).integers(-1000, 1000, (9, 8, 7)).astype(np.int16)
LABELS = (VOXELS % 4).astype(np.uint8)
SLOPES = {".nii": range(112, 120), "2.nii": range(176, 192)}
NOTED_VOXELS = 0.1


def write_nifti(path, kind=nib.Nifti1Image, array=VOXELS):
    image = kind(array, AFFINE)
    image.set_sform(AFFINE, 1)
    image.set_qform(AFFINE, 1)
    image.header.set_xyzt_units("mm")
    nib.save(image, path)
    return path


def write_itk(path, packed):
    image = sitk.GetImageFromArray(VOXELS.T.copy())
    image.SetSpacing((0.8, 0.9, 2.5))
    image.SetOrigin((1.25, 2.5, -3.75))
    sitk.WriteImage(image, str(path), useCompression=packed)
    return path


def write_picture(path, **options):
    Image.fromarray(LABELS[..., 0].T.repeat(4, 0)).save(path, **options)
    return path


def write_archive(folder):
    series = write_scan(folder / "series", oblique_grid((12, 10, 4)))
    with zipfile.ZipFile(folder / "case.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(series.iterdir()):
            archive.write(file, file.name)
    return folder / "case.zip"


def write_segmentation(folder):
    series = write_scan(folder / "series", oblique_grid())
    return write_seg(organs(), series, folder / "seg.dcm", ("Liver", "Left Kidney", "spleen"))


def read_scan(path):
    return read_volume(path)


# name: how to write the file, how to read it, how many bytes its header has (None: all of the file is checked)
KINDS = {
    "nifti": (lambda folder: write_nifti(folder / "a.nii"), read_scan, 352),
    "nifti2": (lambda folder: write_nifti(folder / "a2.nii", nib.Nifti2Image), read_scan, 544),
    "nifti_gz": (lambda folder: write_nifti(folder / "a.nii.gz"), read_scan, None),
    "nifti_pair": (lambda folder: write_nifti(folder / "a.hdr", nib.Nifti1Pair), read_scan, 348),
    "label": (lambda folder: write_nifti(folder / "l.nii", array=LABELS), read_label, 352),
    "label_gz": (lambda folder: write_nifti(folder / "l.nii.gz", array=LABELS), read_label, None),
    "nrrd": (lambda folder: write_itk(folder / "a.nrrd", False), read_scan, "text"),
    "nrrd_gz": (lambda folder: write_itk(folder / "z.nrrd", True), read_scan, "text"),
    "mha": (lambda folder: write_itk(folder / "a.mha", False), read_scan, "text"),
    "mha_zlib": (lambda folder: write_itk(folder / "z.mha", True), read_scan, "text"),
    "png": (lambda folder: write_picture(folder / "a.png"), read_label, None),
    "tiff": (lambda folder: write_picture(folder / "a.tif"), read_label, "any"),
    "tiff_deflate": (
        lambda folder: write_picture(folder / "z.tif", compression="tiff_deflate"),
        read_label,
        "any",
    ),
    "zip": (write_archive, read_scan, None),
    "seg": (write_segmentation, read_label, "any"),
}
PER_KIND = 20
"""One half is cut off, one half has a bit changed: 15 kinds, 300 damages."""


@contextmanager
def limited(what):
    """Fail what takes longer than 10 seconds."""

    def stop(*_):
        raise TimeoutError(f"{what} took longer than {LIMIT_S} s")

    before = signal.signal(signal.SIGALRM, stop)
    signal.alarm(LIMIT_S)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def damaged(content, seed):
    """The content cut off or with one bit changed, and where."""
    rng = random.Random(seed)
    if seed.endswith("cut"):
        place = rng.randrange(len(content))
        return content[:place], place
    place = rng.randrange(len(content)) if rng.random() < 0.5 else rng.randrange(min(len(content), 600))
    changed = bytearray(content)
    changed[place] ^= 1 << rng.randrange(8)
    return bytes(changed), place


def outcome(read, path, what):
    """The volume; `None` where it is refused as the command line refuses: one line, exit 3 or 4."""
    with limited(what):
        try:
            return read(path)
        except Exception as error:
            explanation = explain(error)
            found = f"{what}: {type(error).__name__}: {error}"
    assert explanation.exit_code in (3, 4), found
    assert "\n" not in explanation.text
    return None


def text_header(content):
    ending = b"\n\n" if content.startswith(b"NRRD") else b"LOCAL\n"
    return content.index(ending) + len(ending)


def is_lone_number(content, place):
    """Whether a byte of a text header lies in spacing, direction or origin, behind their names."""
    first = content.rfind(b"\n", 0, place) + 1
    line = content[first : content.find(b"\n", place)]
    names = (b"space directions:", b"space origin:", b"ElementSpacing =", b"Offset =", b"TransformMatrix =")
    name = next((name for name in names if line.startswith(name)), None)
    return name is not None and place >= first + len(name)


def require_same(kind, volume, whole, content, place, what):
    header = KINDS[kind][2]
    if header == "text":
        n_header = text_header(content)
        if place < n_header and is_lone_number(content, place):
            return
        header = n_header if kind in ("nrrd", "mha") else None
    if header == "any":  # TIFF and SEG say most things once
        assert volume.notes or volume.array.shape == whole.array.shape, what
        return
    if volume.notes == whole.notes:
        assert volume.grid.corner_distance_voxels(whole.grid) < 1.2 * NOTED_VOXELS, what
    slopes = SLOPES["2.nii" if kind == "nifti2" else ".nii"]
    if header is None or (place < header and not (kind.startswith(("nifti", "label")) and place in slopes)):
        moved = volume.notes != whole.notes
        assert moved or np.array_equal(volume.array, whole.array), what


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("damage", ["cut", "bit"])
def test_damage_is_refused_or_does_no_harm(tmp_path, kind, damage):
    write, read, _ = KINDS[kind]
    path = write(tmp_path)
    whole, content = read(path), path.read_bytes()
    n_refused = 0
    for number in range(PER_KIND // 2):
        seed = f"{kind} {number} {damage}"
        changed, place = damaged(content, seed)
        path.write_bytes(changed)
        volume = outcome(read, path, f"{seed} at byte {place}")
        n_refused += volume is None
        if volume is not None:
            assert damage != "cut", f"{seed} at byte {place}: a volume from a file that is cut off"
            require_same(kind, volume, whole, content, place, f"{seed} at byte {place}")
    assert damage == "bit" or n_refused == PER_KIND // 2


@pytest.mark.parametrize("suffix", [".img", ".zraw", ".raw.gz"])
def test_the_other_file_of_two_is_checked_as_well(tmp_path, suffix):
    if suffix == ".img":
        path = write_nifti(tmp_path / "a.hdr", nib.Nifti1Pair)
    else:
        path = write_itk(tmp_path / ("a.mhd" if suffix == ".zraw" else "a.nhdr"), True)
    voxels = tmp_path / f"a{suffix}"
    whole, content = read_volume(path), voxels.read_bytes()
    for number in range(12):
        seed = f"{suffix} {number} {'cut' if number % 2 else 'bit'}"
        changed, place = damaged(content, seed)
        voxels.write_bytes(changed)
        volume = outcome(read_volume, path, f"{seed} at byte {place}")
        if volume is not None:
            assert number % 2 == 0, seed
            assert volume.grid.corner_distance_voxels(whole.grid) == 0, seed
            assert suffix == ".img" or np.array_equal(volume.array, whole.array), seed
    voxels.unlink()
    assert outcome(read_volume, path, "no voxels") is None


def test_what_lies_behind_the_voxels_is_refused_unless_the_checksum_vouches_for_them(tmp_path):
    plain, packed = write_nifti(tmp_path / "a.nii"), write_nifti(tmp_path / "a.nii.gz")
    plain.write_bytes(plain.read_bytes() + b"\0\0")
    assert outcome(read_volume, plain, "two bytes more") is None
    packed.write_bytes(packed.read_bytes() + b"garbage")
    volume = read_volume(packed)
    assert np.array_equal(volume.array, VOXELS)
    assert volume.notes == ("7 bytes behind the end of the compressed content are ignored",)


@pytest.mark.parametrize("damage", ["checksum", "length", "end"])
def test_the_end_of_gzip_is_read(tmp_path, damage):
    path = write_nifti(tmp_path / "a.nii.gz")
    content = path.read_bytes()
    ends = {
        "checksum": content[:-8] + bytes([content[-8] ^ 1]) + content[-7:],
        "length": content[:-1] + b"\1",
        "end": content[:-1],
    }
    path.write_bytes(ends[damage])
    assert outcome(read_volume, path, damage) is None


def test_a_compressed_metaimage_without_its_size_is_no_plain_one(tmp_path):
    path = write_itk(tmp_path / "a.mha", True)
    lines = [line for line in path.read_bytes().split(b"\n") if not line.startswith(b"CompressedDataSize")]
    path.write_bytes(b"\n".join(lines))
    assert np.array_equal(read_volume(path).array, VOXELS)
