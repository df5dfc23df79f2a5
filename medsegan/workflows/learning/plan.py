"""Everything that a training needs to know before it starts: domain, cases, configuration, device."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch

from ...errors import DataError, ModelError, NothingToDoError, UsageError
from ...slices import SliceStore, classes_in_one_piece, draw_labeled
from ...training.config import TrainConfig, resolve_config
from ...training.run_folder import RunFolder
from ..device import choose_device
from ..model_file import ModelFacts
from ..prepared import require_prepared
from ..workspace import Workspace
from .options import TrainOptions


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
        time_budget_s: seconds for all stages together, as the first call of the run had it; None = none.
    """

    run: RunFolder
    store: SliceStore
    labeled: tuple[str, ...]
    unlabeled: tuple[str, ...]
    config: TrainConfig
    facts: ModelFacts
    device: torch.device
    device_reason: str
    time_budget_s: float | None

    def record(self) -> dict[str, Any]:
        """What run.json says of the data, and of what no configuration holds."""
        return {
            **_data_facts(self.store),
            "labeled_cases": list(self.labeled),
            "training_cases": list(self.unlabeled),
            "time_budget_s": self.time_budget_s,
        }


def plan_training(workspace: Workspace, options: TrainOptions) -> TrainingPlan:
    """The plan of a training; nothing is written.

    Raises:
        InputError: there is no prepared domain.
        UsageError: several domains and none named, or more labelled patients asked for than there are.
        ModelError: a run to resume is there but was started with other options.
    """
    device, reason = choose_device(options.device)
    if options.resume and options.overwrite:
        raise UsageError("--resume goes on with a run and --overwrite throws it away; pass one of them")
    store = SliceStore.open(workspace.store_path(_choose_domain(workspace, options)))
    run = RunFolder(workspace.run_path(options.name or _default_name(options, store)))
    if options.resume and run.is_started:
        config, recorded = _resume(run, store, options)
        labeled, cases = tuple(recorded["labeled_cases"]), tuple(recorded["training_cases"])
        budget = recorded["time_budget_s"]
    else:
        labeled, cases = _draw_labeled(store, options), tuple(case.case_id for case in store.cases("train"))
        config = _resolve(options, device, store.manifest.size)
        budget = options.time_budget_s
    facts = _model_facts(workspace, store, labeled, cases)
    return TrainingPlan(run, store, labeled, cases, config, facts, device, reason, budget)


def _resume(run: RunFolder, store: SliceStore, options: TrainOptions) -> tuple[TrainConfig, dict[str, Any]]:
    """Configuration and run.json of a run that was started; options that differ are an error."""
    config, facts = run.config(), run.facts()
    if run.is_finished:
        raise NothingToDoError(f"the run {run.path.name} is finished; its model is in {run.model}")
    given = _given(options, config)
    known = {
        "--method": config.method,
        "--seed": config.seed,
        "--preset": config.preset,
        "--labeled": _n_patients(store, facts["labeled_cases"]),
        "--time-budget": facts["time_budget_s"],
        "--images": config.unet.images if config.method == "unet" else config.gan.images,
        "--encoder-images": config.encoder.images,
    }
    differs = [
        f"{name} {value} (the run has {known[name]})" for name, value in given.items() if value != known[name]
    ]
    if options.settings and _repeated(options, config) != config:
        differs.append("--set")
    if differs:
        raise ModelError(
            f"the run {run.path.name} was started with other options: {', '.join(differs)}. "
            "Repeat those of the first call, leave them out, or start another run with --name"
        )
    changed = [name for name, value in _data_facts(store).items() if facts.get(name) != value]
    missing = set(facts["training_cases"]) - {case.case_id for case in store.manifest.cases}
    if changed or missing:
        what = ", ".join(changed) or f"{len(missing)} training cases missing"
        raise ModelError(
            f"the run {run.path.name} was started on other data ({what}): the domain was prepared anew since; "
            "train with --overwrite"
        )
    return config, facts


def _given(options: TrainOptions, config: TrainConfig) -> dict[str, Any]:
    """The options of this call that the configuration of a run answers, without those left to their defaults."""
    values = {
        "--method": options.method,
        "--seed": options.seed,
        "--preset": None if options.preset == "auto" else options.preset,
        "--labeled": options.labeled,
        "--time-budget": options.time_budget_s,
        "--images": options.images,
        "--encoder-images": options.encoder_images,
    }
    return {name: value for name, value in values.items() if value is not None}


