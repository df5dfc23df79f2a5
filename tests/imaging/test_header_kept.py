"""A label written like its scan has the scan's geometric header fields, bit for bit."""

import gzip
import struct

import nibabel as nib
import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

import medsegan.imaging.nifti
import medsegan.imaging.write
from medsegan.errors import DataError
from medsegan.geometry import Grid
from medsegan.imaging import LabelVolume, read_label, read_volume, write_label

FIELDS = (
    *("dim", "pixdim", "xyzt_units", "qform_code", "sform_code", "quatern_b", "quatern_c", "quatern_d"),
    *("qoffset_x", "qoffset_y", "qoffset_z", "srow_x", "srow_y", "srow_z"),
)
SHAPE = (4, 5, 3)


def raw_fields(path):
    """The fields as they are stored, read without nibabel's repairs."""
    content = path.read_bytes()
    content = gzip.decompress(content) if content[:2] == b"\x1f\x8b" else content
    for sign in "<>":
        size = struct.unpack(f"{sign}i", content[:4])[0]
        if size in (348, 540):
            kind = nib.Nifti1Header if size == 348 else nib.Nifti2Header
            header = kind(content[:size], endianness=sign, check=False)
            return {name: np.asarray(header[name]).astype(header[name].dtype.newbyteorder("=")) for name in FIELDS}
    raise AssertionError("no header")


def require_equal(one, other):
    before, after = raw_fields(one), raw_fields(other)
    for name in FIELDS:
        assert before[name].tobytes() == after[name].tobytes(), name


def write_scan(path, affine, qform=1, sform=1, version=1, endian="<", pair=False, shape=SHAPE):
    """A scan whose header holds what it is told; returns the path to read."""
    kinds = {
        (1, False): "Nifti1Image",
        (1, True): "Nifti1Pair",
        (2, False): "Nifti2Image",
        (2, True): "Nifti2Pair",
    }
    kind = getattr(nib, kinds[version, pair])
    image = kind(np.zeros(shape, np.int16), None, kind.header_class(endianness=endian))
    image.header.set_data_dtype(np.int16)
    image.header.set_qform(affine, code=qform, strip_shears=True)
    image.header.set_sform(affine, code=sform)
    image.header.set_xyzt_units("mm", "sec")
    target = path / ("scan.img" if pair else "scan.nii")
    nib.save(image, target)
    return target.with_suffix(".hdr") if pair else target


def oblique(spacing=(0.7, 0.83, 2.5), euler=(12, -20, 33), origin=(-101.123456, 87.7, 1033.3), flip=1):
    affine = np.eye(4)
    affine[:3, :3] = Rotation.from_euler("xyz", euler, degrees=True).as_matrix() * spacing
    affine[:3, 0] *= flip
    affine[:3, 3] = origin
    return affine


def edit(path, **fields):
    """Change fields of a file of NIfTI-1 in place."""
    content = bytearray(path.read_bytes())
    sign = "<" if struct.unpack("<i", content[:4])[0] == 348 else ">"
    header = nib.Nifti1Header(bytes(content[:348]), endianness=sign, check=False)
    for name, value in fields.items():
        header[name] = value
    content[:348] = header.binaryblock
    path.write_bytes(content)


def label_like(scan, folder, suffix=".nii.gz"):
    volume = read_volume(scan)
    array = np.random.default_rng(3).integers(0, 4, volume.grid.shape).astype(np.uint8)
    path = folder / f"label{suffix}"
    write_label(LabelVolume(array, volume.grid), path, like=scan)
    back = read_label(path)
    assert np.array_equal(back.array, array)
    assert np.array_equal(back.grid.world_from_voxel, volume.grid.world_from_voxel)
    return path


@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize("endian", ["<", ">"])
@pytest.mark.parametrize(("qform", "sform"), [(1, 1), (1, 2), (3, 0), (0, 4), (0, 0)])
@pytest.mark.parametrize("pair", [False, True])
def test_every_kind_of_header(tmp_path, version, endian, qform, sform, pair):
    scan = write_scan(tmp_path, oblique(flip=-1), qform, sform, version, endian, pair)
    require_equal(scan, label_like(scan, tmp_path))


numbers = st.floats(-2000, 2000, width=32)
angles = st.floats(-180, 180)


@settings(max_examples=60)
@given(
    euler=st.tuples(angles, angles, angles),
    spacing=st.tuples(*[st.floats(0.0625, 8, width=32)] * 3),
    origin=st.tuples(numbers, numbers, numbers),
    codes=st.tuples(st.integers(0, 4), st.integers(0, 4)),
    flip=st.sampled_from([1, -1]),
    units=st.sampled_from([0, 1, 2, 3, 8, 10, 18, 26, 34]),
    qfac=st.sampled_from([None, 0.0]),
    repetition=st.floats(0, 10, width=32),
    version=st.sampled_from([1, 2]),
)
def test_any_place(tmp_path_factory, euler, spacing, origin, codes, flip, units, qfac, repetition, version):
    folder = tmp_path_factory.mktemp("any")
    scan = write_scan(folder, oblique(spacing, euler, origin, flip), *codes, version=version)
    if version == 1:
        pixdim = np.array(raw_fields(scan)["pixdim"])
        pixdim[4] = repetition
        pixdim[0] = pixdim[0] if qfac is None else qfac
        edit(scan, xyzt_units=units, pixdim=pixdim)
    try:
        read_volume(scan)
    except DataError:  # such as microns, which make the voxels too small for a grid
        return
    require_equal(scan, label_like(scan, folder))


