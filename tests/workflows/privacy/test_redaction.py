"""Messages without names: what was typed stays, what was found goes, and the numbers are left alone."""

import logging
import os
import subprocess
import sys
import warnings
import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medsegan.errors import DataError, InputError, UsageError
from medsegan.workflows.privacy.quiet import hear_libraries, quiet_libraries, silence_libraries
from medsegan.workflows.privacy.redaction import Redaction

NAMES = st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ_-. 0123456789", min_size=5, max_size=20).filter(
    lambda name: name.strip(" .") == name and any(char.isalpha() for char in name)
)


def case_of(root: Path, *parts: str) -> Path:
    """A file below a folder, with the folders above it."""
    path = root.joinpath(*parts)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"")
    return path


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("{path}: 12 slices of 512 x 512", "4711: 12 slices of 512 x 512"),
        ("{path.parent}: holds nothing", "{root}/[file]: holds nothing"),
        ("{path.name} and MILLER go by one name", "[name] and [name] go by one name"),
        ("Miller_John's scan, not Millerton's", "[name]'s scan, not Millerton's"),
        ("{root}/elsewhere/IM0001: is damaged", "{root}/[file]: is damaged"),
        ("{root}: holds 3 scans and a CT image", "{root}: holds 3 scans and a CT image"),
    ],
)
def test_a_message_on_one_case(tmp_path: Path, message: str, expected: str) -> None:
    root = tmp_path / "MILLER_of_the_user"
    path = case_of(root, "MILLER", "ct", "Miller_John.nii.gz")
    redaction = Redaction((root,))
    text = message.format(path=path, root=root)
    assert redaction.of_case(text, "4711", path) == expected.format(root=root)
    assert Redaction((root,), is_off=True).of_case(text, "4711", path) == text


def test_folders_with_ordinary_names_leave_the_sentence_alone(tmp_path: Path) -> None:
    path = case_of(tmp_path, "one", "position", "left", "IM_MILLER_1")
    text = f"{path}: ask for one of them; 2 slices at one position, IM_MILLER_1 is left out"
    expected = "4711: ask for one of them; 2 slices at one position, [name] is left out"
    assert Redaction((tmp_path,)).of_case(text, "4711", path) == expected


@given(st.lists(NAMES, min_size=1, max_size=3), st.sampled_from(["{}", "x {}: y", "'{}'", "({}, {})", "{}/IM1"]))
def test_no_part_of_a_path_is_left(parts: list[str], message: str) -> None:
    root = Path("/nowhere/typed")
    path = root.joinpath(*parts, "scan.nii")
    for form in (str(path), str(path.parent), *parts):
        text = Redaction((root,)).of_case(message.format(form, form), "4711", path)
        assert not [part for part in parts if part.lower() in text.lower()]


def test_relative_and_resolved_paths_are_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    case_of(Path("real"), "DOE", "a.nii")
    Path("typed").symlink_to("real")
    path = Path("typed/DOE/a.nii")
    for form in (path, path.absolute(), path.resolve()):
        for typed in (Path("typed"), Path("typed").absolute(), Path(), tmp_path):
            assert Redaction((typed,)).of_case(f"{form}: bad", "4711", path) == "4711: bad"
            assert "DOE" not in Redaction((typed,)).of_everything(f"{form}: bad")


def test_what_was_typed_is_said_back(tmp_path: Path) -> None:
    path = case_of(tmp_path, "DOE", "DOE_JANE.nii.gz")
    redaction = Redaction((path,))
    assert redaction.name_of(path, "4711") == str(path)
    for said in (redaction.of_case(f"{path}: bad", "4711", path), redaction.of_everything(f"{path}: bad")):
        assert said == f"{path}: bad"
    gone = tmp_path / "gone"
    assert Redaction((gone,)).of_everything(f"there is no file {gone}") == f"there is no file {gone}"
    assert Redaction((tmp_path,)).name_of(path, "4711") == "4711"
    assert str(path) in Redaction((tmp_path,), is_off=True).name_of(path, "4711")


def test_names_inside_of_archives(tmp_path: Path) -> None:
    path = tmp_path / "in" / "scan.zip"
    path.parent.mkdir()
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("DOE_JANE/IM_DOE_0001", b"x")
    text = f"{path}: '../DOE_JANE/IM_DOE_0001' leads out; {path}/DOE_JANE/IM_DOE_0001 is damaged"
    for said in (
        Redaction((tmp_path / "in",)).of_case(text, "4711", path),
        Redaction((tmp_path / "in",)).of_everything(text),
        Redaction((path,)).of_case(text, "4711", path),
    ):
        assert "DOE" not in said


