"""Segmentations that we write lie where the labels lie, for highdicom, pydicom and ourselves."""

import shutil

import highdicom as hd
import numpy as np
import pydicom
import pytest
from enhanced_scan import write_enhanced
from world_labels import (
    LPS,
    NAMES,
    ORIENTATIONS,
    SEGMENTS,
    WorldLabels,
    frames_of_seg,
    label_of,
    require_true_to_place,
    turned,
)

from medsegan.errors import DataError
from medsegan.geometry import Grid
from medsegan.imaging import LabelVolume, read_label, read_volume, write_dicom_label, write_label


@pytest.fixture
def axial(slices, write_specs):
    return write_specs(turned(slices, "axial"))


@pytest.mark.parametrize(
    ("name", "codes"), [*zip(ORIENTATIONS, [None, "RAS", "SPL", "IAR"] * 2, strict=True), ("oblique", None)]
)
def test_every_orientation_of_series_and_labels(slices, write_specs, tmp_path, name, codes):
    series = write_specs(turned(slices, name, pixel_spacing=(0.6, 1.1)))
    label = label_of(series, codes)
    notes = write_dicom_label(label, tmp_path / "s.dcm", source=series)
    assert notes == (
        "segments are numbered from 1: 1 is now 1, 4 is now 2, 7 is now 3",
        "classes without a known SNOMED CT code are coded as tissue (85756007): thing",
    )
    world_labels = WorldLabels(read_volume(series).grid)
    require_true_to_place(tmp_path / "s.dcm", world_labels, SEGMENTS)
    back = read_label(tmp_path / "s.dcm", on=world_labels.grid)
    assert dict(back.names) == {1: "liver", 2: "left_kidney", 3: "thing"}
    for value, number in SEGMENTS.items():
        assert np.array_equal(back.array == number, world_labels.array == value)


@pytest.mark.parametrize("form", ["seg", "labelmap"])
@pytest.mark.parametrize("name", ["axial", "oblique", "sagittal"])
def test_highdicom_agrees(slices, write_specs, tmp_path, form, name):
    series = write_specs(turned(slices, name))
    write_dicom_label(label_of(series), tmp_path / "s.dcm", source=series, form=form)
    theirs = hd.seg.segread(tmp_path / "s.dcm").get_volume(combine_segments=True)
    indices = np.stack([*np.indices(theirs.array.shape), np.ones(theirs.array.shape)], axis=-1)
    expected = WorldLabels(read_volume(series).grid).of((indices @ theirs.affine.T)[..., :3])
    for value, number in SEGMENTS.items():
        assert np.array_equal(theirs.array == (number if form == "seg" else value), expected == value)


def test_a_label_map_keeps_the_values(axial, tmp_path):
    write_dicom_label(label_of(axial), tmp_path / "s.dcm", source=axial, form="labelmap")
    world_labels = WorldLabels(read_volume(axial).grid)
    require_true_to_place(tmp_path / "s.dcm", world_labels, {1: 1, 4: 4, 7: 7})
    assert np.array_equal(read_label(tmp_path / "s.dcm", on=world_labels.grid).array, world_labels.array)
    assert pydicom.dcmread(tmp_path / "s.dcm").SegmentationType == "LABELMAP"


@pytest.mark.parametrize("order", ["rising", "falling"])
def test_frames_of_an_enhanced_image(slices, tmp_path, order):
    specs = slices.stack(pixel_spacing=(0.6, 1.1))
    if order == "falling":
        specs.reverse()
    scan = write_enhanced(specs, tmp_path / "in" / "one.dcm")
    write_dicom_label(label_of(scan), tmp_path / "s.dcm", source=scan)
    require_true_to_place(tmp_path / "s.dcm", WorldLabels(read_volume(scan).grid), SEGMENTS)
    require_references(tmp_path / "s.dcm", scan.parent, n_images=1)
    assert hd.seg.segread(tmp_path / "s.dcm").number_of_segments == 3


