"""The tissues that a phantom is made of, and the organs that its label volume names."""

from enum import IntEnum, unique


@unique
class Tissue(IntEnum):
    """Codes of the tissue map; which of them belongs to an organ is decided by shape, not by this code."""

    AIR = 0
    SKIN_FAT = 1
    VISCERAL_FAT = 2
    MUSCLE = 3
    BONE = 4
    SPINE = 5
    CORD = 6
    LIVER = 7
    SPLEEN = 8
    KIDNEY = 9
    MEDULLA = 10
    STOMACH_WALL = 11
    STOMACH_CONTENT = 12
    VESSEL = 13
    LIVER_VESSEL = 14
    BOWEL = 15
    GAS = 16
    FLUID = 17
    LUNG = 18
    LESION = 19
    PANCREAS = 20
    COUCH = 21


@unique
class PhantomLabels(IntEnum):
    """Values in the label volume of a phantom; 0 is background. Left and right are the patient's."""

    LIVER = 1
    SPLEEN = 2
    RIGHT_KIDNEY = 3
    LEFT_KIDNEY = 4

    @classmethod
    def as_dict(cls) -> dict[str, int]:
        """Lower-case class names with their values, in order of value."""
        return {member.name.lower(): int(member) for member in cls}