def test_classes_may_be_named(tmp_path: Path) -> None:
    """A folder with a file for each class is called after classes, and a user needs to know which is bad."""
    image = case_of(tmp_path, "DOE", "ct.nii.gz")
    liver = case_of(tmp_path, "DOE", "segmentations", "liver.nii.gz")
    said = Redaction((tmp_path,)).of_case(f"{liver}: of liver, 3 voxels", "4711", image, liver.parent)
    assert said == "4711/liver.nii.gz: of liver, 3 voxels"


def test_errors_that_end_the_work(tmp_path: Path) -> None:
    path = case_of(tmp_path, "DOE_JANE", "a.nii")
    redaction = Redaction((tmp_path,))
    with pytest.raises(DataError, match=r"^\[file\]: bad; .*-v"), redaction.of_errors():
        raise DataError(f"{path}: bad")
    with pytest.raises(InputError, match=r"^.*\[file\]'?; "), redaction.of_errors():
        raise PermissionError(13, "Permission denied", str(path))
    with pytest.raises(RuntimeError, match=r"^what of \[name\]$"), redaction.of_errors():
        raise RuntimeError("what of DOE_JANE")
    with pytest.raises(DataError, match=r"^all is bad$"), redaction.of_errors():
        raise DataError("all is bad")
    with pytest.raises(UsageError, match="DOE_JANE"), redaction.of_errors():
        raise UsageError(f"-o {path}: is there already")
    with pytest.raises(DataError, match="DOE_JANE"), Redaction((tmp_path,), is_off=True).of_errors():
        raise DataError(f"{path}: bad")


def test_libraries_are_not_heard(capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture) -> None:
    shown = warnings.showwarning
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        with quiet_libraries():
            warnings.warn("Invalid value for VR DA: 'DOE'", stacklevel=1)
            logging.getLogger("a library").warning("DOE")
        assert capfd.readouterr() == ("", "")
        logging.getLogger("a library").warning("heard")
        assert [record.message for record in caplog.records] == ["heard"]
    silence_libraries()
    hear_libraries()
    assert logging.root.manager.disable == logging.NOTSET
    warnings.showwarning = shown


def test_the_command_line_is_quiet_unless_asked(tmp_path: Path) -> None:
    """In a process of its own: pytest has its own way with warnings."""
    code = (
        "import sys, types, warnings, logging, nibabel; from medsegan_cli import main, info\n"
        "sys.modules['medsegan.workflows.info'] = w = types.ModuleType('info')\n"
        "def collect(_):\n"
        "    warnings.warn('Invalid value: DOE'); logging.getLogger('nibabel.global').warning('DOE'); return {}\n"
        "w.collect_info = collect\n"
        "sys.exit(main.run([*sys.argv[1:], 'info']))\n"
    )
    for flags, is_heard in (([], False), (["-v"], True)):
        call = [sys.executable, "-W", "always", "-c", code, *flags]
        done = subprocess.run(call, capture_output=True, text=True, check=True, cwd=tmp_path, env=os.environ)
        assert ("DOE" in done.stderr) is is_heard


def test_what_decoders_print_past_python_is_not_heard_unless_asked(tmp_path: Path) -> None:
    """MetaIO prints a line for each of its functions that a damaged header went through, libtiff file names."""
    path = tmp_path / "a.mha"
    path.write_bytes(b"ObjectType = Image\nNDims = 3\nElementDataFile = LOCAL\n")
    code = (
        "import os, sys; from medsegan_cli import main\n"
        "code = main.run([*sys.argv[1:], 'convert', 'a.mha', 'b.nii'])\n"
        "os.write(2, b'free again\\n'); print('and Python', file=sys.stderr); sys.exit(code)\n"
    )
    for flags, is_heard in (([], False), (["-v"], True)):
        call = [sys.executable, "-c", code, *flags]
        done = subprocess.run(call, capture_output=True, text=True, check=False, cwd=tmp_path, env=os.environ)
        assert done.returncode == 3
        assert ("MetaImage: Read" in done.stderr) is is_heard
        lines = done.stderr.splitlines()
        assert lines[-2:] == ["free again", "and Python"]
        assert lines[-3].startswith("medsegan: error: a.mha")
        assert is_heard or len(lines) == 3


def test_without_a_stderr_nothing_is_turned(tmp_path: Path) -> None:
    code = "import os; os.close(2)\nfrom medsegan.workflows.privacy.quiet import quiet_libraries\n"
    code += "with quiet_libraries():\n    print('done')\n"
    done = subprocess.run([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "done\n")
