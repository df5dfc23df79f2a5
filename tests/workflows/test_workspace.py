"""The workspace is found upwards, and its file keeps what the user wrote."""

import dataclasses
from pathlib import Path

import pytest

from medsegan.errors import DataError, InputError, UsageError
from medsegan.workflows.workspace import DomainSettings, PreparationSettings, Workspace

LABELS = {"liver": 6, "spleen": 1}


def filled(root: Path) -> Workspace:
    domain = DomainSettings("ct", dict(LABELS), "two folders", 0.5, None, 3, (-125.0, 275.0))
    return Workspace(root, dict(LABELS), {"ct": domain}, PreparationSettings(64, "axial"))


def test_what_was_written_is_read(tmp_path: Path) -> None:
    workspace = filled(tmp_path)
    workspace.write()
    assert Workspace.open(tmp_path) == workspace
    assert list(Workspace.open(tmp_path).labels) == ["liver", "spleen"]
    assert not list(tmp_path.glob(".*"))


def test_find_goes_upwards_to_the_nearest(tmp_path: Path) -> None:
    inner = tmp_path / "outer" / "inner"
    (inner / "a" / "b").mkdir(parents=True)
    Workspace.create(tmp_path / "outer")
    assert Workspace.find(inner / "a" / "b").root == tmp_path / "outer"
    Workspace.create(inner)
    assert Workspace.find(inner / "a" / "b").root == inner


def test_override_and_environment_come_before_the_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("here", "named", "environment"):
        Workspace.create(tmp_path / name)
    monkeypatch.setenv("MEDSEGAN_WORKSPACE", str(tmp_path / "environment"))
    assert Workspace.find(tmp_path / "here").root == tmp_path / "environment"
    assert Workspace.find(tmp_path / "here", tmp_path / "named").root == tmp_path / "named"
    assert Workspace.find(override=tmp_path / "named" / "medsegan.toml").root == tmp_path / "named"


def test_no_workspace_is_an_input_error_that_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(
        InputError, match=r"no medsegan.toml in .* or above; run `medsegan prepare` first or pass -C"
    ):
        Workspace.find(tmp_path)
    with pytest.raises(InputError, match=r"no medsegan.toml in"):
        Workspace.find(override=tmp_path / "absent")
    assert Workspace.locate(tmp_path) == tmp_path


def test_create_leaves_an_existing_file_alone(tmp_path: Path) -> None:
    text = "# mine\n[labels]\nliver = 6\n"
    (tmp_path / "medsegan.toml").write_text(text)
    assert Workspace.create(tmp_path).labels == {"liver": 6}
    assert (tmp_path / "medsegan.toml").read_text() == text


def test_comments_and_foreign_fields_survive_an_update(tmp_path: Path) -> None:
    workspace = filled(tmp_path)
    workspace.write()
    text = workspace.file.read_text().replace("liver = 6", "liver = 6  # couinaud I-VIII", 1)
    workspace.file.write_text(text + "\n[mine]\nanswer = 42 # kept\n")
    domains = {**workspace.domains, "mri": DomainSettings("mr", {"liver": 1}, "")}
    dataclasses.replace(Workspace.open(tmp_path), domains=domains).write()
    updated = workspace.file.read_text()
    assert "liver = 6  # couinaud I-VIII" in updated
    assert "answer = 42 # kept" in updated
    assert Workspace.open(tmp_path).domains["mri"].values == {"liver": 1}
    assert Workspace.open(tmp_path).labels == LABELS


def test_new_labels_replace_the_old_ones_in_their_order(tmp_path: Path) -> None:
    filled(tmp_path).write()
    changed = dataclasses.replace(Workspace.open(tmp_path), labels={"spleen": 1, "kidney": 2, "liver": 6})
    changed.write()
    assert list(Workspace.open(tmp_path).labels.items()) == [("spleen", 1), ("kidney", 2), ("liver", 6)]
    assert Workspace.open(tmp_path).class_names == ("background", "spleen", "kidney", "liver")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[labels\nliver = 6", "not valid TOML.*line 1"),
        ("labels = 3", r"\[labels\] must be a table"),
        ("[labels]\nliver = 'six'", "labels.liver must be a whole number from 1 to 65535, found 'six'"),
        ("[labels]\nliver = true", "labels.liver must be a whole number"),
        ("[labels]\nliver = 6\nspleen = 6", "two names in .labels. have the same value"),
        ("[labels]\nbackground = 1", "'background' cannot name a label"),
        ("[domains.ct]\nmodality = 'pet'", "domains.ct.modality must be"),
        ("[domains.ct]\n[domains.ct.values]\nliver = 0", "domains.ct.values.liver must be a whole number"),
        ("[domains.'a b']\nmodality = 'ct'", "a domain is named with small letters"),
        ("[domains.ct]\ntest_fraction = 2", "domains.ct.test_fraction must be a number from 0 to 1, found 2"),
        ("[domains.ct]\nval_fraction = 'x'", "domains.ct.val_fraction must be a number"),
        ("[domains.ct]\nseed = 0.5", "domains.ct.seed must be a whole number, found 0.5"),
        ("[domains.ct]\nwindow = [1]", "domains.ct.window must be two numbers"),
        ("[domains.ct]\nwindow = [2, 1]", "domains.ct.window must run from a lower"),
        ("[preparation]\nsize = 64\nplane = 'oblique'", "preparation.plane must be"),
        ("[preparation]\nsize = 'big'\nplane = 'axial'", "preparation.size must be"),
    ],
)
def test_an_invalid_file_names_the_field(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "medsegan.toml").write_text(text)
    with pytest.raises(DataError, match=message):
        Workspace.find(tmp_path)


def test_paths_stay_inside_of_the_workspace(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    assert workspace.store_path("mri-t2") == tmp_path / "data" / "mri-t2"
    assert workspace.run_path("first") == tmp_path / "runs" / "first"
    for name in ("../x", "", "A", "a/b"):
        with pytest.raises(UsageError):
            workspace.store_path(name)
    for name in ("../x", "", "..", "a/b"):
        with pytest.raises(UsageError):
            workspace.run_path(name)
