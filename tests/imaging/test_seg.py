"""DICOM segmentations of every kind come onto their scan, each organ at its place, or are refused."""

import highdicom as hd
import numpy as np
import pydicom
import pytest
from label_scenes import centroids_mm, oblique_grid, organs, write_scan, write_seg

from medsegan.errors import DataError, InputError
from medsegan.geometry import Grid, reorientation_to
from medsegan.imaging import align_label, read_label, read_volume

NAMES = ("Liver", "Left Kidney", "spleen")
CLASSES = {1: "liver", 2: "left_kidney", 3: "spleen"}


@pytest.fixture(scope="module")
def series(tmp_path_factory):
    return write_scan(tmp_path_factory.mktemp("scan") / "series", oblique_grid())


@pytest.fixture(scope="module")
def scan_grid(series):
    return read_volume(series).grid


def edited(path, change):
    dataset = pydicom.dcmread(path)
    change(dataset)
    dataset.save_as(path)
    return path


@pytest.mark.parametrize("kind", ["BINARY", "LABELMAP"])
@pytest.mark.parametrize("omit", [True, False])
def test_round_trip_on_an_oblique_series(series, scan_grid, tmp_path, kind, omit):
    path = write_seg(organs(), series, tmp_path / "seg.dcm", NAMES, kind, omit_empty_frames=omit)
    label = read_label(path, on=scan_grid)
    assert label.grid is scan_grid
    assert np.array_equal(label.array, organs())
    assert dict(label.names) == CLASSES
    assert label.notes == ()
    expected = centroids_mm(organs(), oblique_grid())
    for value, centre in centroids_mm(label.array, label.grid).items():
        assert np.linalg.norm(centre - expected[value]) < 0.01


def test_without_the_scan_it_is_the_box_of_its_frames(series, scan_grid, tmp_path):
    label = read_label(write_seg(organs(), series, tmp_path / "seg.dcm", NAMES))
    assert label.grid.shape == (26, 22, 6)
    for value, centre in centroids_mm(label.array, label.grid).items():
        assert np.linalg.norm(centre - centroids_mm(organs(), scan_grid)[value]) < 0.01


def test_gaps_between_frames_stay_empty(series, scan_grid, tmp_path):
    labels = organs()
    labels[..., 4:7] = 0
    for on in (None, scan_grid):
        label = read_label(write_seg(labels, series, tmp_path / "seg.dcm", NAMES), on=on)
        assert int(label.array.any(axis=(0, 1)).sum()) == int(labels.any(axis=(0, 1)).sum())
    assert np.array_equal(label.array, labels)


def test_frames_without_a_stated_step_take_that_of_the_scan_and_say_so(series, scan_grid, tmp_path):
    labels = organs()
    labels[..., [0, 1, 3, 4, 6]] = 0  # frames on slices 2, 5 and 7: no two are neighbours

    def forget(dataset):
        del dataset.SharedFunctionalGroupsSequence[0].PixelMeasuresSequence[0].SpacingBetweenSlices

    path = edited(write_seg(labels, series, tmp_path / "seg.dcm", NAMES), forget)
    label = read_label(path, on=scan_grid)
    assert np.array_equal(label.array, labels)
    assert any("no two frames" in note for note in label.notes)


@pytest.mark.parametrize(
    ("maximum", "fraction", "is_in"),
    [(255, 0.49, False), (255, 0.51, True), (200, 0.5, False), (200, 0.51, True), (1, 1.0, True)],
)
def test_fractions_count_from_more_than_half_of_their_maximum(
    series, scan_grid, tmp_path, maximum, fraction, is_in
):
    masks = (organs() == 1)[..., None] * np.float32(fraction)
    options = {"max_fractional_value": maximum, "fractional_type": "PROBABILITY"}
    label = read_label(
        write_seg(masks, series, tmp_path / "seg.dcm", NAMES[:1], "FRACTIONAL", **options), on=scan_grid
    )
    assert np.array_equal(label.array == 1, (organs() == 1) & is_in)


def test_overlap_is_refused_by_name_and_solved_by_choosing(series, scan_grid, tmp_path):
    masks = np.stack([organs() == value for value in (1, 2, 3)], axis=-1).astype(np.uint8)
    masks[4:6, 5:7, 2, 1] = 1
    path = write_seg(masks, series, tmp_path / "seg.dcm", NAMES)
    with pytest.raises(DataError, match=r"overlap: liver and left_kidney \(4 voxels\)"):
        read_label(path, on=scan_grid)
    label = read_label(path, on=scan_grid, only=["Left kidney", "spleen"])
    assert set(np.unique(label.array)) == {0, 2, 3}
    assert np.array_equal(label.array == 2, masks[..., 1])


def test_a_part_of_the_scan_is_placed_and_what_lies_beside_it_is_said(series, scan_grid, tmp_path):
    path = write_seg(organs(), series, tmp_path / "seg.dcm", NAMES)
    affine = np.array(scan_grid.world_from_voxel)
    affine[:3, 3] += affine[:3, :3] @ [5, 0, 3]
    part = Grid((21, 22, 4), affine)
    label = read_label(path, on=part)
    assert np.array_equal(label.array, organs()[5:, :, 3:7])
    lost = int((organs() > 0).sum() - (organs()[5:, :, 3:7] > 0).sum())
    assert label.notes == (
        f"{lost} of {(organs() > 0).sum()} labelled voxels lie outside of the scan and are left out",
    )


@pytest.mark.parametrize("codes", ["RAS", "SPL"])
def test_a_scan_in_another_order_of_axes(series, scan_grid, tmp_path, codes):
    turn = reorientation_to(scan_grid, codes)
    path = write_seg(organs(), series, tmp_path / "seg.dcm", NAMES)
    label = read_label(path, on=turn.grid(scan_grid))
    assert np.array_equal(label.array, turn.apply(organs()))


