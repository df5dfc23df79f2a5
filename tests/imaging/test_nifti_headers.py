"""Headers of every kind: nibabel agrees on all that is no trap, and every trap has its rule."""

import warnings
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from nibabel.nifti1 import Nifti1Extension
from scipy.spatial.transform import Rotation

from medsegan.errors import DataError, InputError
from medsegan.imaging import read_label, read_volume

KINDS = (nib.Nifti1Image, nib.Nifti2Image, nib.Nifti1Pair, nib.Nifti2Pair)
TYPES = ("u1", "i1", "i2", "u2", "i4", "u4", "i8", "u8", "f4", "f8")
UNIT_MM = {0: 1.0, 1: 1000.0, 2: 1.0, 3: 0.001}


@st.composite
def affines(draw):
    """Rotated, mirrored or not, with spacings of scanners."""
    euler = draw(st.tuples(*[st.floats(-180, 180)] * 3))
    spacing = np.array(draw(st.tuples(*[st.floats(0.2, 8)] * 3)))
    turn = Rotation.from_euler("xyz", euler, degrees=True).as_matrix()
    affine = np.eye(4)
    affine[:3, :3] = turn * spacing * [1, 1, draw(st.sampled_from([1, -1]))]
    affine[:3, 3] = draw(st.tuples(*[st.floats(-900, 900)] * 3))
    return affine


@st.composite
def cases(draw):
    return {
        "kind": draw(st.sampled_from(KINDS)),
        "order": draw(st.sampled_from("<>")),
        "dtype": draw(st.sampled_from(TYPES)),
        "shape": draw(st.tuples(*[st.integers(2, 7)] * 3)) + (1,) * draw(st.integers(0, 3)),
        "codes": draw(st.sampled_from([(1, 0), (0, 2), (1, 1), (2, 4), (3, 1)])),
        "unit": draw(st.sampled_from([0, 2, 2, 1, 3])),
        "slope": draw(
            st.sampled_from([(1, 0), (2, -1024), (0.5, 0.25), (-1, 3), (0, 7), (np.nan, 1), (np.inf, 1)])
        ),
        "extension": draw(st.booleans()),
        "gzip": draw(st.booleans()),
        "affine": draw(affines()),
    }


