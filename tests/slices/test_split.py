"""Splits by patient and nested draws of labelled cases."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medsegan.errors import UsageError
from medsegan.slices import case_id_of, draw_labeled, patient_id_of, split_patients

PATIENTS = st.lists(st.text("abcdef0123456789", min_size=1, max_size=6), unique=True, min_size=3, max_size=60)
SHARES = st.floats(0.0, 0.5)


def count(splits, name):
    return list(splits.values()).count(name)


@given(PATIENTS, st.integers(0, 99), SHARES, SHARES)
def test_every_share_gets_its_patients(patients, seed, val, test):
    splits = split_patients(patients, seed, val, test)
    assert set(splits) == set(patients)
    for name, share in (("val", val), ("test", test), ("train", 1 - val - test)):
        if share <= 1e-9:
            assert count(splits, name) == 0
        else:
            assert count(splits, name) >= 1
            assert abs(count(splits, name) - share * len(patients)) <= 2


@given(PATIENTS, st.integers(0, 99))
def test_the_order_of_cases_and_repetitions_do_not_matter(patients, seed):
    assert split_patients(patients, seed, 0.2, 0.2) == split_patients(
        [*reversed(patients), patients[0]], seed, 0.2, 0.2
    )


@given(PATIENTS, st.integers(0, 99))
def test_a_new_patient_moves_at_most_one_at_each_border(patients, seed):
    before = split_patients(patients[1:], seed, 0.2, 0.2) if len(patients) > 3 else {}
    after = split_patients(patients, seed, 0.2, 0.2)
    moved = [patient for patient in before if before[patient] != after[patient]]
    assert len(moved) <= 2
    assert not any({before[p], after[p]} == {"val", "test"} for p in moved)


def test_another_seed_is_another_split():
    patients = [f"p{index}" for index in range(30)]
    assert split_patients(patients, 0, 0.2, 0.2) != split_patients(patients, 1, 0.2, 0.2)


@pytest.mark.parametrize(
    ("n", "expected"), [(0, []), (1, ["train"]), (2, ["test", "train"]), (3, ["test", "train", "val"])]
)
def test_few_patients(n, expected):
    assert sorted(split_patients([str(index) for index in range(n)], 0, 0.1, 0.1).values()) == expected


def test_a_domain_may_be_for_testing_alone():
    assert set(split_patients(["a", "b", "c"], 0, 0.0, 1.0).values()) == {"test"}


@pytest.mark.parametrize(("val", "test"), [(-0.1, 0.2), (0.6, 0.6), (0.0, 1.1)])
def test_shares_that_make_no_sense_are_refused(val, test):
    with pytest.raises(UsageError, match="more than 1"):
        split_patients(["a", "b", "c"], 0, val, test)


@given(PATIENTS, st.integers(0, 99), st.data())
def test_draws_are_nested_and_independent_of_order(cases, seed, data):
    large = data.draw(st.integers(1, len(cases)))
    small = data.draw(st.integers(1, large))
    drawn = draw_labeled(cases, large, seed)
    assert len(set(drawn)) == large
    assert set(drawn) <= set(cases)
    assert draw_labeled(list(reversed(cases)), small, seed) == drawn[:small]


def test_too_many_labelled_cases_name_both_numbers():
    with pytest.raises(UsageError, match=r"20 labelled cases .* only 3"):
        draw_labeled(["a", "b", "c"], 20, seed=0)
    with pytest.raises(UsageError, match="0 were asked for"):
        draw_labeled(["a"], 0, seed=0)


def test_ids_tell_nothing_and_tell_cases_apart():
    assert case_id_of("/data/Miller_John.nii.gz", "ct") == case_id_of("/data/Miller_John.nii.gz", "ct")
    ids = {case_id_of("a", "ct"), case_id_of("b", "ct"), case_id_of("a", "mr"), patient_id_of("a")}
    assert len(ids) == 4
    assert all(len(name) == 10 and set(name) <= set("0123456789abcdef") for name in ids)
