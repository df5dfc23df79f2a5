"""NRRD and MetaImage of every kind: SimpleITK agrees where it can be right, and every trap has its rule."""

import bz2
import gzip
import zlib

import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813 (the name everybody knows it by)
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from medsegan.errors import DataError, InputError
from medsegan.imaging import read_volume

ARRAY = np.arange(4 * 5 * 6, dtype=np.int16).reshape(4, 5, 6)
NRRD_TYPES = {
    "int8": "signed char",
    "u1": "uchar",
    "i2": "short",
    "u2": "ushort",
    "i4": "int",
    "f4": "float",
    "f8": "double",
}
META_TYPES = {
    "int8": "CHAR",
    "u1": "UCHAR",
    "i2": "SHORT",
    "u2": "USHORT",
    "i4": "INT",
    "f4": "FLOAT",
    "f8": "DOUBLE",
}
SIGNS = {"left-posterior-superior": (-1, -1, 1), "RAS": (1, 1, 1), "left-anterior-superior": (-1, 1, 1)}
PACK = {"raw": bytes, "gzip": gzip.compress, "bzip2": bz2.compress, "hex": lambda content: content.hex().encode()}


@st.composite
def places(draw):
    turn = Rotation.from_euler("xyz", draw(st.tuples(*[st.floats(-180, 180)] * 3)), degrees=True).as_matrix()
    turn = turn * [1, 1, draw(st.sampled_from([1, -1]))]
    return turn, draw(st.tuples(*[st.floats(0.2, 8)] * 3)), draw(st.tuples(*[st.floats(-900, 900)] * 3))


def vector(numbers):
    return "(" + ",".join(f"{number:.12g}" for number in numbers) + ")"


def write_nrrd(
    path, array, place, space="left-posterior-superior", encoding="raw", order="<", detached=False, more=""
):
    turn, spacing, origin = place
    directions = " ".join(vector(column) for column in (turn * spacing).T)
    kind = NRRD_TYPES.get(array.dtype.str[1:], NRRD_TYPES.get(array.dtype.name))
    header = (
        f"NRRD0004\ntype: {kind}\ndimension: 3\nspace: {space}\nsizes: {' '.join(map(str, array.shape))}\n"
        f"space directions: {directions}\nkinds: domain domain domain\n"
        f"endian: {'big' if order == '>' else 'little'}\n"
        f"encoding: {encoding}\nspace origin: {vector(origin)}\n{more}"
    )
    content = PACK[encoding](array.astype(array.dtype.newbyteorder(order)).tobytes(order="F"))
    if detached:
        path.with_suffix(".bin").write_bytes(content)
        path.write_text(f"{header}data file: {path.stem}.bin\n")
    else:
        path.write_bytes(header.encode() + b"\n" + content)
    return path


def write_meta(path, array, place, packed=False, order="<", **fields):
    turn, spacing, origin = place
    content = array.astype(array.dtype.newbyteorder(order)).tobytes(order="F")
    content = zlib.compress(content) if packed else content
    kind = META_TYPES.get(array.dtype.str[1:], META_TYPES.get(array.dtype.name))
    lines = {
        "ObjectType": "Image",
        "NDims": 3,
        "BinaryData": True,
        "BinaryDataByteOrderMSB": order == ">",
        "CompressedData": packed,
        **({"CompressedDataSize": len(content)} if packed else {}),
        "TransformMatrix": " ".join(f"{number:.12g}" for number in turn.T.ravel()),
        "Offset": " ".join(f"{number:.12g}" for number in origin),
        "ElementSpacing": " ".join(f"{number:.12g}" for number in spacing),
        "DimSize": " ".join(map(str, array.shape)),
        "ElementType": f"MET_{kind}",
        **fields,
        "ElementDataFile": "LOCAL" if path.suffix == ".mha" else f"{path.stem}.raw",
    }
    header = "".join(f"{name} = {value}\n" for name, value in lines.items() if value is not None).encode()
    if path.suffix == ".mha":
        path.write_bytes(header + content)
    else:
        path.write_bytes(header)
        path.with_suffix(".raw").write_bytes(content)
    return path


