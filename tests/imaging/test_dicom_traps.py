"""The twenty series that other readers get wrong: each must come out right or be refused."""

import random

import numpy as np
import pydicom
import pytest

from medsegan.errors import DataError
from medsegan.imaging import Volume, read_series, read_volume


def require_right(volume: Volume, slices, n_slices: int = 12, tolerance: float = 1.0) -> None:
    """Every voxel holds what its place demands, and the spacing and the number of slices are true."""
    assert volume.array.shape[2] == n_slices
    off, _ = slices.off(volume)
    assert off.max() <= tolerance
    assert volume.modality == "ct"


def test_t00_clean(slices, write_specs):
    volume = read_volume(write_specs(slices.stack()))
    require_right(volume, slices)
    assert volume.array.dtype == np.int16
    assert volume.array.shape == (32, 40, 12)
    assert volume.grid.spacing_mm == pytest.approx((0.9, 0.9, 2.5))
    assert volume.notes == ()


def test_t01_one_slice_missing_is_refused_with_the_gap(slices, write_specs):
    specs = slices.stack()
    del specs[5]
    with pytest.raises(DataError, match=r"5\.000 mm after position 10\.000.*missing"):
        read_series(write_specs(specs))


def test_t01_one_slice_missing_is_filled_if_asked(slices, write_specs):
    specs = slices.stack()
    del specs[5]
    volume = read_volume(write_specs(specs), fix_gaps=True)
    require_right(volume, slices)
    assert volume.array.dtype == np.int16
    assert "12 slices 2.500 mm apart, 1 of them interpolated" in volume.notes[0]


def test_t02_an_exact_copy_is_dropped_with_a_note(slices, write_specs):
    specs = slices.stack()
    volume = read_series(write_specs([*specs, specs[5]]))
    require_right(volume, slices)
    assert volume.notes == ("dropped 1 exact copies of slices",)


def test_t02_another_slice_at_one_position_is_refused(slices, write_specs):
    specs = slices.stack()
    double = slices.slice(specs[5].position, number=13, added_hu=40)
    with pytest.raises(DataError, match="2 different slices lie at one position"):
        read_series(write_specs([*specs, double]))


@pytest.mark.parametrize("matrix", [(64, 64), (40, 32)], ids=["T03", "T03b"])
@pytest.mark.parametrize("image_type", [["ORIGINAL", "PRIMARY", "LOCALIZER"], ["ORIGINAL", "PRIMARY", "AXIAL"]])
def test_t03_a_localiser_in_the_series_is_left_out(slices, write_specs, matrix, image_type):
    localiser = slices.slice(
        np.array([0.0, -30.0, 40.0]),
        along_row=(0.0, 1.0, 0.0),
        along_column=(0.0, 0.0, -1.0),
        matrix=matrix,
        pixel_spacing=(1.2, 1.2),
        number=99,
        tags={"ImageType": image_type},
    )
    volume = read_series(write_specs([*slices.stack(), localiser]))
    require_right(volume, slices)
    assert "localiser" in " ".join(volume.notes)


def test_t04_several_series_are_listed_and_can_be_asked_for(slices, write_specs):
    folder = write_specs(
        [
            *slices.stack(),
            *slices.stack(1, series_uid="1.2.3.5"),
            *slices.stack(19, 5.0, series_uid="1.2.3.6"),
        ]
    )
    with pytest.raises(DataError, match=r"19 slices.*1\.2\.3\.6(?s:.)*12 slices.*1\.2\.3\.4") as caught:
        read_series(folder)
    assert caught.value.exit_code == 4
    require_right(read_series(folder, "1.2.3.4"), slices)
    require_right(read_series(folder, "2"), slices)
    require_right(read_series(folder, "1.2.3.6"), slices, 19)
    with pytest.raises(DataError, match=r"has no series '7'"):
        read_series(folder, "7")