def test_one_phase_of_an_enhanced_image(slices, tmp_path):
    phases = [slices.stack(tags={"TemporalPositionIndex": number}) for number in (1, 2)]
    scan = write_enhanced([*phases[0], *phases[1]], tmp_path / "in" / "one.dcm")
    label = label_of(scan, series="2")
    with pytest.raises(DataError, match="holds several volumes"):
        write_dicom_label(label, tmp_path / "s.dcm", source=scan)
    write_dicom_label(label, tmp_path / "s.dcm", source=scan, series="2")
    frames = [
        image.ReferencedFrameNumber
        for groups in pydicom.dcmread(tmp_path / "s.dcm").PerFrameFunctionalGroupsSequence
        for image in groups.DerivationImageSequence[0].SourceImageSequence
    ]
    assert min(frames) > 12
    require_references(tmp_path / "s.dcm", scan.parent, n_images=1)


def require_references(path, folder, n_images):
    """Every frame refers to the image, or the frame of it, that lies in its plane."""
    images = {}
    for file in folder.rglob("*"):
        dataset = pydicom.dcmread(file)
        images[dataset.SOPInstanceUID] = dataset
    dataset = pydicom.dcmread(path)
    assert len(dataset.SourceImageSequence) == n_images
    listed = {
        one.ReferencedSOPInstanceUID for one in dataset.ReferencedSeriesSequence[0].ReferencedInstanceSequence
    }
    assert listed == {one.ReferencedSOPInstanceUID for one in dataset.SourceImageSequence}
    assert dataset.ReferencedSeriesSequence[0].SeriesInstanceUID == images[next(iter(listed))].SeriesInstanceUID
    for groups in dataset.PerFrameFunctionalGroupsSequence:
        (image,) = groups.DerivationImageSequence[0].SourceImageSequence
        source = images[image.ReferencedSOPInstanceUID]
        assert image.ReferencedSOPClassUID == source.SOPClassUID
        if "ReferencedFrameNumber" in image:
            own = source.PerFrameFunctionalGroupsSequence[image.ReferencedFrameNumber - 1]
            position = own.PlanePositionSequence[0].ImagePositionPatient
        else:
            position = source.ImagePositionPatient
        assert list(position) == pytest.approx(list(groups.PlanePositionSequence[0].ImagePositionPatient))


def test_what_the_object_says(axial, tmp_path):
    write_dicom_label(label_of(axial), tmp_path / "s.dcm", source=axial, algorithm="my net 2.1")
    source, seg = pydicom.dcmread(next(axial.iterdir())), pydicom.dcmread(tmp_path / "s.dcm")
    for keyword in (
        "StudyInstanceUID",
        "FrameOfReferenceUID",
        "PatientID",
        "PatientName",
        "PatientSex",
        "StudyDate",
    ):
        assert seg[keyword].value == source[keyword].value, keyword
    assert seg.SeriesInstanceUID != source.SeriesInstanceUID
    assert seg.SeriesNumber == 1002
    assert (seg.Modality, seg.SegmentationType, seg.ContentLabel) == ("SEG", "BINARY", "SEGMENTATION")
    require_references(tmp_path / "s.dcm", axial, n_images=12)
    liver, kidney, thing = seg.SegmentSequence
    assert [one.SegmentLabel for one in seg.SegmentSequence] == ["Liver", "left kidney", "thing"]
    assert liver.SegmentedPropertyCategoryCodeSequence[0].CodeValue == "91723000"
    assert liver.SegmentedPropertyTypeCodeSequence[0].CodeValue == "10200004"
    assert kidney.SegmentedPropertyTypeCodeSequence[0].CodeValue == "64033007"
    modifier = kidney.SegmentedPropertyTypeCodeSequence[0].SegmentedPropertyTypeModifierCodeSequence[0]
    assert (modifier.CodeValue, modifier.CodingSchemeDesignator) == ("7771000", "SCT")
    assert thing.SegmentedPropertyTypeCodeSequence[0].CodeValue == "85756007"
    for segment in seg.SegmentSequence:
        assert segment.SegmentAlgorithmType == "AUTOMATIC"
        identification = segment.SegmentationAlgorithmIdentificationSequence[0]
        assert (identification.AlgorithmName, identification.AlgorithmVersion) == ("my net", "2.1")
        assert len(segment.RecommendedDisplayCIELabValue) == 3
    n_planes = sum(int((label_of(axial).array == value).any(axis=(0, 1)).sum()) for value in NAMES)
    assert seg.NumberOfFrames == n_planes


