"""Contours of structure sets come onto the slices of their scan."""

import numpy as np
import pytest
from label_scenes import at_height, centroids_mm, circle, oblique_grid, write_rtstruct

from medsegan.errors import DataError, InputError, UsageError
from medsegan.geometry import reorientation_to
from medsegan.imaging import needs_scan, read_label

GRID = oblique_grid((40, 30, 8))


def disc(centre, radius):
    x, y = np.indices(GRID.shape[:2])
    return np.hypot(x - centre[0], y - centre[1]) < radius


def cylinder(centre, radius, heights):
    return [at_height(circle(centre, radius), height) for height in heights]


def read(tmp_path, regions, grid=GRID, only=None, **options):
    return read_label(write_rtstruct(tmp_path / "rs.dcm", GRID, regions, **options), on=grid, only=only)


def test_regions_on_an_oblique_series(tmp_path):
    label = read(
        tmp_path, {"Liver": cylinder((12, 11), 7.2, range(2, 6)), "Left  Kidney ": cylinder((28, 17), 4.4, [5, 6])}
    )
    assert dict(label.names) == {1: "liver", 2: "left_kidney"}
    expected = np.zeros(GRID.shape, dtype=np.uint8)
    expected[disc((12, 11), 7.2), 2:6] = 1
    expected[disc((28, 17), 4.4), 5:7] = 2
    assert np.array_equal(label.array, expected)
    assert label.notes == ()
    assert label.grid is GRID


@pytest.mark.parametrize("codes", ["RAS", "SPL", "ASR"])
def test_a_scan_in_another_order_of_axes(tmp_path, codes):
    turn = reorientation_to(GRID, codes)
    regions = {"liver": cylinder((12.2, 11.3), 7.2, range(2, 6))}
    straight = read(tmp_path, regions)
    turned = read(tmp_path, regions, turn.grid(GRID))
    assert np.array_equal(turned.array, turn.apply(straight.array))
    one, other = (centroids_mm(label.array, label.grid)[1] for label in (straight, turned))
    assert np.linalg.norm(one - other) < 1e-6


def test_holes(tmp_path):
    regions = {"bowel": [at_height(circle((15, 14), radius), 3) for radius in (10.2, 5.2)]}
    for geometry in ("CLOSED_PLANAR", "CLOSEDPLANAR_XOR"):
        label = read(tmp_path, regions, geometry=geometry)
        assert np.array_equal(label.array[..., 3] == 1, disc((15, 14), 10.2) & ~disc((15, 14), 5.2))


def test_a_contour_that_is_there_twice_does_not_cancel_itself(tmp_path):
    label = read(tmp_path, {"a": cylinder((15, 14), 6.2, [3, 3])})
    assert np.array_equal(label.array[..., 3] == 1, disc((15, 14), 6.2))
    assert "a: 1 exact copies of contours are left out" in label.notes


def test_contours_between_slices_count_for_the_nearest(tmp_path):
    # 2.3 and 2.7 lie beside slices 2 and 3; 3.4 is further from slice 3 than 2.7 and is dropped.
    sizes = {2.3: 5.2, 2.7: 6.2, 3.4: 7.2}
    label = read(tmp_path, {"a": [at_height(circle((15, 14), r), z) for z, r in sizes.items()]})
    assert np.array_equal(label.array[..., 2] == 1, disc((15, 14), 5.2))
    assert np.array_equal(label.array[..., 3] == 1, disc((15, 14), 6.2))
    assert not label.array[..., 4].any()
    assert any("0.30 slices off" in note for note in label.notes)
    assert any("1 planes of contours lie nearer" in note for note in label.notes)


def test_half_way_between_two_slices_only_one_is_taken(tmp_path):
    label = read(tmp_path, {"a": cylinder((15, 14), 5, [2.5])})
    assert label.array.any(axis=(0, 1)).sum() == 1


def test_gaps_are_said(tmp_path):
    label = read(tmp_path, {"a": cylinder((15, 14), 5, [1, 3, 5])})
    assert any("a: 2 slices between its contours have none" in note for note in label.notes)


def test_outside_of_the_field_of_view(tmp_path):
    label = read(tmp_path, {"a": [*cylinder((15, 14), 5, [-3, 2, 11]), at_height(circle((39, 14), 6), 4)]})
    assert np.array_equal(label.array[..., 4] == 1, disc((39, 14), 6))
    assert any("2 planes of contours lie outside" in note for note in label.notes)
    assert any("cut off" in note for note in label.notes)
    with pytest.raises(DataError, match="no contour lies on the scan"):
        read(tmp_path, {"a": cylinder((15, 14), 5, [-3, 11])})


def test_tilted_contours_are_refused(tmp_path):
    curve = at_height(circle((15, 14), 8), 3)
    curve[:, 2] += 0.05 * (curve[:, 0] - 15)
    with pytest.raises(DataError, match=r"rs.dcm: a: a contour is tilted .* 0.80 slices"):
        read(tmp_path, {"a": [curve]})


def test_the_outline_of_the_body_is_left_out_unless_it_is_asked_for(tmp_path):
    regions = {"BODY": cylinder((18, 14), 13, [3]), "liver": cylinder((15, 14), 5, [3]), "iso": [np.zeros((1, 3))]}
    kinds = {"BODY": "EXTERNAL", "iso": "ISOCENTER"}
    label = read(tmp_path, regions, kinds=kinds)
    assert dict(label.names) == {2: "liver"}
    assert label.notes == ("left out as no organs by their type: BODY, iso",)
    assert dict(read(tmp_path, regions, kinds=kinds, only=["body"]).names) == {1: "body"}
    with pytest.raises(DataError, match="overlap: body and liver"):
        read(tmp_path, regions, kinds=kinds, only=["body", "liver"])


def test_points_and_open_lines_are_no_labels(tmp_path):
    with pytest.raises(DataError, match="no region with closed contours"):
        read(tmp_path, {"a": cylinder((15, 14), 5, [3])}, geometry="OPEN_PLANAR")


def test_names_that_differ_by_case_alone_are_refused(tmp_path):
    with pytest.raises(DataError, match="both be the class 'liver'"):
        read(tmp_path, {"Liver": cylinder((15, 14), 5, [3]), "LIVER ": cylinder((30, 14), 5, [3])})


def test_contours_need_the_scan_and_a_whole_file(tmp_path):
    path = write_rtstruct(tmp_path / "rs.dcm", GRID, {"a": cylinder((15, 14), 5, [3])})
    assert needs_scan(path)
    with pytest.raises(UsageError, match="grid of their scan"):
        read_label(path)
    content = path.read_bytes()
    for part in (0.2, 0.6, 0.95):
        path.write_bytes(content[: int(len(content) * part)])
        with pytest.raises((InputError, DataError)):
            read_label(path, on=GRID)


def test_a_real_structure_set_of_the_outline_alone(real_scans):
    path = real_scans("awkward") / "pydicom" / "rtstruct.dcm"
    grid = oblique_grid((90, 70, 40), (0, 0, 0))
    with pytest.raises(DataError, match="patient, Isocenter 1, Isocenter 2"):
        read_label(path, on=grid)