def require_as_simpleitk(path, array):
    image = sitk.ReadImage(str(path))
    volume = read_volume(path)
    assert volume.notes == ()
    np.testing.assert_allclose(volume.array, array, rtol=1e-6)
    np.testing.assert_allclose(volume.array, sitk.GetArrayFromImage(image).T, rtol=1e-6)
    for index in ((0, 0, 0), (3, 0, 0), (0, 4, 0), (0, 0, 5)):
        ours = (volume.grid.world_from_voxel @ [*index, 1])[:3] * [-1, -1, 1]
        np.testing.assert_allclose(ours, image.TransformIndexToPhysicalPoint(index), atol=1e-6)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    place=places(),
    dtype=st.sampled_from(list(NRRD_TYPES)),
    space=st.sampled_from(list(SIGNS)),
    encoding=st.sampled_from(["raw", "gzip", "hex"]),
    order=st.sampled_from("<>"),
    detached=st.booleans(),
)
def test_nrrd(tmp_path, place, dtype, space, encoding, order, detached):
    path = tmp_path / ("a.nhdr" if detached else "a.nrrd")
    array = ARRAY.astype(dtype)
    write_nrrd(path, array, place, space, encoding, order, detached)
    require_as_simpleitk(path, array)
    world = SIGNS[space] * np.array(place[2])
    np.testing.assert_allclose(read_volume(path).grid.world_from_voxel[:3, 3], world, atol=1e-6)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    place=places(),
    dtype=st.sampled_from(list(META_TYPES)),
    packed=st.booleans(),
    order=st.sampled_from("<>"),
    suffix=st.sampled_from([".mha", ".mhd"]),
)
def test_metaimage(tmp_path, place, dtype, packed, order, suffix):
    path = tmp_path / f"a{suffix}"
    array = ARRAY.astype(dtype)
    write_meta(path, array, place, packed, order)
    require_as_simpleitk(path, array)


STRAIGHT = (np.eye(3), (0.8, 0.9, 2.5), (1.0, 2.0, 3.0))


def test_bzip2_is_read_although_simpleitk_cannot(tmp_path):
    path = write_nrrd(tmp_path / "a.nrrd", ARRAY, STRAIGHT, encoding="bzip2")
    assert np.array_equal(read_volume(path).array, ARRAY)
    path.write_bytes(path.read_bytes()[:-3])
    with pytest.raises(InputError, match="cut off"):
        read_volume(path)


@pytest.mark.parametrize(
    ("old", "new", "note"),
    [
        ("space: left-posterior-superior\n", "", "no space field"),
        (
            "space: left-posterior-superior",
            "space: scanner-xyz",
            "'scanner-xyz' does not say how the patient lies",
        ),
        ("space origin: (1,2,3)\n", "", "where its first voxel lies"),
    ],
)
def test_what_a_nrrd_leaves_out_is_told(tmp_path, old, new, note):
    path = write_nrrd(tmp_path / "a.nrrd", ARRAY, STRAIGHT)
    content = path.read_bytes()
    assert old.encode() in content
    if "space:" in old and not new:
        content = content.replace(b"space directions: (0.8,0,0) (0,0.9,0) (0,0,2.5)", b"spacings: 0.8 0.9 2.5")
        content = content.replace(b"space origin: (1,2,3)\n", b"")
    path.write_bytes(content.replace(old.encode(), new.encode()))
    volume = read_volume(path)
    assert any(note in said for said in volume.notes)
    assert volume.grid.spacing_mm == pytest.approx((0.8, 0.9, 2.5))


