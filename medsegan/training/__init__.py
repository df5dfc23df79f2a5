"""Training: configuration, losses, stages, loop, checkpoints."""

from .config import PRESETS, TrainConfig, resolve_config
from .encoder import EncoderStage
from .gan import GanStage
from .loop import Schedule, run_stage
from .lpips import Lpips
from .perceptual import Perceptual
from .run_folder import RunFolder
from .samples import write_reconstructions, write_samples
from .seeding import seed_step
from .stage import Stage

__all__ = [
    "PRESETS",
    "EncoderStage",
    "GanStage",
    "Lpips",
    "Perceptual",
    "RunFolder",
    "Schedule",
    "Stage",
    "TrainConfig",
    "resolve_config",
    "run_stage",
    "seed_step",
    "write_reconstructions",
    "write_samples",
]