def write(case, folder: Path) -> Path:
    rng = np.random.default_rng(7)
    high = 100 if case["dtype"] in ("u1", "i1") else 2000
    array = rng.integers(0, high, case["shape"]).astype(case["dtype"])
    affine = case["affine"].copy()
    affine[:3] /= UNIT_MM[case["unit"]]
    header = case["kind"].header_class(endianness=case["order"])
    header.set_data_dtype(np.dtype(case["dtype"]).newbyteorder(case["order"]))
    image = case["kind"](array, None, header)
    image.header.set_data_dtype(np.dtype(case["dtype"]))
    image.set_qform(affine, case["codes"][0])
    image.set_sform(affine, case["codes"][1])
    image.header["xyzt_units"] = case["unit"] | 8
    is_pair = case["kind"] in (nib.Nifti1Pair, nib.Nifti2Pair)
    if case["extension"] and not is_pair:
        image.header.extensions.append(Nifti1Extension("comment", b"some words"))
    path = folder / f"scan{'.hdr' if is_pair else '.nii'}{'.gz' if case['gzip'] and not is_pair else ''}"
    image.header.set_slope_inter(1, 0)
    nib.save(image, path)
    if not path.name.endswith(".gz"):
        content = bytearray(path.read_bytes())
        first, size, kind = (112, 4, "f4") if image.header.sizeof_hdr == 348 else (176, 8, "f8")
        for number, value in enumerate(case["slope"]):
            content[first + number * size : first + (number + 1) * size] = np.array(
                value, dtype=image.header.endianness + kind
            ).tobytes()
        path.write_bytes(content)
    return path


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(case=cases())
def test_nibabel_agrees(tmp_path, case):
    path = write(case, tmp_path)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        image = nib.load(path)
        expected = image.get_fdata().reshape(case["shape"][:3])
    volume = read_volume(path)
    affine = image.affine.copy()
    affine[:3] *= UNIT_MM[case["unit"]]
    np.testing.assert_allclose(volume.grid.world_from_voxel, affine, rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(volume.array, expected, rtol=1e-6)
    assert all("other units" in note for note in volume.notes)
    assert bool(volume.notes) == (case["unit"] in (1, 3))


AFFINE = np.array([[-0.8, 0, 0, 90.5], [0, 0.9, 0, -126], [0, 0, 2.5, -72], [0, 0, 0, 1]])
ARRAY = np.arange(6 * 7 * 8, dtype=np.int16).reshape(6, 7, 8)


@pytest.fixture
def change(tmp_path):
    """A function that writes a header with fields changed, as they are in the file, and returns its path."""

    def save(codes=(1, 1), array=ARRAY, **fields):
        image = nib.Nifti1Image(array, AFFINE)
        image.set_qform(AFFINE, codes[0])
        image.set_sform(AFFINE, codes[1])
        path = tmp_path / "scan.nii"
        nib.save(image, path)
        content = bytearray(path.read_bytes())
        dtype = nib.Nifti1Header.template_dtype
        for name, (index, value) in fields.items():
            kind, first = dtype.fields[name][:2]
            part = np.array(value, dtype=kind.base)
            first += index * part.itemsize
            content[first : first + part.itemsize] = part.tobytes()
        path.write_bytes(content)
        return path

    return save


@pytest.mark.parametrize(
    ("codes", "fields", "note"),
    [
        ((1, 1), {"srow_x": (0, np.nan)}, "sform of the header is invalid; the qform was taken"),
        ((1, 1), {"srow_y": (1, 0.0)}, "sform of the header is invalid; the qform was taken"),
        ((1, 1), {"srow_z": (2, np.inf)}, "sform of the header is invalid; the qform was taken"),
        ((1, 1), {"quatern_b": (0, 3.0)}, "qform of the header is invalid; the sform was taken"),
        ((1, 1), {"quatern_c": (0, np.nan)}, "qform of the header is invalid; the sform was taken"),
        ((1, 1), {"qoffset_x": (0, -90.5)}, "qform and sform differ by up to 181 mm"),
        ((1, 1), {"pixdim": (0, 1.0)}, "qform and sform differ by up to"),
        ((1, 0), {"pixdim": (1, -0.8)}, "negative voxel sizes"),
        ((0, 1), {"pixdim": (3, 1.0)}, "pixdim gives voxels of 0.8 x 0.9 x 1 mm, the sform of 0.8 x 0.9 x 2.5 mm"),
    ],
)
def test_what_contradicts_itself_is_told(change, codes, fields, note):
    volume = read_volume(change(codes, **fields))
    assert len(volume.notes) == 1
    assert note in volume.notes[0]
    np.testing.assert_allclose(volume.grid.world_from_voxel, AFFINE, atol=1e-5)
    assert np.array_equal(volume.array, ARRAY)


@pytest.mark.parametrize(
    ("codes", "fields", "message"),
    [
        ((0, 1), {"srow_x": (0, np.nan)}, "does not say where the voxels lie"),
        ((0, 1), {"srow_x": (0, 0.0)}, "does not say where the voxels lie"),
        ((1, 0), {"pixdim": (2, 0.0)}, "does not say where the voxels lie"),
        ((1, 0), {"pixdim": (2, np.nan)}, "does not say where the voxels lie"),
        ((1, 0), {"pixdim": (0, 2.0)}, "does not say where the voxels lie"),
        ((1, 0), {"quatern_d": (0, 9.0)}, "does not say where the voxels lie"),
        ((0, 0), {"pixdim": (3, 0.0)}, "no volume"),
        ((1, 1), {"dim": (3, 0)}, "empty"),
        ((1, 1), {"dim": (1, -6)}, "empty"),
        ((1, 1), {"dim": (0, 0)}, "0 axes"),
        ((1, 1), {"dim": (0, 8)}, "8 axes"),
        ((1, 1), {"dim": (0, 2)}, "it is damaged or cut off"),
        ((1, 1), {"dim": (1, 7)}, "promises 784 bytes of voxels, the file has 672"),
        ((1, 1), {"dim": (3, 7)}, "promises 588 bytes of voxels, the file has 672"),
        ((1, 1), {"datatype": (0, 2)}, "promises 336 bytes"),
        ((1, 1), {"datatype": (0, 1)}, "of a type that nobody can read"),
        ((1, 1), {"datatype": (0, 77)}, "no readable NIfTI"),
        ((1, 1), {"datatype": (0, 32)}, "complex numbers"),
        ((1, 1), {"vox_offset": (0, 353.0)}, "promises 672 bytes"),
        ((1, 1), {"vox_offset": (0, 352.5)}, "cannot begin at byte"),
        ((1, 1), {"vox_offset": (0, np.nan)}, "cannot begin at byte"),
        ((1, 1), {"vox_offset": (0, -1.0)}, "cannot begin at byte"),
        ((1, 1), {"sizeof_hdr": (0, 349)}, "does not begin with a header"),
        ((1, 1), {"magic": (0, b"n+9")}, "magic of NIfTI"),
        ((1, 1), {"magic": (0, b"ni1")}, "voxels are in another file"),
        ((1, 1), {"xyzt_units": (0, 3)}, "are its units"),
        ((1, 1), {"scl_inter": (0, np.nan)}, "intercept"),
        ((0, 1), {"srow_z": (2, 1e30)}, "expected 0.05 to 10000 mm"),
        ((0, 1), {"srow_y": (2, 99.0)}, "degrees off a right angle"),
    ],
)
def test_what_cannot_be_right_is_refused(change, codes, fields, message):
    with pytest.raises((DataError, InputError), match=message):
        read_volume(change(codes, **fields))


@pytest.mark.parametrize(
    ("codes", "fields"),
    [
        ((1, 1), {"dim": (0, 7)}),  # axes of one voxel, which were there all along
        ((1, 1), {"dim": (5, 9)}),  # behind dim[0]: means nothing
        ((1, 1), {"bitpix": (0, 8)}),  # the datatype says the same
        ((1, 1), {"pixdim": (4, -2.0)}),
        ((0, 1), {"pixdim": (0, 7.0)}),
        ((1, 1), {"intent_code": (0, 1002)}),
        ((1, 1), {"vox_offset": (0, 0.0)}),
        ((0, 1), {"qoffset_x": (0, np.nan)}),
        ((1, 0), {"srow_x": (0, np.nan)}),
    ],
)
def test_what_means_nothing_changes_nothing(change, codes, fields):
    volume = read_volume(change(codes, **fields))
    np.testing.assert_allclose(volume.grid.world_from_voxel, AFFINE, atol=1e-5)
    assert np.array_equal(volume.array, ARRAY)
    assert volume.notes == ()


def test_a_pixdim_0_of_zero_stands_for_one(change):
    right_handed = read_volume(change((1, 0), pixdim=(0, 0.0)))
    np.testing.assert_allclose(
        right_handed.grid.world_from_voxel, nib.load(change((1, 0), pixdim=(0, 1.0))).affine
    )


@pytest.mark.parametrize(
    ("slope", "intercept", "values"),
    [(2.0, 0.0, {0, 2, 4, 6}), (1.0, 3.0, {3, 4, 5, 6}), (-1.0, 3.0, {0, 1, 2, 3}), (0.0, 9.0, {0, 1, 2, 3})],
)
def test_slope_and_intercept_count_for_labels_too(change, slope, intercept, values):
    path = change(array=ARRAY % 4, scl_slope=(0, slope), scl_inter=(0, intercept))
    assert set(np.unique(read_label(path).array)) == values


@pytest.mark.parametrize(("slope", "message"), [(0.5, "no integers"), (-1.0, "between -3 and"), (1e30, "65535")])
def test_a_slope_that_leaves_no_labels_is_refused(change, slope, message):
    with pytest.raises(DataError, match=message):
        read_label(change(array=ARRAY % 4, scl_slope=(0, slope), scl_inter=(0, 0.0)))