def test_a_single_slice(slices, write_specs, tmp_path):
    specs = slices.stack()[6:7]
    series = write_specs(specs)
    label = label_of(series)
    thin = np.array(label.grid.world_from_voxel)
    thin[:3, 2] *= 0.4
    for grid in (label.grid, Grid(label.grid.shape, thin)):
        write_dicom_label(LabelVolume(label.array, grid), tmp_path / "s.dcm", source=series)
        assert np.array_equal(read_label(tmp_path / "s.dcm", on=label.grid).array > 0, label.array > 0)


@pytest.mark.parametrize("form", ["seg", "labelmap", "rtstruct"])
def test_real_series(real_scans, tmp_path, form):
    folder = real_scans("awkward") / "dcmqi_ct3slice_and_seg"
    series = folder / "ct-3slice"
    label = read_label(folder / "liver_seg.nrrd")
    names = {1: "liver"}
    write_dicom_label(
        LabelVolume(label.array, label.grid, names=names), tmp_path / "s.dcm", source=series, form=form
    )
    theirs = read_label(folder / "liver.dcm", on=read_volume(series).grid)
    ours = read_label(tmp_path / "s.dcm", on=theirs.grid)
    assert np.array_equal(ours.array, theirs.array)
    assert dict(ours.names) == names


def test_real_frames_that_do_not_end_at_a_byte(real_scans, tmp_path):
    for size in ("23x38x3", "24x38x3"):
        folder = real_scans("awkward") / "dcmqi_ct3slice_and_seg" / size
        for image in (folder / "image", folder / "multiframe"):
            label = read_label(folder / "nrrd" / "label.nrrd")
            write_dicom_label(label, tmp_path / "s.dcm", source=image)
            back = read_label(tmp_path / "s.dcm", on=label.grid)
            assert np.array_equal(back.array > 0, label.array > 0)


def test_real_files_of_one_slice(real_scans, tmp_path):
    files = [path for path in sorted((real_scans("awkward") / "wado_ct_16_syntaxes").rglob("*")) if path.is_file()]
    (tmp_path / "one").mkdir()
    shutil.copy(files[0], tmp_path / "one" / "slice.dcm")
    grid = read_volume(tmp_path / "one").grid
    array = np.zeros(grid.shape, np.uint8)
    array[100:140, 200:260] = 3
    write_dicom_label(LabelVolume(array, grid), tmp_path / "s.dcm", source=tmp_path / "one")
    (frame,) = frames_of_seg(tmp_path / "s.dcm")
    centre = frame[2][frame[1] > 0].mean(axis=0) * LPS
    assert np.allclose(centre, (grid.world_from_voxel @ [119.5, 229.5, 0, 1])[:3], atol=1e-3)


def moved(label, voxels):
    affine = np.array(label.grid.world_from_voxel)
    affine[:3, 3] += affine[:3, 0] * voxels
    return LabelVolume(label.array, Grid(label.grid.shape, affine), names=label.names)


def test_a_hundredth_of_a_voxel_is_the_limit(axial, tmp_path):
    label = label_of(axial)
    write_dicom_label(moved(label, 0.009), tmp_path / "s.dcm", source=axial)
    require_true_to_place(tmp_path / "s.dcm", WorldLabels(label.grid), SEGMENTS)
    (tmp_path / "s.dcm").unlink()
    with pytest.raises(DataError, match=r"corners of the grids lie 0\.045 mm \(0\.05 voxels\) apart"):
        write_dicom_label(moved(label, 0.05), tmp_path / "s.dcm", source=axial)
    with pytest.raises(DataError, match="beside the slices of the series"):
        write_dicom_label(moved(label, 20), tmp_path / "s.dcm", source=axial)
    coarse = Grid((16, 20, 12), label.grid.world_from_voxel @ np.diag([2, 2, 1, 1]))
    with pytest.raises(DataError, match="do not lie on the voxels"):
        write_dicom_label(LabelVolume(label.array[::2, ::2], coarse), tmp_path / "s.dcm", source=axial)
    assert not (tmp_path / "s.dcm").exists()


