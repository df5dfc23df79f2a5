"""`eval`: 3D scores of a run on a domain, per patient and per class, on the scans' own grids."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch

from ..errors import DataError, InputError, MedseganError, NothingToDoError, UsageError
from ..imaging import LabelVolume, read_label, write_label
from ..metrics import CaseScores, EvaluationReport, score_case, score_missing
from ..pictures import montage, write_png
from ..progress import SILENT, Progress
from ..shapes import Array, LabelArray
from ..slices import CaseRecord, SliceStore, cut_label
from .choose_model import choose_model
from .device import choose_device
from .label_scan import label_scan
from .listing import is_volume_file
from .model_file import TrainedModel, read_model
from .overlays import overlay_tiles
from .segment_options import STEPS, Failure, Quality
from .workspace import Workspace

__all__ = ["EvaluateOptions", "EvaluateResult", "Failure", "evaluate"]

PICTURE_COLUMNS = 6


@dataclass(frozen=True)
class EvaluateOptions:
    """The options of one evaluation.

    Args:
        domain: whose labelled cases are scored.
        run: name of the run or path of its folder; None = the newest finished one.
        split: patients to score.
        quality, steps: see `SegmentOptions`.
        device: see `choose_device`.
        overwrite: label cases again that were labelled before.
    """

    domain: str
    run: str | None = None
    split: Literal["train", "val", "test", "all"] = "test"
    quality: Quality = "balanced"
    steps: int | None = None
    device: str = "auto"
    overwrite: bool = False

    @property
    def n_steps(self) -> int:
        """Optimisation steps."""
        return STEPS[self.quality] if self.steps is None else self.steps


@dataclass(frozen=True)
class EvaluateResult:
    """The scores and where they were written.

    Args:
        report: scores per case, with their summary.
        csv, json: files of the report.
        picture: slices of every case with both contours.
        failures: cases that could not be labelled; they are scored as missed.
    """

    report: EvaluationReport
    csv: Path
    json: Path
    picture: Path | None
    failures: tuple[Failure, ...]

    def to_json(self) -> dict[str, Any]:
        """The report with the paths, as plain values."""
        return {
            **self.report.to_json(),
            "files": {"csv": str(self.csv), "json": str(self.json), "picture": str(self.picture)},
            "failures": [{"source": str(f.source), "message": f.message} for f in self.failures],
        }


def evaluate(workspace: Workspace, options: EvaluateOptions, progress: Progress = SILENT) -> EvaluateResult:
    """The scores of a run on the labelled cases of a domain's split.

    Cases that are not yet labelled are labelled first; masks are kept with the run. A case that cannot be labelled
    counts as missed.

    Args:
        workspace: with the domain and the run.
        options: see `EvaluateOptions`.
        progress: hears of cases and notes.

    Raises:
        UsageError: there is no such domain.
        NothingToDoError: the split has no labelled case.
        DataError: model and domain share no class.
        ModelError, DeviceError: see `choose_model`, `choose_device`.
    """
    store = _open_store(workspace, options.domain)
    cases = store.cases(None if options.split == "all" else options.split, labeled=True)
    if not cases:
        raise NothingToDoError(
            f"domain {options.domain} has no labelled case in its {options.split} split; choose another --split"
        )
    folder = choose_model(workspace, options.run)
    device, reason = choose_device(options.device)
    evaluation = _Evaluation(store, read_model(folder, device), device, options)
    seen = "in-domain" if evaluation.in_domain else "out-of-domain: the model never saw this domain"
    progress.note(f"{folder.parent.name} on {options.domain}, {len(cases)} cases, {seen}; {device} ({reason})")
    progress.start(f"eval {options.domain}", len(cases), "cases")
    for count, case in enumerate(cases, start=1):
        evaluation.add(case)
        progress.update(count)
    progress.finish()
    return evaluation.finish(workspace.reports)


class _Evaluation:
    """One evaluation in the making."""

    def __init__(
        self, store: SliceStore, model: TrainedModel, device: torch.device, options: EvaluateOptions
    ) -> None:
        self.store, self.model, self.device, self.options = store, model, device, options
        self.run = model.folder.parent
        self.in_domain = options.domain in model.facts.domains
        self.classes = self._shared_classes()
        self.rows: list[CaseScores] = []
        self.failures: list[Failure] = []
        self.tiles: list[Array] = []
        self.captions: list[str] = []

    def _shared_classes(self) -> dict[str, int]:
        """Name and model's class index of every class that the model knows and the domain annotates."""
        manifest, facts = self.store.manifest, self.model.facts
        annotated = [n for n, v in zip(manifest.class_names, manifest.class_values, strict=True) if v > 0]
        shared = {name: index for index, name in enumerate(facts.class_names) if name in annotated}
        if not shared:
            raise DataError(
                f"the model knows {', '.join(facts.class_names[1:])}, but domain {manifest.domain} annotates "
                f"{', '.join(annotated) or 'nothing'}; prepare it with --classes and the model's names"
            )
        return shared

    def add(self, case: CaseRecord) -> None:
        """Score one case."""
        reference = self._reference(case)
        try:
            prediction = self._prediction(case)
        except MedseganError as error:
            self.failures.append(Failure(self._source(case), str(error)))
            scores = score_missing(reference, self.classes)
        else:
            scores = score_case(prediction, reference, self.classes)
            self._picture(case, prediction.array, reference.array)
        self.rows.append(CaseScores(case.case_id, case.patient_id, scores))

    def _source(self, case: CaseRecord) -> Path:
        return Path(str(self.store.sources[case.case_id]["image"]))

    def _reference(self, case: CaseRecord) -> LabelVolume:
        """The case's own label file, its values replaced by the model's class indices."""
        path = Path(str(self.store.sources[case.case_id]["label"]))
        if not path.exists():
            raise InputError(
                f"{path}: the labels of case {case.case_id} are no longer there; prepare the domain again"
            )
        label = read_label(path)
        manifest = self.store.manifest
        values = dict(zip(manifest.class_names, manifest.class_values, strict=True))
        return LabelVolume(
            _map(label.array, {values[name]: index for name, index in self.classes.items()}), label.grid
        )

    def _prediction(self, case: CaseRecord) -> LabelVolume:
        """The run's mask of a case as class indices, made first if it is not there."""
        folder = self.run / "predictions" / self.options.domain / f"steps-{self.options.n_steps:03d}"
        path = folder / f"{case.case_id}.nii.gz"
        facts = self.model.facts
        if self.options.overwrite or not path.is_file():
            folder.mkdir(parents=True, exist_ok=True)
            source = self._source(case)
            scan = label_scan(
                self.model, self.device, source, self.options.n_steps, lambda _: None, modality=case.modality
            )
            write_label(scan.label(facts.class_values), path, like=source if is_volume_file(source) else None)
        label = read_label(path)
        indices = {facts.class_values[index]: index for index in self.classes.values()}
        return LabelVolume(_map(label.array, indices), label.grid)

    def _picture(self, case: CaseRecord, prediction: LabelArray, reference: LabelArray) -> None:
        frame, n_classes = case.frame, len(self.model.facts.class_names)
        stored = np.asarray(self.store.read_images(case.case_id), dtype=np.float32)
        low, high = self.store.manifest.window
        images = np.clip((stored - low) / (high - low) * 2 - 1, -1, 1)
        cut = [cut_label(array, frame, n_classes) for array in (prediction, reference)]
        tiles = overlay_tiles(images, cut[0], cut[1], PICTURE_COLUMNS)
        blank = np.zeros_like(tiles[0])
        tiles += [blank] * (PICTURE_COLUMNS - len(tiles))
        self.tiles += tiles
        self.captions += [case.case_id] + [""] * (PICTURE_COLUMNS - 1)

    def finish(self, reports: Path) -> EvaluateResult:
        """Write the report and return it."""
        report = EvaluationReport(
            run=self.run.name,
            domain=self.options.domain,
            in_domain=self.in_domain,
            split=self.options.split,
            policy="penalise",
            rows=tuple(self.rows),
        )
        folder = reports / f"{self.run.name}-on-{self.options.domain}-{self.options.split}"
        csv, json, picture = folder / "scores.csv", folder / "summary.json", folder / "overlays.png"
        report.write_csv(csv)
        report.write_json(json)
        if self.tiles:
            write_png(montage(self.tiles, PICTURE_COLUMNS, self.captions), picture)
        return EvaluateResult(report, csv, json, picture if self.tiles else None, tuple(self.failures))


def _map(array: LabelArray, indices: dict[int, int]) -> LabelArray:
    mapped = np.zeros(array.shape, dtype=np.uint8)
    for value, index in indices.items():
        mapped[array == value] = index
    return mapped


def _open_store(workspace: Workspace, domain: str) -> SliceStore:
    path = workspace.store_path(domain)
    if not path.is_dir():
        known = ", ".join(workspace.domains) or "none yet; run `medsegan prepare` first"
        raise UsageError(f"there is no domain {domain!r} in {workspace.root}; prepared are: {known}")
    return SliceStore.open(path)