def test_t05_gantry_tilt_is_straightened_with_its_angle(slices, write_specs):
    angle = np.radians(15)
    specs = slices.stack(along_column=(0.0, float(np.cos(angle)), float(np.sin(angle))))
    volume = read_series(write_specs(specs))
    off, is_filled = slices.off(volume)
    # 12 slices, each 0.719 pixels further along the columns: 7.9 pixels in all
    assert volume.array.shape == (32, 47, 12)
    assert is_filled.mean() < 0.15
    assert off[~is_filled].max() <= 2.5  # two roundings and, at the edge, half a pixel of its continuation
    assert volume.grid.spacing_mm == pytest.approx((0.9, 0.9, 2.5 * np.cos(angle)))
    axes = volume.grid.world_from_voxel[:3, :3] / volume.grid.spacing_mm
    assert axes.T @ axes == pytest.approx(np.eye(3), abs=1e-9)
    assert "gantry tilt of 15.00 degrees" in volume.notes[0]


def test_t06_slope_per_slice(slices, write_specs):
    specs = slices.stack()
    for index, spec in enumerate(specs):
        spec.slope = 0.05 + 0.01 * index
    volume = read_series(write_specs(specs))
    require_right(volume, slices)
    assert volume.array.dtype == np.float32


def test_t07_instance_numbers_shuffled(slices, write_specs):
    specs = slices.stack()
    for spec, number in zip(specs, (7, 2, 11, 1, 5, 9, 12, 3, 10, 4, 8, 6), strict=True):
        spec.number = number
    require_right(read_series(write_specs(specs)), slices)


def test_t08_row_and_column_spacing_are_not_exchanged(slices, write_specs):
    volume = read_series(write_specs(slices.stack(pixel_spacing=(0.6, 1.1))))
    require_right(volume, slices)
    assert volume.grid.spacing_mm == pytest.approx((1.1, 0.6, 2.5))


def test_t09_columns_run_backwards(slices, write_specs):
    require_right(read_series(write_specs(slices.stack(along_column=(0.0, -1.0, 0.0)))), slices)


def test_t10_a_change_of_spacing_is_refused(slices, write_specs):
    heights = [0, 2.5, 5, 7.5, 10, 15, 20, 25, 30, 35]
    specs = [slices.slice(slices.origin + np.array([0, 0, height]), number=n) for n, height in enumerate(heights)]
    folder = write_specs(specs)
    with pytest.raises(DataError, match=r"not evenly spaced: gaps of 2\.500 mm, but 5\.000 mm after.*--fix-gaps"):
        read_series(folder)
    volume = read_series(folder, fix_gaps=True)
    require_right(volume, slices, 15)
    assert volume.grid.spacing_mm[2] == pytest.approx(2.5)
    assert "15 slices 2.500 mm apart, 5 of them interpolated" in volume.notes[0]


def test_t11_thickness_is_not_the_step(slices, write_specs):
    volume = read_series(write_specs(slices.stack(tags={"SliceThickness": 5.0, "SpacingBetweenSlices": 5.0})))
    require_right(volume, slices)
    assert volume.grid.spacing_mm[2] == pytest.approx(2.5)


def test_t12_signed_without_intercept(slices, write_specs):
    require_right(read_series(write_specs(slices.stack(signed=True, intercept=0.0))), slices)


def test_t13_run_length_compression(slices, write_specs):
    require_right(read_series(write_specs(slices.stack(rle=True))), slices)


def test_t14_two_phases_in_one_series(slices, write_specs):
    second = slices.stack(added_hu=100, tags={"AcquisitionNumber": 2})
    folder = write_specs([*slices.stack(), *second])
    with pytest.raises(DataError, match=r"AcquisitionNumber 1(?s:.)*AcquisitionNumber 2"):
        read_series(folder)
    require_right(read_series(folder, "1"), slices)
    assert read_series(folder, "2").array.max() == read_series(folder, "1").array.max() + 100


def test_t14_phases_are_listed_in_the_order_of_their_numbers(slices, write_specs):
    specs = [
        spec for phase in (10, 2, 1) for spec in slices.stack(added_hu=phase, tags={"AcquisitionNumber": phase})
    ]
    folder = write_specs(specs)
    with pytest.raises(DataError, match=r"Number 1 (?s:.)*Number 2 (?s:.)*Number 10 ") as caught:
        read_series(folder)
    assert caught.value.exit_code == 4
    assert [slices.off(read_series(folder, number))[0].max() for number in "123"] == [1, 2, 10]