@pytest.mark.parametrize("field", ["TransformMatrix", "Offset", "ElementSpacing"])
def test_what_a_metaimage_leaves_out_is_told(tmp_path, field):
    assert len(read_volume(write_meta(tmp_path / "a.mha", ARRAY, STRAIGHT, **{field: None})).notes) == 1


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("ElementSpacing", "0 0.9 2.5", "cannot be"),
        ("ElementSpacing", "-0.8 0.9 2.5", "cannot be"),
        ("ElementSpacing", "0.8 0.9", "cannot be"),
        ("ElementSpacing", "0.8 0.9 nan", "no finite numbers"),
        ("Offset", "1 2 3 4", "cannot be"),
        ("Offset", "1 2 x", "no numbers"),
        ("TransformMatrix", "1 0 0 0 1 0 0 0 3", "cannot be"),
        ("TransformMatrix", "1 0 0 0 1 0 0 0", "cannot be"),
        ("DistanceUnits", "cm", "in cm .* expected mm"),
        ("ElementToIntensityFunctionSlope", "0", "is 0, which cannot be"),
        ("ElementToIntensityFunctionSlope", "two", "expected a number"),
        ("ElementToIntensityFunctionOffset", "nan", "expected a number"),
        ("DimSize", "4 5 7", "promises 280 bytes of voxels, it has 240"),
        ("DimSize", "40000 50000 60000", "promises 240000000000000 bytes"),
        ("ElementNumberOfChannels", "2", "every voxel has 2 values"),
        ("ElementType", "MET_UCHAR", "promises 120 bytes"),
    ],
)
def test_a_metaimage_that_cannot_be_right_is_refused(tmp_path, field, value, message):
    with pytest.raises((DataError, InputError), match=message):
        read_volume(write_meta(tmp_path / "a.mha", ARRAY, STRAIGHT, **{field: value}))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("sizes: 4 5 6", "sizes: 4 5 7", "promises 280 bytes"),
        ("sizes: 4 5 6", "sizes: 40000 50000 60000", "promises 240000000000000 bytes"),
        ("(0,0.9,0)", "(0,nan,0)", "no numbers"),
        ("(0,0.9,0)", "(0,0,0)", "."),
        ("(1,2,3)", "(1,2,inf)", "no numbers"),
        ("type: short", "type: uchar", "promises 120 bytes"),
        ("encoding: raw", 'space units: "m" "m" "m"\nencoding: raw', "expected mm"),
        ("encoding: raw", "encoding: gzip", "."),
    ],
)
def test_a_nrrd_that_cannot_be_right_is_refused(tmp_path, old, new, message):
    path = write_nrrd(tmp_path / "a.nrrd", ARRAY, STRAIGHT)
    content = path.read_bytes()
    assert old.encode() in content
    path.write_bytes(content.replace(old.encode(), new.encode()))
    with pytest.raises((DataError, InputError), match=message):
        read_volume(path)


@pytest.mark.parametrize(("slope", "offset"), [(2.5, 0.0), (1.0, -1024.0), (None, -1024.0), (0.5, 3.0)])
@pytest.mark.parametrize("packed", [False, True])
def test_the_function_of_a_metaimage_is_applied_and_told(tmp_path, slope, offset, packed):
    """ITK reads the stored numbers, so that a CT comes out beside its Hounsfield units without a word."""
    fields = {"ElementToIntensityFunctionSlope": slope, "ElementToIntensityFunctionOffset": offset}
    path = write_meta(tmp_path / "a.mha", ARRAY, STRAIGHT, packed, **fields)
    assert np.array_equal(sitk.GetArrayFromImage(sitk.ReadImage(str(path))).T, ARRAY)
    volume = read_volume(path)
    np.testing.assert_allclose(volume.array, ARRAY * (1 if slope is None else slope) + offset)
    assert len(volume.notes) == 1
    assert "ElementToIntensityFunctionSlope" in volume.notes[0]


def test_a_metaimage_that_says_its_values_are_what_they_are_needs_no_note(tmp_path):
    fields = {"ElementToIntensityFunctionSlope": 1, "ElementToIntensityFunctionOffset": 0, "DistanceUnits": "mm"}
    volume = read_volume(write_meta(tmp_path / "a.mha", ARRAY, STRAIGHT, **fields))
    assert volume.notes == ()
    assert volume.array.dtype == np.int16


def test_a_quantised_nrrd_is_told(tmp_path):
    path = write_nrrd(tmp_path / "a.nrrd", ARRAY, STRAIGHT, more="old min: -1000\noldmax: 3000\n")
    volume = read_volume(path)
    assert np.array_equal(volume.array, ARRAY)
    assert any("-1000 to 3000" in note for note in volume.notes)
    path = write_nrrd(tmp_path / "b.nrrd", ARRAY, STRAIGHT, more='min: 0\nmax: 9\nsample units: "HU"\n')
    assert read_volume(path).notes == ()


def test_an_axis_of_one_value_beside_those_of_space_is_dropped(tmp_path):
    header = (
        "NRRD0004\ntype: short\ndimension: 4\nspace: RAS\nsizes: {}\nspace directions: {}\nkinds: {}\n"
        "endian: little\nencoding: raw\nspace origin: (1,2,3)\n\n"
    )
    directions = "(0.8,0,0) (0,0.9,0) (0,0,2.5)"
    for sizes, along, kinds in (
        ("4 5 6 1", f"{directions} none", "domain domain domain list"),
        ("1 4 5 6", f"none {directions}", "list domain domain domain"),
    ):
        path = tmp_path / "a.nrrd"
        path.write_bytes(header.format(sizes, along, kinds).encode() + ARRAY.tobytes(order="F"))
        volume = read_volume(path)
        assert np.array_equal(volume.array, ARRAY)
        np.testing.assert_allclose(volume.grid.world_from_voxel[:3, 3], [1, 2, 3])