def _repeated(options: TrainOptions, config: TrainConfig) -> TrainConfig:
    """The configuration of a run once more, with the --set of this call on top."""
    sections = {name: dict(row) for name, row in config.model_dump().items() if isinstance(row, dict)}
    return resolve_config(config.method, config.preset, config.seed, options.settings, {}, sections)


def _data_facts(store: SliceStore) -> dict[str, Any]:
    manifest = store.manifest
    return {
        "domain": manifest.domain,
        "size": manifest.size,
        "plane": manifest.plane,
        "window": list(manifest.window),
        "class_names": list(manifest.class_names),
    }


def _choose_domain(workspace: Workspace, options: TrainOptions) -> str:
    """The domain that was named, or that of the run to resume, or the only one with labelled training cases."""
    name = options.domain
    if name is None and options.resume and options.name:
        run = RunFolder(workspace.run_path(options.name))
        name = run.facts()["domain"] if run.is_started else None
    if name is not None:
        return require_prepared(workspace, name)
    prepared = [domain for domain in workspace.domains if workspace.store_path(domain).is_dir()]
    if not prepared:
        raise NothingToDoError(f"no domain is prepared in {workspace.root}; run `medsegan prepare` first")
    trainable = [
        domain for domain in prepared if SliceStore.open(workspace.store_path(domain)).cases("train", True)
    ]
    if len(trainable) > 1:
        raise UsageError(f"there are several domains to learn ({', '.join(trainable)}); choose one with --domain")
    return trainable[0] if trainable else prepared[0]


def _draw_labeled(store: SliceStore, options: TrainOptions) -> tuple[str, ...]:
    """Labelled cases of the training split, drawn by patient."""
    candidates = store.cases("train", labeled=True)
    patients = tuple(dict.fromkeys(case.patient_id for case in candidates))
    if not patients:
        raise DataError(
            f"domain {store.manifest.domain} has no labelled patient in its training split; "
            "prepare it with labels, or with smaller --test-fraction and --val-fraction"
        )
    manifest = store.manifest
    absent = [n for n, v in zip(manifest.class_names, manifest.class_values, strict=True) if v < 0]
    if absent:
        raise DataError(
            f"the labels of domain {manifest.domain} do not mark {', '.join(absent)}, which a model would take "
            "for background; train on a domain that marks all classes, or prepare with fewer --classes"
        )
    n_labeled = len(patients) if options.labeled is None else options.labeled
    drawn = set(draw_labeled(patients, n_labeled, options.seed or 0))
    return tuple(case.case_id for case in candidates if case.patient_id in drawn)


def _n_patients(store: SliceStore, case_ids: Sequence[str]) -> int:
    return len({case.patient_id for case in store.manifest.cases if case.case_id in set(case_ids)})


def _resolve(options: TrainOptions, device: torch.device, size: int) -> TrainConfig:
    preset = options.preset
    if preset == "auto":
        preset = "tiny" if device.type == "cpu" else "small" if size <= 128 else "base"
    return resolve_config(options.method or "gan", preset, options.seed or 0, options.settings, _lengths(options))


def _lengths(options: TrainOptions) -> dict[str, dict[str, Any]]:
    rows: dict[str, dict[str, Any]] = {}
    if options.images is not None:
        rows["unet" if options.method == "unet" else "gan"] = {"images": options.images}
    if options.encoder_images is not None:
        rows["encoder"] = {"images": options.encoder_images}
    return rows


def _default_name(options: TrainOptions, store: SliceStore) -> str:
    n_patients = _n_patients(store, _draw_labeled(store, options))
    return f"{options.method or 'gan'}-{store.manifest.domain}-{n_patients}"


def _model_facts(
    workspace: Workspace, store: SliceStore, labeled_cases: Sequence[str], training_cases: Sequence[str]
) -> ModelFacts:
    manifest = store.manifest
    patients = sorted({manifest.case(case_id).patient_id for case_id in training_cases})
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
        patients=tuple(patients),
        id_key=manifest.id_key,
        in_one_piece=classes_in_one_piece(map(store.read_labels, labeled_cases), manifest.n_classes),
    )
