"""What a path may be besides a good file: nothing is waited for, nothing big allocated on a header's word."""

import os
import socket
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from medsegan.errors import DataError, InputError
from medsegan.imaging import read_label, read_volume

NAMES = (
    "a.nii",
    "a.nii.gz",
    "a.hdr",
    "a.nrrd",
    "a.nhdr",
    "a.mha",
    "a.mhd",
    "a.png",
    "a.tif",
    "a.zip",
    "a.dcm",
    "a",
)


def refused(path):
    for read in (read_volume, read_label):
        with pytest.raises((InputError, DataError)) as caught:
            read(path)
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("content", [b"", b"\0", b"\x1f\x8b", b"no image at all\n" * 40, bytes(4096)])
def test_files_of_nothing(tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    refused(tmp_path / name)


@pytest.mark.parametrize("name", NAMES)
def test_pipes_are_not_waited_for(tmp_path, name):
    os.mkfifo(tmp_path / name)
    with pytest.raises(InputError, match="a pipe, a socket or a device"):
        read_volume(tmp_path / name)
    refused(tmp_path / name)


def test_pipes_and_loops_in_a_folder_of_slices_are_passed_over(tmp_path):
    os.mkfifo(tmp_path / "IM0001.dcm")
    (tmp_path / "again").symlink_to(tmp_path)
    refused(tmp_path)


def test_sockets_and_devices(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # names of sockets are short
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("a.nii")
        refused(tmp_path / "a.nii")
    refused(Path(os.devnull))


def test_folders_links_and_names(tmp_path):
    (tmp_path / "folder.nii.gz").mkdir()
    (tmp_path / "loop.nii").symlink_to(tmp_path / "loop.nii")
    (tmp_path / "dangling.nii").symlink_to(tmp_path / "nowhere.nii")
    (tmp_path / "file.nii").write_bytes(b"")
    for name in ("folder.nii.gz", "loop.nii", "dangling.nii", "file.nii/below.nii", "x" * 300, "nul\0.nii"):
        refused(tmp_path / name)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_what_must_not_be_read(tmp_path):
    for name in NAMES:
        (tmp_path / name).write_bytes(b"something")
        (tmp_path / name).chmod(0)
        refused(tmp_path / name)


def test_a_header_that_promises_terabytes_gets_no_memory(tmp_path):
    """In a process of its own that may take half a gigabyte more than it has."""
    script = textwrap.dedent(
        """
        import gzip, resource, sys, warnings
        from pathlib import Path
        import nibabel as nib, numpy as np, SimpleITK as sitk
        from PIL import Image
        from medsegan.errors import MedseganError
        from medsegan.imaging import read_volume

        folder = Path(sys.argv[1])
        array = np.zeros((4, 5, 6), np.int16)
        for name in ("a.nii", "b.nii.gz"):
            nib.save(nib.Nifti1Image(array, np.eye(4)), folder / name)
        for name in ("c.nrrd", "d.mha"):
            for packed in (False, True):
                image = sitk.GetImageFromArray(array)
                sitk.WriteImage(image, str(folder / f"{packed}{name}"), useCompression=packed)
        Image.fromarray(array[0].astype(np.uint8)).save(folder / "e.png")
        dims = np.array([3, 9000, 9000, 9000, 1, 1, 1, 1], np.int16).tobytes()
        for path in sorted(folder.iterdir()):
            content = path.read_bytes()
            unpacked = gzip.decompress(content) if path.suffix == ".gz" else content
            if ".nii" in path.name:
                unpacked = unpacked[:40] + dims + unpacked[56:]
            elif path.suffix in (".nrrd", ".mha"):
                unpacked = unpacked.replace(b" 6 5 4", b" 90000 90000 90000")
            else:
                unpacked = unpacked[:16] + (2**31 - 1).to_bytes(4, "big") * 2 + unpacked[24:]
            path.write_bytes(gzip.compress(unpacked) if path.suffix == ".gz" else unpacked)
        pages = int(Path("/proc/self/statm").read_text().split()[0])
        limit = pages * resource.getpagesize() + (512 << 20)
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
        for path in sorted(folder.iterdir()):
            try:
                read_volume(path)
                print("READ", path.name)
            except MedseganError as error:
                assert error.exit_code in (3, 4)
        print("done", len(list(folder.iterdir())))
        """
    )
    if not Path("/proc/self/statm").exists():
        pytest.skip("only Linux says how much memory a process has")
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path)], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.stdout.splitlines() == ["done 7"], done.stderr[-2000:]