def test_a_part_of_the_series_and_what_nifti_rounds(axial, tmp_path):
    label = label_of(axial)
    affine = np.array(label.grid.world_from_voxel)
    affine[:3, 3] += affine[:3, :3] @ [2, 3, 1]
    part = LabelVolume(label.array[2:-2, 3:-2, 1:-1], Grid((28, 35, 10), affine), names=NAMES)
    assert (part.array > 0).sum() == (label.array > 0).sum()
    write_dicom_label(part, tmp_path / "s.dcm", source=axial)
    require_true_to_place(tmp_path / "s.dcm", WorldLabels(label.grid), SEGMENTS)
    write_label(label, tmp_path / "l.nii.gz")
    write_dicom_label(read_label(tmp_path / "l.nii.gz"), tmp_path / "s.dcm", source=axial)
    require_true_to_place(tmp_path / "s.dcm", WorldLabels(label.grid), SEGMENTS)


@pytest.mark.parametrize("form", ["seg", "labelmap"])
@pytest.mark.parametrize("degrees", [0.3, 15, -20])
def test_a_tilted_series_gets_its_own_slices_back(slices, write_specs, tmp_path, form, degrees):
    tilt = np.radians(degrees)
    series = write_specs(slices.stack(along_column=(0.0, float(np.cos(tilt)), float(np.sin(tilt)))))
    label = label_of(series)
    notes = write_dicom_label(label, tmp_path / "s.dcm", source=series, form=form)
    assert any("moved by up to 0." in note for note in notes) == (abs(degrees) > 0.5)
    world_labels = WorldLabels(label.grid)
    normal = np.cross([1, 0, 0], [0, np.cos(tilt), np.sin(tilt)])
    numbers = SEGMENTS if form == "seg" else {value: value for value in SEGMENTS}
    found = dict.fromkeys(numbers, 0)
    for number, pixels, world in frames_of_seg(tmp_path / "s.dcm"):
        for value, own in numbers.items():
            if number in (0, own):
                centres = world[pixels != 0 if number else pixels == own]
                found[value] += len(centres)
                if not len(centres):
                    continue
                # Each is right for a place in its own plane at most half a pixel further along a column.
                shifts = [np.cross(normal, [1, 0, 0]) * 0.9 * part for part in np.linspace(-0.51, 0.51, 41)]
                fits = [(world_labels.of(centres + shift) == value).mean() for shift in shifts]
                assert max(fits) == 1
    assert found == {value: int((label.array == value).sum()) for value in numbers}
    require_references(tmp_path / "s.dcm", series, n_images=12)
    if abs(degrees) > 0.5:
        back = read_label(tmp_path / "s.dcm", on=label.grid)
        assert any("straightened as their scan is" in note for note in back.notes)
        between = np.array(label.grid.world_from_voxel)
        between[:3, 3] += between[:3, 2] * 0.55
        with pytest.raises(DataError, match="--resample-labels"):
            read_label(tmp_path / "s.dcm", on=Grid(label.grid.shape, between))
        for value, number in numbers.items():
            one, other = (
                np.argwhere(array).mean(axis=0) for array in (label.array == value, back.array == number)
            )
            assert np.linalg.norm((one - other) * label.grid.spacing_mm) < 0.5
    else:
        assert np.array_equal(read_label(tmp_path / "s.dcm", on=label.grid).array > 0, label.array > 0)


def test_a_series_with_gaps_gets_its_own_slices_back(slices, write_specs, tmp_path):
    specs = slices.stack()
    del specs[5]
    series = write_specs(specs)
    label = label_of(series, fix_gaps=True)
    notes = write_dicom_label(label, tmp_path / "s.dcm", source=series)
    lost = int((label.array[:, :, 5] > 0).sum())
    assert lost > 0
    assert any(f"{lost} of {(label.array > 0).sum()} labelled voxels lie where no slice" in note for note in notes)
    back = read_label(tmp_path / "s.dcm", on=label.grid)
    expected = label.array.copy()
    expected[:, :, 5] = 0
    assert np.array_equal(back.array > 0, expected > 0)
    require_references(tmp_path / "s.dcm", series, n_images=11)


def test_slices_between_those_of_the_even_grid_are_refused(slices, write_specs, tmp_path):
    specs = slices.stack()
    for spec in specs[8:]:
        spec.position = spec.position + np.array([0, 0, 1.0])
    series = write_specs(specs)
    label = label_of(series, fix_gaps=True)
    with pytest.raises(DataError, match=r"slices off the even grid.*rtstruct"):
        write_dicom_label(label, tmp_path / "s.dcm", source=series)
    write_dicom_label(label, tmp_path / "s.dcm", source=series, form="rtstruct")