def test_beside_the_voxels_of_the_scan(series, scan_grid, tmp_path):
    path = write_seg(organs(), series, tmp_path / "seg.dcm", NAMES)
    affine = np.array(scan_grid.world_from_voxel)
    affine[:3, 3] += affine[:3, 0] * 0.3
    label = read_label(path, on=Grid(scan_grid.shape, affine))
    assert any("resampled" in note and "0.24 mm" in note for note in label.notes)
    for value, centre in centroids_mm(label.array, label.grid).items():
        assert np.linalg.norm(centre - centroids_mm(organs(), scan_grid)[value]) < 0.4
    affine[:3, 1] *= 1.1
    with pytest.raises(DataError, match=r"corners up to .* mm .*--resample-labels"):
        read_label(path, on=Grid(scan_grid.shape, affine))
    forced = read_label(path, on=Grid(scan_grid.shape, affine), resample=True)
    for value, centre in centroids_mm(forced.array, forced.grid).items():
        assert np.linalg.norm(centre - centroids_mm(organs(), scan_grid)[value]) < 0.55


def test_elsewhere_and_unlisted_segments_are_refused(series, scan_grid, tmp_path):
    path = write_seg(organs(), series, tmp_path / "seg.dcm", NAMES)
    affine = np.array(scan_grid.world_from_voxel)
    affine[:3, 3] += affine[:3, 2] * 40
    with pytest.raises(DataError, match="none of its 372 labelled voxels lies on the scan"):
        read_label(path, on=Grid(scan_grid.shape, affine))

    def forget(dataset):
        del dataset.SegmentSequence[2]

    with pytest.raises(DataError, match=r"frames show segments \[3\]"):
        read_label(edited(path, forget))


def test_frames_off_the_line_of_the_others_are_refused(series, tmp_path):
    def shear(dataset):
        for number, groups in enumerate(dataset.PerFrameFunctionalGroupsSequence):
            position = groups.PlanePositionSequence[0]
            position.ImagePositionPatient = [
                float(position.ImagePositionPatient[0]) + number,
                *list(position.ImagePositionPatient)[1:],
            ]

    path = edited(write_seg(organs(), series, tmp_path / "seg.dcm", NAMES), shear)
    with pytest.raises(DataError, match=r"off the line of the others|no regular grid"):
        read_label(path)


@pytest.mark.parametrize("part", ["whole", "sparse"])
def test_highdicom_agrees(series, tmp_path, part):
    labels = organs()
    if part == "sparse":
        labels[..., 3:5] = 0
    path = write_seg(labels, series, tmp_path / "seg.dcm", NAMES)
    theirs = hd.seg.segread(path).get_volume(combine_segments=True)
    ours = read_label(path)
    turn = np.diag([-1.0, -1, 1, 1]) @ theirs.affine  # of (slice, row, column)
    for value in np.unique(theirs.array[theirs.array > 0]):
        index = np.argwhere(theirs.array == value).mean(axis=0)
        expected = (turn @ [*index, 1])[:3]
        assert np.linalg.norm(centroids_mm(ours.array, ours.grid)[int(value)] - expected) < 0.01
        assert (ours.array == value).sum() == (theirs.array == value).sum()


def test_two_segments_of_one_name_are_refused(series, tmp_path):
    path = write_seg(organs(), series, tmp_path / "seg.dcm", ("liver", "Liver ", "spleen"))
    with pytest.raises(DataError, match="both be the class 'liver'"):
        read_label(path)


def test_what_is_no_segmentation_and_what_is_cut_off(series, tmp_path):
    with pytest.raises(DataError, match="holds no labels"):
        read_label(sorted(series.iterdir())[0])
    path = write_seg(organs(), series, tmp_path / "seg.dcm", NAMES)
    content = path.read_bytes()
    for part in (0.3, 0.9, 0.99):
        path.write_bytes(content[: int(len(content) * part)])
        with pytest.raises((InputError, DataError)):
            read_label(path)


@pytest.mark.parametrize("name", ["liver.dcm", "sparse-labelmap-ppv5.dcm", "sparse-labelmap-noppv.dcm"])
def test_real_segmentations_equal_their_references(real_scans, name):
    folder = real_scans("awkward") / "dcmqi_ct3slice_and_seg"
    scan = folder / ("ct-3slice" if name == "liver.dcm" else "24x38x3/image")
    reference = {"liver.dcm": "liver_seg", "sparse-labelmap-ppv5.dcm": "sparse_labelmap_ppv5_seg"}
    label = read_label(folder / name, on=read_volume(scan).grid)
    stored = read_label(folder / f"{reference.get(name, 'sparse_labelmap_noppv_seg')}.nrrd")
    aligned, _ = align_label(stored, label.grid)
    assert np.array_equal(label.array == 1, aligned.array == 1)
    assert dict(label.names) == {1: "liver"}


@pytest.mark.parametrize("size", ["23x38x3", "24x38x3"])
def test_real_frames_that_do_not_end_at_a_byte(real_scans, size):
    folder = real_scans("awkward") / "dcmqi_ct3slice_and_seg" / size
    label = read_label(folder / "seg" / "label.seg", on=read_volume(folder / "image").grid)
    assert np.array_equal(
        label.array, align_label(read_label(folder / "nrrd" / "label.nrrd"), label.grid)[0].array
    )


def test_real_overlap_is_refused_by_name(real_scans):
    path = real_scans("awkward") / "dcmqi_ct3slice_and_seg" / "partial_overlaps.dcm"
    with pytest.raises(DataError, match=r"green and orange \(3017 voxels\)"):
        read_label(path)
    assert read_label(path, only=["light_blue"]).array.any()
