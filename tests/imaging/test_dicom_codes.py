"""The codes of organs are those of the standard, and a name that is not known as a whole gets none."""

import pydicom.sr.codedict as codedict
import pytest

from medsegan.imaging.dicom import codes
from medsegan.imaging.dicom.codes import ABNORMAL, ANATOMY, TISSUE, UNKNOWN, concept_of

NOT_IN_PYDICOM = {"74281007"}
"""SNOMED CT's "Myocardium structure", which no value set of the standard that pydicom knows holds."""


def test_every_code_is_known_to_the_standard_under_this_meaning():
    known = {}
    for name in dir(codedict.codes.SCT):
        code = getattr(codedict.codes.SCT, name)
        if hasattr(code, "meaning"):
            known.setdefault(code.value, set()).add(code.meaning.lower())
    table = [*codes._ORGANS.values(), *codes._LESIONS.values()]
    table += [(code.value, code.meaning) for code in (TISSUE, ANATOMY, ABNORMAL, *codes._SIDES.values())]
    assert len(table) > 30
    for value, meaning in table:
        if value not in NOT_IN_PYDICOM:
            assert meaning.lower() in known[value], (value, meaning)


def test_categories_are_those_of_cid_7150():
    cid = codedict.codes.cid7150
    for code, name in (
        (TISSUE, "Tissue"),
        (ANATOMY, "AnatomicalStructure"),
        (ABNORMAL, "MorphologicallyAbnormalStructure"),
    ):
        assert getattr(cid, name).value == code.value


@pytest.mark.parametrize(
    ("name", "value", "side"),
    [
        ("Liver", "10200004", None),
        ("kidney_left", "64033007", "7771000"),
        ("Left Kidney", "64033007", "7771000"),
        ("right-kidney", "64033007", "24028007"),
        ("kidneys", "64033007", None),
        ("adrenal_gland_right", "23451007", "24028007"),
        ("left adrenal", "23451007", "7771000"),
        ("Oesophagus", "32849002", None),
        ("IVC", "64131007", None),
        ("postcava", "64131007", None),
        ("bladder", "89837001", None),
        ("heart_ventricle_left", "85756007", None),
        ("LV", "87878005", None),
        ("left ventricle", "87878005", None),
        ("ventricle_right", "53085002", None),
        ("myocardium", "74281007", None),
        ("left ventricle myocardium", "49848007", None),
        ("right ventricle myocardium", "85756007", None),
        ("tumour", "108369006", None),
        ("liver_tumour", "85756007", None),
        ("left liver", "85756007", None),
        ("left right kidney", "85756007", None),
        ("delivery", "85756007", None),
        ("", "85756007", None),
        ("colour_ff0000", "85756007", None),
    ],
)
def test_names(name, value, side):
    concept = concept_of(name)
    assert concept.kind.value == value
    assert (concept.side.value if concept.side else None) == side
    assert (concept == UNKNOWN) == (value == "85756007")
