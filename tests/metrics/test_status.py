"""The status of one class."""

import pytest

from medsegan.metrics import Status, status_of


@pytest.mark.parametrize(
    ("n_prediction", "n_reference", "status"),
    [(3, 5, "ok"), (0, 5, "missed"), (3, 0, "false_alarm"), (0, 0, "both_empty")],
)
def test_status_of(n_prediction, n_reference, status):
    assert status_of(n_prediction, n_reference) == status


def test_one_sided():
    assert [s for s in Status if s.one_sided] == [Status.MISSED, Status.FALSE_ALARM]
