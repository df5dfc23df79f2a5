"""Standard codes of organs, by the names that classes usually have.

Source: SNOMED CT as in DICOM PS3.16, CID 7150 (categories), CID 7151 and its kin (types), CID 244 (laterality).
"""

import re
from typing import NamedTuple

from pydicom.dataset import Dataset

from ..class_names import class_name_of


class Code(NamedTuple):
    """A concept: value, scheme and meaning."""

    value: str
    scheme: str
    meaning: str

    def item(self) -> Dataset:
        """An item of a code sequence (DICOM PS3.3, section 8.8)."""
        item = Dataset()
        item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = self
        return item


class Concept(NamedTuple):
    """What a class is: the category and type of the property, and its side; `None` = not one of two."""

    category: Code
    kind: Code
    side: Code | None


TISSUE = Code("85756007", "SCT", "Tissue")
ANATOMY = Code("91723000", "SCT", "Anatomical Structure")
ABNORMAL = Code("49755003", "SCT", "Morphologically Abnormal Structure")
UNKNOWN = Concept(TISSUE, TISSUE, None)
"""What is said of a class whose name is in no table."""

_SIDES = {"left": Code("7771000", "SCT", "Left"), "right": Code("24028007", "SCT", "Right")}
_ORGANS = {
    "liver": ("10200004", "Liver"),
    "spleen": ("78961009", "Spleen"),
    "kidney": ("64033007", "Kidney"),
    "gallbladder": ("28231008", "Gallbladder"),
    "esophagus": ("32849002", "Esophagus"),
    "stomach": ("69695003", "Stomach"),
    "duodenum": ("38848004", "Duodenum"),
    "small_intestine": ("30315005", "Small intestine"),
    "colon": ("71854001", "Colon"),
    "pancreas": ("15776009", "Pancreas"),
    "adrenal_gland": ("23451007", "Adrenal gland"),
    "aorta": ("15825003", "Aorta"),
    "inferior_vena_cava": ("64131007", "Inferior vena cava"),
    "superior_vena_cava": ("48345005", "Superior vena cava"),
    "lung": ("39607008", "Lung"),
    "trachea": ("44567001", "Trachea"),
    "heart": ("80891009", "Heart"),
    "left_ventricle": ("87878005", "Left ventricle"),
    "right_ventricle": ("53085002", "Right ventricle"),
    "left_atrium": ("82471001", "Left atrium"),
    "right_atrium": ("73829009", "Right atrium"),
    "myocardium": ("74281007", "Myocardium"),
    "left_ventricle_myocardium": ("49848007", "Left Ventricle Myocardium"),
    "urinary_bladder": ("89837001", "Bladder"),
    "prostate": ("41216001", "Prostate"),
    "uterus": ("35039007", "Uterus"),
    "brain": ("12738006", "Brain"),
    "spinal_cord": ("2748008", "Spinal cord"),
    "bone": ("272673000", "Bone"),
}
_LESIONS = {"tumor": ("108369006", "Neoplasm"), "lesion": ("52988006", "Lesion")}
_PAIRED = ("kidney", "adrenal_gland", "lung")
_SYNONYMS = {
    "oesophagus": "esophagus",
    "gall_bladder": "gallbladder",
    "small_bowel": "small_intestine",
    "adrenal": "adrenal_gland",
    "adrenals": "adrenal_gland",
    "adrenal_glands": "adrenal_gland",
    "kidneys": "kidney",
    "lungs": "lung",
    "ivc": "inferior_vena_cava",
    "postcava": "inferior_vena_cava",
    "svc": "superior_vena_cava",
    "lv": "left_ventricle",
    "rv": "right_ventricle",
    "myo": "myocardium",
    "lv_myocardium": "left_ventricle_myocardium",
    "left_ventricular_myocardium": "left_ventricle_myocardium",
    "bladder": "urinary_bladder",
    "tumour": "tumor",
    "neoplasm": "tumor",
    "bones": "bone",
}


def concept_of(name: str) -> Concept:
    """The codes of a class; tissue of no stated kind if its name is not known as a whole.

    Args:
        name: as the labels call it; "Left Kidney", "kidney_left" and "left-kidney" are one.
    """
    words = [word for word in re.split(r"[_\-.]+", class_name_of(name)) if word]
    plain = "_".join(words)
    plain = _SYNONYMS.get(plain, plain)
    if plain in _ORGANS:
        return Concept(ANATOMY, _code(_ORGANS[plain]), None)
    if plain in _LESIONS:
        return Concept(ABNORMAL, _code(_LESIONS[plain]), None)
    sides = [word for word in words if word in _SIDES]
    if len(sides) != 1:
        return UNKNOWN
    rest = "_".join(word for word in words if word not in _SIDES)
    rest = _SYNONYMS.get(rest, rest)
    whole = f"{sides[0]}_{rest}"  # parts of the heart have codes of their own for either side
    if whole in _ORGANS:
        return Concept(ANATOMY, _code(_ORGANS[whole]), None)
    return Concept(ANATOMY, _code(_ORGANS[rest]), _SIDES[sides[0]]) if rest in _PAIRED else UNKNOWN


def _code(entry: tuple[str, str]) -> Code:
    return Code(entry[0], "SCT", entry[1])
