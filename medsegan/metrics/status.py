"""What became of one class in one case: the rule for empty masks starts here."""

from enum import StrEnum


class Status(StrEnum):
    """Which of the two masks hold anything."""

    OK = "ok"
    MISSED = "missed"
    FALSE_ALARM = "false_alarm"
    BOTH_EMPTY = "both_empty"

    @property
    def one_sided(self) -> bool:
        """True when exactly one of the masks is empty, so that no distance exists."""
        return self in (Status.MISSED, Status.FALSE_ALARM)


def status_of(n_prediction: int, n_reference: int) -> Status:
    """The status that follows from the voxel counts of both masks.

    Args:
        n_prediction: voxels of the prediction.
        n_reference: voxels of the reference.
    """
    if n_prediction and n_reference:
        return Status.OK
    if n_reference:
        return Status.MISSED
    return Status.FALSE_ALARM if n_prediction else Status.BOTH_EMPTY
