"""Plain tables and records, to the character."""

from medsegan_cli.table import format_cell, format_record, format_table


def test_numbers_stand_to_the_right_and_text_to_the_left() -> None:
    rows = [("liver", 0.91234, 12), ("spleen", None, 3)]
    assert format_table(("class", "dice", "n"), rows).splitlines() == [
        "class    dice   n",
        "------  -----  --",
        "liver   0.912  12",
        "spleen      -   3",
    ]


def test_text_that_stands_for_numbers_can_be_set_to_the_right() -> None:
    table = format_table(("class", "dice"), [("liver", "0.9 [0.8, 1.0]"), ("spleen", "-")], n_text_columns=1)
    assert table.splitlines()[-1] == "spleen               -"


def test_a_table_without_rows_is_its_header() -> None:
    assert format_table(("a", "bb"), []) == "a  bb\n-  --"


def test_a_record_is_flat_and_aligned() -> None:
    record = {"version": "1.0", "devices": {"cpu": True, "cuda": None}, "classes": ["liver", "spleen"]}
    assert format_record(record).splitlines() == [
        "version       1.0",
        "devices.cpu   yes",
        "devices.cuda  -",
        "classes       liver, spleen",
    ]


def test_a_whole_number_is_not_a_fraction_and_a_truth_is_not_a_number() -> None:
    assert [format_cell(value) for value in (3, 3.0, True, False, None)] == ["3", "3.000", "yes", "no", "-"]
