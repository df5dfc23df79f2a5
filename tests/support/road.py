"""A workspace on phantoms with tiny finished runs, made through the command line."""

from pathlib import Path

from medsegan.phantoms import write_dataset
from medsegan_cli import main

CLASSES = "liver=1,spleen=2,right_kidney=3,left_kidney=4"
SMALL = ["--set", "gan.batch=8", "--set", "encoder.batch=8", "--set", "unet.batch=8"]
SMALL += ["--set", "generator.channel_base=256", "--set", "generator.channel_max=16", "--set", "encoder.width=16"]


def run(*arguments: object) -> int:
    """The exit code of one call of the command line."""
    return main.run([str(argument) for argument in arguments])


def write_phantoms(folder: Path, n_ct: int = 6, n_mr: int = 2) -> None:
    """Scans of both appearances with their labels."""
    write_dataset(folder / "ct", "ct", n_ct, seed=3)
    write_dataset(folder / "mr", "mr", n_mr, seed=3)


def prepare_both(workspace: Path, scans: Path) -> None:
    """Both domains at 32 pixels: CT split by patient, MR a test set."""
    common = ["--size", 32, "--classes", CLASSES]
    assert run("-C", workspace, "prepare", scans / "ct", *common, "--val-fraction", 0, "--test-fraction", 0.3) == 0
    assert run("-C", workspace, "prepare", scans / "mr", *common, "--test-fraction", 1) == 0


def train_both(workspace: Path) -> None:
    """A joint GAN and a U-Net of a few steps each."""
    options = ["--labeled", 2, "--device", "cpu", *SMALL]
    gan = ["--images", 64, "--encoder-images", 48, "--name", "gan"]
    assert run("-C", workspace, "train", *gan, *options) == 0
    assert run("-C", workspace, "train", "--method", "unet", "--images", 64, "--name", "unet", *options) == 0
