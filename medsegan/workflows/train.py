"""`train`: the joint model and its encoder, or the supervised yardstick, on one domain of a workspace."""

import copy
from collections.abc import Callable
from pathlib import Path

import torch
from torch import nn

from ..data import LabeledSlices, UnlabeledSlices, load_labeled, load_unlabeled
from ..methods import UnetStage
from ..progress import SILENT, Progress
from ..training.config import TrainConfig
from ..training.encoder import EncoderStage
from ..training.gan import GanStage
from ..training.loop import Schedule, run_stage
from ..training.lpips import Lpips
from ..training.perceptual import Perceptual
from ..training.samples import write_reconstructions, write_samples
from ..training.seeding import seed_step
from ..training.stage import Stage
from .learning.options import TrainOptions, TrainResult
from .learning.plan import TrainingPlan, plan_training
from .model_file import write_model
from .workspace import Workspace

__all__ = ["TrainOptions", "TrainResult", "train"]

GAN_SHARE = 0.55  # of a time budget; the encoder gets the rest


def train(workspace: Workspace, options: TrainOptions, progress: Progress = SILENT) -> TrainResult:
    """The finished run: its model is in `runs/<name>/model`.

    Only the images of the training split are read, and only the labels of the drawn cases.

    Args:
        workspace: with a prepared domain.
        options: see `TrainOptions`.
        progress: hears of stages and notes.

    Raises:
        UsageError, InputError, DataError, NothingToDoError: see `plan_training`.
        ModelError: a run to resume does not fit.
        DeviceError: a named device is absent.
    """
    plan = plan_training(workspace, options)
    for note in _notes(plan):
        progress.note(note)
    labeled = load_labeled(plan.store, plan.labeled, plan.device)
    unlabeled = load_unlabeled(plan.store, plan.unlabeled, plan.device)
    training = _Training(plan, options, labeled, unlabeled, progress)
    with torch.random.fork_rng(devices=[plan.device] if plan.device.type == "cuda" else []):
        if not options.dry_run:
            plan.run.begin(plan.config, plan.record(), resume=options.resume, overwrite=options.overwrite)
        METHODS[plan.config.method](training)
    return training.result()


def _notes(plan: TrainingPlan) -> list[str]:
    manifest = plan.store.manifest
    return [
        f"device {plan.device}: {plan.device_reason}",
        f"run {plan.run.path.name}: {plan.config.method}, preset {plan.config.preset}, {manifest.size} px, "
        f"classes {', '.join(manifest.class_names[1:])}",
        f"{len(plan.labeled)} labelled of {len(plan.unlabeled)} training cases: {' '.join(plan.labeled)}",
    ]


class _Training:
    """One training in the making: the data, and what each stage came to."""

    def __init__(
        self,
        plan: TrainingPlan,
        options: TrainOptions,
        labeled: LabeledSlices,
        unlabeled: UnlabeledSlices,
        progress: Progress,
    ) -> None:
        self.plan, self.options, self.progress = plan, options, progress
        self.labeled, self.unlabeled = labeled, unlabeled
        self.images: dict[str, int] = {}
        self.seconds: dict[str, float] = {}
        self.parameters: dict[str, int] = {}

    @property
    def config(self) -> TrainConfig:
        """The resolved configuration."""
        return self.plan.config

    def seed(self, stage: str) -> None:
        """Set the random state in which a stage is built."""
        seed_step(self.config.seed, 0, f"build {stage}", 0)

    def run(self, stage: Stage, images: int, share: float, on_sample: Callable[[int], None] | None = None) -> None:
        """Train one stage to its end; a dry run only counts its weights."""
        assert isinstance(stage, nn.Module)
        for name, part in stage.named_children():
            if count := sum(weight.numel() for weight in part.parameters() if weight.requires_grad):
                self.parameters[name] = count
        budget = self.plan.time_budget_s
        self.images[stage.name] = images
        if self.options.dry_run:
            return
        schedule = Schedule(images, None if budget is None else budget * share, self.config.seed)
        end = run_stage(stage, schedule, self.plan.run, self.progress, on_sample)
        self.images[stage.name], self.seconds[stage.name] = end.nimg, round(end.seconds, 1)

    def finish(self, parts: dict[str, nn.Module]) -> None:
        """Write the model."""
        if not self.options.dry_run:
            write_model(self.plan.run.model, parts, self.config, self.plan.facts)

    def result(self) -> TrainResult:
        """The answer of `train`."""
        plan = self.plan
        return TrainResult(
            run=plan.run.path.name,
            path=plan.run.path,
            method=self.config.method,
            domain=plan.store.manifest.domain,
            device=f"{plan.device} ({plan.device_reason})",
            preset=self.config.preset,
            labeled_cases=plan.labeled,
            n_training_cases=len(plan.unlabeled),
            n_slices=len(self.unlabeled),
            n_labeled_slices=len(self.labeled),
            parameters=self.parameters,
            images=self.images,
            seconds=self.seconds,
            memory_bytes=self.unlabeled.images.nbytes + self.labeled.images.nbytes + self.labeled.labels.nbytes,
            dry_run=self.options.dry_run,
        )


def _train_gan(training: _Training) -> None:
    """Both stages of the method: generator and critics, then the encoder of the averaged generator."""
    config, samples = training.config, training.plan.run.samples
    shape = config.generator.shape(training.plan.facts.size, training.labeled.n_classes)
    training.seed("gan")
    gan = GanStage(shape, config.gan, training.labeled, training.unlabeled)
    training.run(
        gan, config.gan.images, GAN_SHARE, lambda nimg: write_samples(gan, samples / f"gan-{nimg:09d}.png")
    )
    training.seed("encoder")
    weights = config.encoder.perceptual_file
    perceptual = Perceptual(copy.deepcopy(gan.image_critic)) if weights is None else Lpips(Path(weights))
    encoder = EncoderStage(
        copy.deepcopy(gan.average), perceptual, config.encoder, training.labeled, training.unlabeled
    )
    training.run(
        encoder,
        config.encoder.images,
        1 - GAN_SHARE,
        lambda nimg: write_reconstructions(encoder, samples / f"encoder-{nimg:09d}.png"),
    )
    training.finish({"generator": gan.average, "encoder": encoder.encoder, "image_critic": gan.image_critic})


def _train_unet(training: _Training) -> None:
    """The yardstick: one stage on the labelled cases alone."""
    training.seed("unet")
    stage = UnetStage(training.config.unet, training.labeled)
    training.run(stage, training.config.unet.images, 1.0)
    training.finish({"network": stage.network})


METHODS: dict[str, Callable[[_Training], None]] = {"gan": _train_gan, "unet": _train_unet}