def test_t14_a_phase_with_a_missing_slice_is_a_phase_all_the_same(slices, write_specs):
    second = slices.stack(added_hu=100, tags={"AcquisitionNumber": 2})
    del second[5]
    folder = write_specs([*slices.stack(), *second])
    require_right(read_series(folder, "1"), slices)
    with pytest.raises(DataError, match="missing"):
        read_series(folder, "2")


def test_t14_one_more_slice_at_a_position_is_no_phase(slices, write_specs):
    specs = slices.stack()
    double = slices.slice(specs[5].position, number=13, added_hu=40, tags={"AcquisitionNumber": 2})
    with pytest.raises(DataError, match="2 different slices lie at one position"):
        read_series(write_specs([*specs, double]))


@pytest.mark.parametrize("n_digits", [10, 22], ids=["T15", "T15b"])
def test_t15_oblique_also_with_numbers_longer_than_sixteen_characters(slices, write_specs, n_digits):
    angle = 0.35
    along_column = np.array([0.0, np.cos(angle), np.sin(angle)])
    normal = np.array([0.0, -np.sin(angle), np.cos(angle)])
    specs = slices.stack(along_column=tuple(along_column))
    with pydicom.config.disable_value_validation():
        for index, spec in enumerate(specs):
            spec.position = slices.origin + 2.5 * index * normal
            if n_digits > 16:
                numbers = [1.0, 0.0, 0.0, *along_column]
                spec.tags["ImageOrientationPatient"] = [f"{number:.20f}" for number in numbers]
                spec.tags["ImagePositionPatient"] = [f"{number:.18f}" for number in spec.position]
        folder = write_specs(specs)
    require_right(read_series(folder), slices)


def test_decimal_commas_are_read(slices, write_specs):
    specs = slices.stack()
    with pydicom.config.disable_value_validation():
        folder = write_specs(specs)
        for path in folder.iterdir():  # the same length, so that the bytes may be exchanged in place
            path.write_bytes(path.read_bytes().replace(b"0.9\\0.9 ", b"0,9\\0,9 "))
    volume = read_series(folder)
    require_right(volume, slices)
    assert volume.grid.spacing_mm == pytest.approx((0.9, 0.9, 2.5))


def test_t16_jitter_of_a_hundredth_millimetre_is_accepted(slices, write_specs):
    rng = random.Random(3)
    specs = slices.stack()
    for spec in specs:
        spec.position = spec.position + np.array([rng.uniform(-0.01, 0.01) for _ in range(3)])
    volume = read_series(write_specs(specs))
    require_right(volume, slices)
    assert volume.grid.spacing_mm[2] == pytest.approx(2.5, abs=0.003)


def test_t17_descending(slices, write_specs):
    require_right(read_series(write_specs(slices.stack()[::-1])), slices)


def test_inverted_grey_is_refused(slices, write_specs):
    with pytest.raises(DataError, match="MONOCHROME1"):
        read_series(write_specs(slices.stack(tags={"PhotometricInterpretation": "MONOCHROME1"})))


def test_a_slice_beside_the_line_of_the_others_is_refused(slices, write_specs):
    specs = slices.stack()
    specs[6].position = specs[6].position + np.array([3.0, 0.0, 0.0])
    with pytest.raises(DataError, match="beside the line"):
        read_series(write_specs(specs))


def test_a_slice_without_its_place_is_refused(slices, write_specs):
    with pytest.raises(DataError, match="ImagePositionPatient has 0 numbers"):
        read_series(write_specs(slices.stack(tags={"ImagePositionPatient": None})))


def test_one_slice_stands_for_its_series(slices, write_specs):
    folder = write_specs(slices.stack())
    require_right(read_volume(folder / "IM0003.dcm"), slices)


def test_a_slice_alone_takes_its_thickness_and_says_so(slices, write_specs):
    volume = read_series(write_specs(slices.stack(1)))
    assert volume.grid.spacing_mm[2] == pytest.approx(2.5)
    assert "SliceThickness" in volume.notes[0]


def test_other_files_are_left_out_with_a_note(slices, write_specs):
    folder = write_specs(slices.stack())
    (folder / "readme.txt").write_text("hello")
    (folder / "._IM0001.dcm").write_bytes(b"\0" * 200)
    volume = read_series(folder)
    require_right(volume, slices)
    assert volume.notes == ("left out 1 files that are not DICOM",)