def test_two_forms_that_differ_are_both_kept(tmp_path):
    scan = write_scan(tmp_path, oblique())
    edit(scan, qoffset_x=7.25, srow_x=raw_fields(scan)["srow_x"] + np.float32(0.0125))
    require_equal(scan, label_like(scan, tmp_path))


@pytest.mark.parametrize("shape", [(4, 5), (4, 5, 3, 1), (4, 5, 1)])
def test_the_number_of_axes_is_kept(tmp_path, shape):
    scan = write_scan(tmp_path, oblique(), shape=shape)
    require_equal(scan, label_like(scan, tmp_path))


def test_gzip_under_a_false_name(tmp_path):
    scan = write_scan(tmp_path, oblique())
    scan.write_bytes(gzip.compress(scan.read_bytes()))
    require_equal(scan, label_like(scan, tmp_path, ".nii"))


def test_the_files_of_others(real_scans, tmp_path):
    folder = real_scans("awkward")
    names = [
        "big.nii.gz",
        "avg152T1_LR_nifti.nii.gz",
        "air.hdr.gz",
        "avg152T1_LR_nifti2.nii.gz",
        "with_extension.nii.gz",
    ]
    checked = 0
    for name in names:
        scan = folder / "nifti_headers" / name
        try:
            read_volume(scan)
        except DataError:
            continue
        require_equal(scan, label_like(scan, tmp_path))
        checked += 1
    assert checked >= 3


def test_elsewhere_nothing_is_taken_over(tmp_path):
    scan = write_scan(tmp_path, oblique(), qform=3, sform=4)
    grid = Grid(SHAPE, oblique(origin=(0, 0, 0)))
    write_label(LabelVolume(np.ones(SHAPE, np.uint8), grid), tmp_path / "l.nii", like=scan)
    assert int(raw_fields(tmp_path / "l.nii")["qform_code"]) == 1


def test_a_field_that_is_not_stored_is_an_error_and_no_file(tmp_path, monkeypatch):
    scan = write_scan(tmp_path, oblique())
    real = medsegan.imaging.nifti.copy_place

    def forget(source, target):
        real(source, target)
        target["qoffset_y"] += 1e-5

    monkeypatch.setattr(medsegan.imaging.nifti, "copy_place", forget)
    edit(scan, qoffset_y=0.0)
    with pytest.raises(DataError, match="qoffset_y"):
        label_like(scan, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["scan.nii"]


@pytest.mark.parametrize("source", [".nrrd", ".mha"])
@pytest.mark.parametrize("target", [".nrrd", ".mha"])
def test_nrrd_and_metaimage_keep_their_place_to_the_digit(tmp_path, source, target):
    image = sitk.GetImageFromArray(np.zeros((3, 5, 4), np.int16))
    image.SetSpacing((0.7421875, 0.7421875, 1.0 / 3))
    image.SetOrigin((-170.616, 96.80329303568253, 1266.1))
    image.SetDirection(Rotation.from_euler("xyz", [5, 60, -70], degrees=True).as_matrix().ravel().tolist())
    scan = tmp_path / f"scan{source}"
    sitk.WriteImage(image, str(scan))
    before, after = sitk.ReadImage(str(scan)), sitk.ReadImage(str(label_near(scan, tmp_path, target)))
    for name in ("GetSpacing", "GetOrigin", "GetDirection"):
        np.testing.assert_allclose(getattr(after, name)(), getattr(before, name)(), rtol=1e-15, atol=1e-15)
    if target == ".nrrd":
        assert "space: left-posterior-superior" in (tmp_path / "label.nrrd").read_bytes().decode("latin1")


def label_near(scan, folder, suffix):
    volume = read_volume(scan)
    write_label(
        LabelVolume(np.ones(volume.grid.shape, np.uint8), volume.grid), folder / f"label{suffix}", like=scan
    )
    return folder / f"label{suffix}"


def test_a_voxel_that_does_not_come_back_is_an_error_and_no_file(tmp_path, monkeypatch):
    grid = Grid(SHAPE, oblique())
    for module, name, suffix in (
        (medsegan.imaging.write, "write_nifti", ".nii.gz"),
        (medsegan.imaging.write, "write_itk", ".nrrd"),
    ):
        real = getattr(module, name)

        def spoil(array, *others, real=real):
            real(np.where(np.arange(array.size).reshape(array.shape) == 7, 0, array), *others)

        monkeypatch.setattr(module, name, spoil)
        with pytest.raises(DataError, match="voxels do not come back"):
            write_label(LabelVolume(np.ones(SHAPE, np.uint8), grid), tmp_path / f"l{suffix}")
        assert list(tmp_path.iterdir()) == []
