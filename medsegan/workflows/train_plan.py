"""Everything that a training needs to know before it starts: domain, cases, configuration, device."""

from dataclasses import dataclass
from typing import Any

import torch

from ..errors import DataError, ModelError, NothingToDoError, UsageError
from ..slices import SliceStore, draw_labeled
from ..training.config import TrainConfig, resolve_config
from ..training.run_folder import RunFolder
from .device import choose_device
from .model_file import ModelFacts
from .train_options import TrainOptions
from .workspace import Workspace


@dataclass(frozen=True)
class TrainingPlan:
    """A training that is ready to start.

    Args:
        run: its folder.
        store: slices of the domain.
        labeled: case ids whose labels are read.
        unlabeled: case ids whose images are read: all of the training split, the labelled ones among them.
        config: resolved.
        facts: for the model.
        device, device_reason: where, and why there.
    """

    run: RunFolder
    store: SliceStore
    labeled: tuple[str, ...]
    unlabeled: tuple[str, ...]
    config: TrainConfig
    facts: ModelFacts
    device: torch.device
    device_reason: str

    def record(self) -> dict[str, Any]:
        """What run.json says of the data."""
        return {
            "domain": self.store.manifest.domain,
            "labeled_cases": list(self.labeled),
            "training_cases": list(self.unlabeled),
            "device": str(self.device),
        }


def plan_training(workspace: Workspace, options: TrainOptions) -> TrainingPlan:
    """The plan of a training; nothing is written.

    Raises:
        InputError: there is no prepared domain.
        UsageError: several domains and none named, or more labelled patients asked for than there are.
        ModelError: a run to resume is there but was started with other options.
    """
    device, reason = choose_device(options.device)
    resumed = _resumed_run(workspace, options)
    if resumed is not None:
        run, config, facts = resumed
        store = SliceStore.open(workspace.store_path(facts["domain"]))
        labeled, unlabeled = tuple(facts["labeled_cases"]), tuple(facts["training_cases"])
        known = {case.case_id for case in store.manifest.cases}
        if not known.issuperset(unlabeled):
            raise ModelError(
                f"the run {run.path.name} was started on cases that domain {facts['domain']} no longer holds; "
                "it was prepared anew since: train with --overwrite"
            )
    else:
        store = SliceStore.open(workspace.store_path(_choose_domain(workspace, options.domain)))
        labeled, unlabeled = _choose_cases(store, options)
        config = _resolve(options, device, store.manifest.size)
        run = RunFolder(workspace.run_path(options.name or _default_name(options, store, labeled)))
    if not labeled:
        raise NothingToDoError(
            "--labeled 0: nothing can be learned about labels; give at least one labelled patient"
        )
    return TrainingPlan(run, store, labeled, unlabeled, config, _model_facts(workspace, store), device, reason)


def _resumed_run(
    workspace: Workspace, options: TrainOptions
) -> tuple[RunFolder, TrainConfig, dict[str, Any]] | None:
    """The run that --resume goes on with; None if there is none yet. Its own configuration holds."""
    if not options.resume:
        return None
    if options.name:
        run = RunFolder(workspace.run_path(options.name))
    else:
        store = SliceStore.open(workspace.store_path(_choose_domain(workspace, options.domain)))
        labeled, _ = _choose_cases(store, options)
        run = RunFolder(workspace.run_path(_default_name(options, store, labeled)))
    if not run.is_started:
        return None
    config, facts = run.config(), run.facts()
    _require_agreement(run, config, facts, options)
    return run, config, facts


def _require_agreement(run: RunFolder, config: TrainConfig, facts: dict[str, Any], options: TrainOptions) -> None:
    """A resumed run keeps its configuration; options that say otherwise are an error, not ignored."""
    repeated = resolve_config(
        options.method or config.method,
        config.preset if options.preset == "auto" else options.preset,
        options.seed or config.seed,
        options.settings,
        _lengths(options),
    )
    if options.settings or options.images or options.encoder_images or options.preset != "auto":
        differs = repeated != config
    else:
        differs = (repeated.method, repeated.seed) != (config.method, config.seed)
    differs |= options.domain not in (None, facts["domain"])
    if differs:
        raise ModelError(
            f"the run {run.path.name} was started with other options; see {run.path / 'config.toml'}. "
            "Repeat those, leave them out, or start another run with --name"
        )


def _choose_domain(workspace: Workspace, name: str | None) -> str:
    if name is not None:
        if not workspace.store_path(name).is_dir():
            known = ", ".join(workspace.domains) or "none yet; run `medsegan prepare` first"
            raise UsageError(f"there is no domain {name!r} in {workspace.root}; prepared are: {known}")
        return name
    prepared = [domain for domain in workspace.domains if workspace.store_path(domain).is_dir()]
    if not prepared:
        raise NothingToDoError(f"no domain is prepared in {workspace.root}; run `medsegan prepare` first")
    trainable = [
        domain for domain in prepared if SliceStore.open(workspace.store_path(domain)).cases("train", True)
    ]
    if len(trainable) > 1:
        raise UsageError(f"there are several domains to learn ({', '.join(trainable)}); choose one with --domain")
    return trainable[0] if trainable else prepared[0]


def _choose_cases(store: SliceStore, options: TrainOptions) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Labelled cases, drawn by patient, and all cases of the training split."""
    candidates = store.cases("train", labeled=True)
    patients = tuple(dict.fromkeys(case.patient_id for case in candidates))
    if not patients:
        raise DataError(
            f"domain {store.manifest.domain} has no labelled patient in its training split; "
            "prepare it with labels, or with smaller --test-fraction and --val-fraction"
        )
    n_labeled = len(patients) if options.labeled is None else options.labeled
    drawn = set(draw_labeled(patients, n_labeled, options.seed))
    labeled = tuple(case.case_id for case in candidates if case.patient_id in drawn)
    return labeled, tuple(case.case_id for case in store.cases("train"))


def _resolve(options: TrainOptions, device: torch.device, size: int) -> TrainConfig:
    preset = options.preset
    if preset == "auto":
        preset = "tiny" if device.type == "cpu" else "small" if size <= 128 else "base"
    return resolve_config(options.method or "gan", preset, options.seed, options.settings, _lengths(options))


def _lengths(options: TrainOptions) -> dict[str, dict[str, Any]]:
    rows: dict[str, dict[str, Any]] = {}
    if options.images is not None:
        rows["unet" if options.method == "unet" else "gan"] = {"images": options.images}
    if options.encoder_images is not None:
        rows["encoder"] = {"images": options.encoder_images}
    return rows


def _default_name(options: TrainOptions, store: SliceStore, labeled: tuple[str, ...]) -> str:
    n_patients = len({store.manifest.case(case_id).patient_id for case_id in labeled})
    return f"{options.method or 'gan'}-{store.manifest.domain}-{n_patients}"


def _model_facts(workspace: Workspace, store: SliceStore) -> ModelFacts:
    manifest = store.manifest
    values = tuple(
        workspace.labels.get(name, value)
        for name, value in zip(manifest.class_names, manifest.class_values, strict=True)
    )
    return ModelFacts(
        plane=manifest.plane,
        size=manifest.size,
        class_names=manifest.class_names,
        class_values=values,
        domains={manifest.domain: manifest.modality},
        windows={manifest.modality: manifest.window},
    )
