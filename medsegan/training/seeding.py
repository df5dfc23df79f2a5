"""Random states that follow from the seed and the number of images seen, so that a resumed run is exact."""

import hashlib

import torch


def seed_step(seed: int, rank: int, stage: str, nimg: int) -> None:
    """Set torch's default random state for the step that begins at image `nimg` of a stage.

    Nothing random is carried from step to step, so that a run that was killed and resumed draws what an
    uninterrupted one does.
    """
    text = f"{seed}/{rank}/{stage}/{nimg}".encode()
    torch.manual_seed(int.from_bytes(hashlib.sha256(text).digest()[:8], "big") >> 1)
