"""Structure sets that we write have their contours around the voxels of the labels, and come back exactly."""

import numpy as np
import pydicom
import pytest
from enhanced_scan import write_enhanced
from world_labels import LPS, ORIENTATIONS, WorldLabels, label_of, turned

from medsegan.imaging import LabelVolume, read_label, read_volume, write_dicom_label

_SHOWN = ("axial", "feet first", "sagittal", "coronal", "oblique")


def area_and_centre(points):
    """Signed area and area-weighted centre of a flat polygon in space, against a fixed side of its plane."""
    middle = points.mean(axis=0)
    after = np.roll(points, -1, axis=0)
    crosses = np.cross(points - middle, after - middle) / 2
    normal = crosses.sum(axis=0) / np.linalg.norm(crosses.sum(axis=0))
    areas = crosses @ normal
    thirds = (points + after + middle) / 3
    return areas.sum(), (areas[:, None] * thirds).sum(axis=0) / areas.sum()


def is_within(point, curve):
    """Whether a ray from the point crosses a closed curve an odd number of times."""
    before, after = curve, np.roll(curve, -1, axis=0)
    crossed = (before[:, 1] > point[1]) != (after[:, 1] > point[1])
    share = (point[1] - before[crossed, 1]) / (after[crossed, 1] - before[crossed, 1])
    return int((before[crossed, 0] + share * (after[crossed, 0] - before[crossed, 0]) > point[0]).sum()) % 2


def volumes_and_centres(path, step_mm):
    """Of each region from its contours alone, read by pydicom; a contour within another one is a hole."""
    found = {}
    for region in pydicom.dcmread(path).ROIContourSequence:
        planes = {}
        for contour in region.ContourSequence:
            points = np.array(contour.ContourData, dtype=float).reshape(-1, 3)
            assert contour.ContourGeometricType == "CLOSED_PLANAR"
            assert int(contour.NumberOfContourPoints) == len(points)
            image = (
                contour.ContourImageSequence[0].ReferencedSOPInstanceUID
                if "ContourImageSequence" in contour
                else 0
            )
            frame = contour.ContourImageSequence[0].get("ReferencedFrameNumber") if image else 0
            planes.setdefault((image, frame, round(points[:, 2].mean()) if not image else 0), []).append(points)
        total, moment = 0.0, np.zeros(3)
        for curves in planes.values():
            u, v = np.linalg.svd(np.concatenate(curves) - curves[0][0])[2][:2]
            flat = [np.column_stack([(curve - curves[0][0]) @ u, (curve - curves[0][0]) @ v]) for curve in curves]
            for curve, own in zip(curves, flat, strict=True):
                inside = sum(is_within(own[0], other) for other in flat if other is not own)
                area, centre = area_and_centre(curve)
                sign = -1 if inside % 2 else 1
                total += sign * area
                moment += sign * area * centre
        found[int(region.ReferencedROINumber)] = (total * step_mm / 1000, moment / total)
    return found


@pytest.mark.parametrize(
    ("name", "codes"), [*zip(_SHOWN, [None, "RAS", "SPL", "IAR", "ASR"], strict=True), ("oblique", None)]
)
def test_every_orientation_of_series_and_labels(slices, write_specs, tmp_path, name, codes):
    series = write_specs(turned(slices, name, pixel_spacing=(0.6, 1.1)))
    notes = write_dicom_label(label_of(series, codes), tmp_path / "r.dcm", source=series, form="rtstruct")
    assert notes == ("classes without a known SNOMED CT code are coded as tissue (85756007): thing",)
    world_labels = WorldLabels(read_volume(series).grid)
    back = read_label(tmp_path / "r.dcm", on=world_labels.grid)
    assert np.array_equal(back.array, world_labels.array)
    assert dict(back.names) == {1: "liver", 4: "left_kidney", 7: "thing"}
    measured = volumes_and_centres(tmp_path / "r.dcm", 2.5)
    affine = world_labels.grid.world_from_voxel
    for value, (volume_ml, centre) in measured.items():
        mask = world_labels.array == value
        assert volume_ml == pytest.approx(mask.sum() * world_labels.grid.voxel_ml, rel=1e-4)
        expected = (affine @ [*np.argwhere(mask).mean(axis=0), 1])[:3] * LPS
        assert np.linalg.norm(centre - expected) < 1e-3


