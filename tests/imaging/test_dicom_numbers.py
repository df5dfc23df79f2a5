"""What stored numbers mean, in more ways than scanners write them: right values, a note, or a refusal."""

import numpy as np
import pytest
from pydicom.dataset import Dataset
from pydicom.uid import MRImageStorage
from series_outcomes import refused, require, right

MR = {"sop_class": MRImageStorage, "tags": {"Modality": "MR"}}


def stack(slices, edit=None, first=0, **changes):
    """The usual stack, with `edit` from slice `first` on."""
    specs = slices.stack(**changes)
    for spec in specs[first:]:
        spec.edit = edit
    return specs


def put(**tags):
    def edit(dataset):
        for keyword, value in tags.items():
            setattr(dataset, keyword, value)

    return edit


def remove(*keywords):
    def edit(dataset):
        for keyword in keywords:
            delattr(dataset, keyword)

    return edit


def restored(kind, n_bits=None):
    """Pixels stored in another type, their header with them."""

    def edit(dataset):
        stored = np.frombuffer(dataset.PixelData, "<u2").astype(kind)
        dataset.PixelData = stored.tobytes()
        dataset.BitsAllocated = stored.itemsize * 8
        dataset.BitsStored = n_bits or dataset.BitsAllocated
        dataset.HighBit = dataset.BitsStored - 1
        dataset.PixelRepresentation = int(stored.dtype.kind == "i")

    return edit


def with_padding(value, rows=5, **tags):
    """The uppermost rows hold a padding value."""

    def edit(dataset):
        kind = "<i2" if dataset.PixelRepresentation else "<u2"
        stored = np.frombuffer(dataset.PixelData, kind).reshape(40, 32).copy()
        stored[:rows] = value
        dataset.PixelData = stored.tobytes()
        for keyword, number in tags.items():
            dataset.add_new(keyword, "SS" if number < 0 else "US", number)

    return edit


def as_float(dataset):
    stored = np.frombuffer(dataset.PixelData, "<u2").astype("<f4")
    del dataset.PixelData, dataset.BitsStored, dataset.HighBit, dataset.PixelRepresentation
    dataset.BitsAllocated = 32
    dataset.FloatPixelData = stored.tobytes()


def scale_map(slope):
    one = Dataset()
    one.RealWorldValueSlope, one.RealWorldValueIntercept = slope, -1024.0
    return [one]


def philips(index, slope):
    def edit(dataset):
        block = dataset.private_block(0x2005, "Philips MR Imaging DD 001", create=True)
        block.add_new(0x0E, "FL", slope * (1 + 0.5 * (index % 2)))

    return edit


def scaled_by_philips(slices):
    specs = slices.stack(**MR)
    for index, spec in enumerate(specs):
        spec.edit = philips(index, 0.01)
    return specs


def two_slopes(dataset):
    dataset.RescaleSlope = ["1", "2"]


def twice_as_long(dataset):
    dataset.PixelData = dataset.PixelData * 2


