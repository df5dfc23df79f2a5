"""Which scans are of one patient: by what DICOM says, and only else by names."""

import dataclasses

from ...imaging import is_dicom_file, read_patient_key
from .discovery import Discovery, FoundCase
from .layouts import NOTES_ON_PATIENTS


def told_by_patient_id(found: Discovery) -> Discovery:
    """The discovery with its patients told apart by PatientID where there is one, and a note on their number.

    Args:
        found: with the patients that names of files and folders tell.
    """
    everybody = (*found.cases, *found.test_cases)
    dicom = [case.image for case in everybody if case.is_dicom or is_dicom_file(case.image)]
    keys = {image: read_patient_key(image) for image in dicom}
    # A scan without the id whose name says that it is of the same patient as one with it.
    key_of_name = {case.patient: key for case in everybody if (key := keys.get(case.image)) is not None}

    def told(case: FoundCase) -> FoundCase:
        patient = keys.get(case.image) or key_of_name.get(case.patient, case.patient)
        return dataclasses.replace(case, patient=patient)

    cases, test_cases = tuple(map(told, found.cases)), tuple(map(told, found.test_cases))
    notes = list(found.notes)
    n_told = sum(keys.get(case.image) is not None for case in cases)
    if n_told:
        notes = [note for note in notes if note not in NOTES_ON_PATIENTS or n_told < len(cases)]
        notes.append(f"the patients of {n_told} DICOM scans are told apart by their PatientID")
    n_patients = len({case.patient for case in cases})
    notes.append(
        f"{n_patients} {'patient' if n_patients == 1 else 'patients'} from {len(cases)} "
        f"{'scan' if len(cases) == 1 else 'scans'}"
    )
    return dataclasses.replace(found, cases=cases, test_cases=test_cases, notes=tuple(notes))