def test_every_contour_refers_to_the_image_in_its_plane(slices, write_specs, tmp_path):
    series = write_specs(turned(slices, "oblique"))
    images = {one.SOPInstanceUID: one for one in (pydicom.dcmread(path) for path in series.iterdir())}
    write_dicom_label(label_of(series), tmp_path / "r.dcm", source=series, form="rtstruct", algorithm="manual")
    dataset = pydicom.dcmread(tmp_path / "r.dcm")
    one = next(iter(images.values()))
    for keyword in ("StudyInstanceUID", "FrameOfReferenceUID"):
        assert dataset[keyword].value == one[keyword].value
    assert dataset.SeriesInstanceUID != one.SeriesInstanceUID
    frame = dataset.ReferencedFrameOfReferenceSequence[0]
    listed = frame.RTReferencedStudySequence[0].RTReferencedSeriesSequence[0]
    assert listed.SeriesInstanceUID == one.SeriesInstanceUID
    assert {image.ReferencedSOPInstanceUID for image in listed.ContourImageSequence} == set(images)
    normal = np.cross(*(np.array(axis) for axis in ORIENTATIONS["oblique"]))
    for region in dataset.ROIContourSequence:
        for contour in region.ContourSequence:
            image = images[contour.ContourImageSequence[0].ReferencedSOPInstanceUID]
            points = np.array(contour.ContourData, dtype=float).reshape(-1, 3)
            heights = (points - np.array(image.ImagePositionPatient, dtype=float)) @ normal
            assert np.abs(heights).max() < 1e-3
    assert [roi.ROIName for roi in dataset.StructureSetROISequence] == ["Liver", "left kidney", "thing"]
    assert {roi.ROIGenerationAlgorithm for roi in dataset.StructureSetROISequence} == {"MANUAL"}
    kinds = [one.RTROIInterpretedType for one in dataset.RTROIObservationsSequence]
    assert kinds == ["ORGAN", "ORGAN", ""]
    codes = [one.RTROIIdentificationCodeSequence[0].CodeValue for one in dataset.RTROIObservationsSequence]
    assert codes == ["10200004", "64033007", "85756007"]
    assert all(len(region.ROIDisplayColor) == 3 for region in dataset.ROIContourSequence)


def test_frames_of_an_enhanced_image(slices, tmp_path):
    scan = write_enhanced(list(reversed(slices.stack())), tmp_path / "in" / "one.dcm")
    label = label_of(scan)
    write_dicom_label(label, tmp_path / "r.dcm", source=scan, form="rtstruct")
    assert np.array_equal(read_label(tmp_path / "r.dcm", on=label.grid).array, label.array)
    source = pydicom.dcmread(scan)
    for region in pydicom.dcmread(tmp_path / "r.dcm").ROIContourSequence:
        for contour in region.ContourSequence:
            number = contour.ContourImageSequence[0].ReferencedFrameNumber
            groups = source.PerFrameFunctionalGroupsSequence[number - 1]
            assert contour.ContourData[2] == pytest.approx(groups.PlanePositionSequence[0].ImagePositionPatient[2])


@pytest.mark.parametrize("trap", ["tilt", "gap"])
def test_slices_that_were_straightened_for_reading(slices, write_specs, tmp_path, trap):
    specs = slices.stack()
    if trap == "tilt":
        tilt = np.radians(15)
        for spec in specs:
            spec.along_column = (0.0, float(np.cos(tilt)), float(np.sin(tilt)))
    else:
        del specs[5]
    series = write_specs(specs)
    label = label_of(series, fix_gaps=trap == "gap")
    write_dicom_label(label, tmp_path / "r.dcm", source=series, form="rtstruct")
    assert np.array_equal(read_label(tmp_path / "r.dcm", on=label.grid).array, label.array)
    images = {one.SOPInstanceUID: one for one in (pydicom.dcmread(path) for path in series.iterdir())}
    contours = [
        one for region in pydicom.dcmread(tmp_path / "r.dcm").ROIContourSequence for one in region.ContourSequence
    ]
    bare = [contour for contour in contours if "ContourImageSequence" not in contour]
    assert len(bare) == (
        0 if trap == "tilt" else len([c for c in contours if abs(c.ContourData[2] - 12.5) < 1e-3])
    )
    for contour in contours:
        if "ContourImageSequence" in contour:
            image = images[contour.ContourImageSequence[0].ReferencedSOPInstanceUID]
            normal = np.cross(*np.array(image.ImageOrientationPatient, dtype=float).reshape(2, 3))
            points = np.array(contour.ContourData, dtype=float).reshape(-1, 3)
            assert np.abs((points - np.array(image.ImagePositionPatient, dtype=float)) @ normal).max() < 2e-3
    if trap == "gap":
        assert bare


def test_any_mask_comes_back(slices, write_specs, tmp_path):
    series = write_specs(turned(slices, "oblique"))
    grid = read_volume(series).grid
    array = np.random.default_rng(6).choice([0, 1, 2], grid.shape, p=[0.5, 0.3, 0.2]).astype(np.uint8)
    array[..., :9] = 0
    write_dicom_label(LabelVolume(array, grid), tmp_path / "r.dcm", source=series, form="rtstruct")
    assert np.array_equal(read_label(tmp_path / "r.dcm", on=grid).array, array)


def test_a_contour_longer_than_explicit_lengths_allow(slices, write_specs, tmp_path):
    series = write_specs(slices.stack(matrix=(120, 120)))
    grid = read_volume(series).grid
    array = np.zeros(grid.shape, np.uint8)
    array[2:118, 2:118:2, 6] = 1
    array[2, 2:118, 6] = 1  # a comb: one contour of some thousand points
    array[3:118:2, 3:118, 5] |= np.random.default_rng(0).random((58, 115)) < 0.6
    write_dicom_label(LabelVolume(array, grid), tmp_path / "r.dcm", source=series, form="rtstruct")
    assert np.array_equal(read_label(tmp_path / "r.dcm", on=grid).array, array)


def test_equal_content_gives_equal_bytes(slices, write_specs, tmp_path):
    series = write_specs(slices.stack())
    for name in ("a", "b"):
        options = {"form": "rtstruct", "reproducible_uids": True}
        write_dicom_label(label_of(series), tmp_path / f"{name}.dcm", source=series, **options)
    assert (tmp_path / "a.dcm").read_bytes() == (tmp_path / "b.dcm").read_bytes()