NO_SCALE = "lack RescaleSlope or RescaleIntercept"
SCENES = {
    "no slope in CT": (lambda s: stack(s, remove("RescaleSlope")), right(12, NO_SCALE)),
    "an empty slope in CT": (lambda s: stack(s, put(RescaleSlope=None)), right(12, NO_SCALE)),
    "no slope in MR": (
        lambda s: stack(s, remove("RescaleSlope", "RescaleIntercept"), signed=True, intercept=0, **MR),
        right(),
    ),
    "a slope of zero": (lambda s: stack(s, put(RescaleSlope=0), 11), refused("no scale")),
    "a slope that is no number": (lambda s: stack(s, put(RescaleSlope="nan"), 11), refused("RescaleSlope")),
    "two slopes in one slice": (lambda s: stack(s, two_slopes, 11), refused("RescaleSlope")),
    "a slope below zero": (lambda s: s.stack(signed=True, slope=-1.0, intercept=0.0), right()),
    "a scale of its own for each slice of CT": (
        lambda s: [s.slice(spec.position, slope=0.5 + 0.01 * k) for k, spec in enumerate(s.stack())],
        right(),
    ),
    "units that are not said to be HU": (lambda s: s.stack(tags={"RescaleType": "US"}), right(12, "US.*HU")),
    "units of density": (lambda s: s.stack(tags={"RescaleType": "OD"}), right(12, "OD.*HU")),
    "bits of ten in eleven": (
        lambda s: stack(s, put(BitsStored=10, HighBit=11)),
        refused("contradict"),
    ),
    "eight bits": (
        lambda s: stack(s, restored("u1"), slope=2.0, intercept=-150.0),
        right(),
    ),
    "thirty-two bits": (lambda s: stack(s, restored("<u4")), right()),
    "thirty-two bits signed": (lambda s: stack(s, restored("<i4"), signed=True, intercept=-1024), right()),
    "thirty-two bits beyond int32": (
        lambda s: stack(s, lambda d: (restored("<u4")(d), above_int32(d))),
        right(),
    ),
    "floating point": (lambda s: stack(s, as_float), refused("BitsAllocated 32, BitsStored 0")),
    "signed with unsigned padding": (
        lambda s: stack(
            s, with_padding(-2000, PixelPaddingValue=63536), signed=True, intercept=0, added_hu=300, **MR
        ),
        right(added_hu=300),
    ),
    "padding in a range": (
        lambda s: stack(s, with_padding(64000, PixelPaddingValue=65535, PixelPaddingRangeLimit=60000)),
        right(),
    ),
    "a padding value that tissue of MR has": (
        lambda s: stack(s, put(PixelPaddingValue=60), signed=True, intercept=0, **MR),
        right(),
    ),
    "inverted": (lambda s: s.stack(tags={"PhotometricInterpretation": "MONOCHROME1"}), refused("MONOCHROME1")),
    "a palette": (lambda s: s.stack(tags={"PhotometricInterpretation": "PALETTE COLOR"}), refused("PALETTE")),
    "more pixels than the header says": (lambda s: stack(s, twice_as_long), refused("more bytes")),
    "half the rows": (lambda s: stack(s, put(Rows=20)), refused("more bytes")),
    "half the bits": (lambda s: stack(s, put(BitsAllocated=8, BitsStored=8, HighBit=7)), refused("more bytes")),
    "three quarters of the rows": (lambda s: stack(s, put(Rows=30)), refused("more bytes")),
    "a window": (lambda s: s.stack(tags={"WindowCenter": 40, "WindowWidth": 80}), right()),
    "twelve bits signed, the sign not carried on": (
        lambda s: stack(s, without_sign_above, signed=True, intercept=0),
        right(),
    ),
    "an intercept that was lost": (
        lambda s: stack(s, put(RescaleIntercept=0), intercept=-1024),
        right(12, "no voxel of this CT is below 0 HU", added_hu=1024),
    ),
    "no pixels": (lambda s: stack(s, remove("PixelData"), 11), refused("pixels")),
    "one frame": (lambda s: s.stack(tags={"NumberOfFrames": 1}), right()),
    "a map to the real world that agrees": (
        lambda s: s.stack(tags={"RealWorldValueMappingSequence": scale_map(1.0)}),
        right(),
    ),
    "a map to the real world that disagrees": (
        lambda s: s.stack(tags={"RealWorldValueMappingSequence": scale_map(2.0)}),
        right(12, "RealWorldValueMapping"),
    ),
    "a private scale that changes": (scaled_by_philips, right(12, "private scale")),
    "text burned in": (lambda s: s.stack(tags={"BurnedInAnnotation": "YES"}), right(12, "burned into")),
    "another modality than its class": (lambda s: s.stack(tags={"Modality": "MR"}), right(12, "Modality")),
    "a mosaic by its private tag": (
        lambda s: stack(s, mosaic("SIEMENS MR HEADER", 0x0019, 0x0A), **MR),
        refused("mosaic"),
    ),
    "a grid by its private tag": (
        lambda s: stack(s, mosaic("Image Private Header", 0x0065, 0x50), **MR),
        refused("mosaic"),
    ),
}


def without_sign_above(dataset):
    dataset.BitsStored, dataset.HighBit = 12, 11
    dataset.PixelData = (np.frombuffer(dataset.PixelData, "<u2") & 0x0FFF).tobytes()


def mosaic(creator, group, element):
    def edit(dataset):
        dataset.private_block(group, creator, create=True).add_new(element, "US", 25)

    return edit


def above_int32(dataset):
    stored = np.frombuffer(dataset.PixelData, "<u4") + np.uint32(3_000_000_000)
    dataset.PixelData = stored.tobytes()
    dataset.RescaleIntercept = "-3000001024"


@pytest.mark.parametrize("name", SCENES)
def test_numbers_are_right_or_refused(slices, write_specs, name):
    make, outcome = SCENES[name]
    require(outcome, write_specs(make(slices)), slices.off)
