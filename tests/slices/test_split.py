"""Splits by patient and nested draws of labelled cases."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medsegan.errors import UsageError
from medsegan.slices import IdKey, draw_labeled, draw_name, draw_order, extend_split, split_patients

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


@given(PATIENTS, st.integers(0, 99), SHARES, SHARES, st.data())
def test_patients_keep_their_splits_and_others_fill_up_the_shares(patients, seed, val, test, data):
    assert extend_split({}, patients, seed, val, test) == split_patients(patients, seed, val, test)
    n_known = data.draw(st.integers(0, len(patients)))
    known = split_patients(patients[:n_known], seed, val, test) if n_known else {}
    splits = extend_split({**known, "gone": "test"}, patients, seed, val, test)
    assert set(splits) == set(patients)
    assert {patient: splits[patient] for patient in known} == known
    wanted = split_patients(patients, seed, val, test)
    for name in ("train", "val", "test"):
        # As many as at once, if not more have it already.
        assert count(splits, name) <= max(count(wanted, name), count(known, name))
    assert extend_split(splits, patients, seed, val, test) == splits


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
def test_draws_are_nested_and_independent_of_ids(cases, seed, data):
    large = data.draw(st.integers(1, len(cases)))
    small = data.draw(st.integers(1, large))
    drawn = draw_labeled(cases, large, seed)
    assert len(set(drawn)) == large
    assert set(drawn) <= set(cases)
    assert draw_labeled(cases, small, seed) == drawn[:small]
    places = [str(place) for place in range(len(cases))]
    assert [cases[int(place)] for place in draw_labeled(places, large, seed)] == list(drawn)


def test_too_many_labelled_cases_name_both_numbers():
    with pytest.raises(UsageError, match=r"20 labelled cases .* only 3"):
        draw_labeled(["a", "b", "c"], 20, seed=0)
    with pytest.raises(UsageError, match="0 were asked for"):
        draw_labeled(["a"], 0, seed=0)


@given(PATIENTS, st.data())
def test_a_patient_that_comes_later_leaves_the_usual_draw_but_for_one(patients, data):
    n = data.draw(st.integers(1, len(patients) - 1))
    before, after = (
        draw_labeled([known[place] for place in draw_order([(p, p) for p in known])], n, 0)
        for known in (patients[1:], patients)
    )
    assert len(set(before) - set(after)) <= 1


def test_the_order_of_a_store_depends_on_names_alone_and_is_not_that_of_the_alphabet():
    cases = [(f"Miller_{index:02d}", f"Miller_{index:02d}/ct") for index in range(20)]
    ordered = [cases[place] for place in draw_order(cases)]
    assert ordered != cases
    assert [cases[::-1][place] for place in draw_order(cases[::-1])] == ordered
    two_scans = [("Miller", "a"), ("Smith", "b"), ("Miller", "c")]
    assert abs(draw_order(two_scans).index(0) - draw_order(two_scans).index(2)) == 1


def test_another_seed_is_another_draw():
    patients = [f"p{index}" for index in range(30)]
    draws = [draw_labeled(patients, 9, seed) for seed in range(3)]
    assert draws[0] == tuple(patients[:9])
    assert len({frozenset(draw) for draw in draws}) == 3


def test_ids_tell_nothing_and_tell_cases_apart():
    key = IdKey.fresh()
    assert key.case_id("/data/Miller_John.nii.gz", "ct") == key.case_id("/data/Miller_John.nii.gz", "ct")
    ids = {key.case_id("a", "ct"), key.case_id("b", "ct"), key.case_id("a", "mr"), key.patient_id("a")}
    assert len(ids) == 4
    assert all(len(name) == 10 and set(name) <= set("0123456789abcdef") for name in ids)
    assert key.secret.hex() not in repr(key)


def test_who_guesses_a_name_cannot_find_it_without_the_key():
    key, other = IdKey.fresh(), IdKey.fresh()
    assert len(key.secret) >= 16
    assert key.patient_id("Miller") != other.patient_id("Miller")
    assert key.case_id("Miller", "ct") != other.case_id("Miller", "ct")
    assert key.fingerprint == IdKey(key.secret).fingerprint != other.fingerprint
    assert draw_name("Miller") not in (key.patient_id("Miller"), key.case_id("Miller", "ct"))
