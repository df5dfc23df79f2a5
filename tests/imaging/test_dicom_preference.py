"""Two reconstructions in one folder: the thin and soft one where that is proven, else the list."""

import numpy as np
import pytest
from series_outcomes import refused, require, right

LISTED = "series or phases.*1: CT.*2: CT"


def reconstruction(slices, uid, thickness, kernel):
    """Slices of one scan over 30 mm, taken at a millimetre a second."""
    specs = slices.stack(int(30 / thickness), thickness, series_uid=uid)
    for index, spec in enumerate(specs):
        time = f"1015{index * thickness:02.0f}"
        spec.tags = {"SliceThickness": thickness, "ConvolutionKernel": kernel, "AcquisitionTime": time}
    return specs


def pair(one, other):
    return lambda s: [*reconstruction(s, "1.2.7", *one), *reconstruction(s, "1.2.8", *other)]


THIN_TAKEN = "thin slices and a soft kernel was taken"
SCENES = {
    "thin and thick": (pair((2.5, "B30f"), (5.0, "B30f")), right(12, f"{THIN_TAKEN}.*not 6 slices of 5 mm")),
    "thick and thin": (pair((5.0, "B30f"), (2.5, "B30f")), right(12, THIN_TAKEN)),
    "soft and sharp": (pair((2.5, "B30f"), (2.5, "B70f")), right(12, "2.5 mm, kernel B30F.*kernel B70F")),
    "sharp and soft of another maker": (
        pair((2.5, "BONE"), (2.5, "STANDARD")),
        right(12, "kernel STANDARD\\), not"),
    ),
    "numbers of a third maker": (pair((2.5, "FC52"), (2.5, "FC08")), right(12, "kernel FC08\\), not")),
    "thin and soft against thick and sharp": (pair((2.5, "Br40d"), (5.0, "Br64d")), right(12, "BR40D")),
    "thin and sharp against thick and soft": (pair((2.5, "B70f"), (5.0, "B30f")), refused(LISTED)),
    "kernels that nobody knows": (pair((2.5, "new 1"), (2.5, "new 2")), refused(LISTED)),
    "the same twice": (pair((2.5, "B30f"), (2.5, "B30f")), refused(LISTED)),
    "the thick one asked for": (pair((2.5, "B30f"), (5.0, "B30f")), right(6, series="1.2.8")),
}


@pytest.mark.parametrize("name", SCENES)
def test_of_two_reconstructions(slices, write_specs, name):
    make, outcome = SCENES[name]
    require(outcome, write_specs(make(slices)), slices.off)


def moved(specs):
    for spec in specs:
        spec.position = spec.position + np.array([0, 0, 8.0])
    return specs


def zoomed(specs):
    for spec in specs:
        spec.pixel_spacing = (0.6, 0.6)
    return specs


@pytest.mark.parametrize("change", [moved, zoomed, lambda specs: specs[:8]], ids=["moved", "zoomed", "shorter"])
def test_a_reconstruction_of_another_part_is_never_preferred(slices, write_specs, change):
    thin, thick = reconstruction(slices, "1.2.7", 2.5, "B30f"), reconstruction(slices, "1.2.8", 5.0, "B30f")
    require(refused(LISTED), write_specs([*change(thin), *thick]), slices.off)


@pytest.mark.parametrize(
    "tags",
    [
        {"AcquisitionTime": "102000"},
        {"AcquisitionTime": None},
        {"StudyInstanceUID": "1.2.4"},
        {"FrameOfReferenceUID": "1.2.3.10"},
        {"ImageType": ["DERIVED", "PRIMARY", "MIP"]},
    ],
    ids=lambda tags: next(iter(tags)),
)
def test_two_scans_are_never_taken_for_reconstructions_of_one(slices, write_specs, tags):
    other = reconstruction(slices, "1.2.8", 5.0, "B30f")
    for spec in other:
        spec.tags = {**spec.tags, **tags}
    folder = write_specs([*reconstruction(slices, "1.2.7", 2.5, "B30f"), *other])
    require(refused(f"{LISTED}.*kernel|{LISTED}"), folder, slices.off)
