"""`eval`: 3D scores of a run on a domain, per patient and per class, on the scans' own grids."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch

from ..errors import DataError, InputError, NothingToDoError
from ..imaging import NO_LABELS_BETWEEN, OTHER_FRAME, LabelVolume, content_hash, read_label, write_label
from ..metrics import CaseScores, EvaluationReport, score_case, score_missing
from ..models import ObjectiveName
from ..pictures import montage, write_png
from ..progress import SILENT, Progress
from ..shapes import Array, LabelArray
from ..slices import CaseRecord, SliceStore, cut_label
from .case_label import read_case_label
from .choose_model import choose_model
from .device import choose_device
from .model_file import TrainedModel, read_model
from .output_folder import make_folder_of
from .overlays import overlay_tiles
from .prepared import require_prepared
from .privacy.private_folder import CaseSource, PrivateFolder
from .privacy.redaction import Redaction
from .provenance import Making, Origin, find_difference, series_setting, write_provenance
from .segmentation.label_scan import Labelling, Reading, label_scan
from .segmentation.options import Failure, Quality, count_steps, describe, require_objective
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
        quality, steps, objective, keep_largest: see `SegmentOptions`.
        device: see `choose_device`.
        overwrite: label cases again that were labelled before.
        resample_labels: whether reference labels on another grid than their scan are resampled instead of refused.
        show_names: whether failures name scans by their paths, which may tell who the patients are.
    """

    domain: str
    run: str | None = None
    split: Literal["train", "val", "test", "all"] = "test"
    quality: Quality = "balanced"
    steps: int | None = None
    objective: ObjectiveName = "auto"
    keep_largest: bool = True
    device: str = "auto"
    overwrite: bool = False
    resample_labels: bool = False
    show_names: bool = False


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
            "files": {"csv": str(self.csv), "json": str(self.json), "picture": self.picture and str(self.picture)},
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
    store = SliceStore.open(workspace.store_path(require_prepared(workspace, options.domain)))
    cases = store.cases(None if options.split == "all" else options.split, labeled=True)
    if not cases:
        raise NothingToDoError(
            f"domain {options.domain} has no labelled case in its {options.split} split; choose another --split"
        )
    sources = workspace.private.read_domain(options.domain)
    _require_known(cases, sources, workspace.private)
    folder = choose_model(workspace, options.run)
    device, reason = choose_device(options.device)
    evaluation = _Evaluation(store, sources, read_model(folder, device), device, options)
    seen = "in-domain" if evaluation.in_domain else "out-of-domain: the model never saw this domain"
    progress.note(f"{folder.parent.name} on {options.domain}, {len(cases)} cases, {seen}; {device} ({reason})")
    for note in evaluation.warnings(cases):
        progress.note(note)
    progress.start(f"eval {options.domain}", len(cases), "cases")
    for count, case in enumerate(cases, start=1):
        evaluation.add(case)
        progress.update(count)
    progress.finish()
    for note in evaluation.label_notes:
        progress.note(note)
    return evaluation.finish(workspace.reports)


def _require_known(cases: Sequence[CaseRecord], sources: Mapping[str, CaseSource], private: PrivateFolder) -> None:
    unknown = [case.case_id for case in cases if case.case_id not in sources]
    if unknown:
        raise DataError(
            f"{private.path} does not say which scans {len(unknown)} cases come from, the first is {unknown[0]}; "
            "copy the folder from the workspace that they were prepared in, or prepare the domain again"
        )


class _Evaluation:
    """One evaluation in the making."""

    def __init__(
        self,
        store: SliceStore,
        sources: Mapping[str, CaseSource],
        model: TrainedModel,
        device: torch.device,
        options: EvaluateOptions,
    ) -> None:
        self.store, self.model, self.device, self.options = store, model, device, options
        self.run = model.folder.parent
        self.in_domain = options.domain in model.facts.domains
        self.classes = self._shared_classes()
        self.n_steps = count_steps(options.quality, options.steps) if model.method == "gan" else 0
        require_objective(options.objective, model.method, self.n_steps)
        parts = "-largest" if options.keep_largest else ""
        name = f"steps-{self.n_steps:03d}-{model.digest[:8]}{self._objective}{parts}"
        self.masks = self.run / "predictions" / options.domain / name
        self.sources = sources
        self.redaction = Redaction((), options.show_names)
        self.rows: list[CaseScores] = []
        self.failures: list[Failure] = []
        self.label_notes: list[str] = []
        self.tiles: list[Array] = []
        self.captions: list[str] = []

    @property
    def _objective(self) -> str:
        """What names of folders say of the objective; nothing of the usual one."""
        return "" if self.options.objective == "auto" else f"-{self.options.objective}"

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

    def warnings(self, cases: Sequence[CaseRecord]) -> list[str]:
        """What makes the scores mean less than they seem to.

        Raises:
            DataError: held-out patients of the model's own domain were in its training.
        """
        notes = []
        absent = [name for name in self.model.facts.class_names[1:] if name not in self.classes]
        if absent:
            notes.append(f"not annotated in {self.options.domain}, and in no mean: {', '.join(absent)}")
        if self.model.facts.id_key != self.store.manifest.id_key:
            notes.append(
                "the ids of the model's patients were made with another key, as in another workspace: whether it "
                "was trained on some of these cannot be told"
            )
        trained = {case.patient_id for case in cases} & set(self.model.facts.patients)
        if trained and self.in_domain and self.options.split in ("val", "test"):
            raise DataError(
                f"{len(trained)} patients of the {self.options.split} split of {self.options.domain} were in the "
                "training of this model: the domain was split anew since; train again, or prepare as before"
            )
        if trained:
            notes.append(f"{len(trained)} patients were in the training: these scores do not tell of new patients")
        return notes

    def add(self, case: CaseRecord) -> None:
        """Score one case; without a prediction it counts as missed, without a reference it cannot be scored."""
        try:
            reference = self._reference(case)
        except Exception as error:
            self._fail(case, error)
            return
        try:
            prediction = self._prediction(case)
            scores = score_case(prediction, reference, self.classes)
            self._picture(case, prediction.array, reference.array)
        except Exception as error:  # one bad case, whatever is wrong with it, must not end the evaluation
            self._fail(case, error)
            scores = score_missing(reference, self.classes)
        self.rows.append(CaseScores(case.case_id, case.patient_id, scores))

    def _fail(self, case: CaseRecord, error: Exception) -> None:
        source = self.sources[case.case_id]
        message = self.redaction.of_case(describe(error), case.case_id, source.image, source.label)
        name = self.redaction.name_of(source.image, case.case_id)
        self.failures.append(Failure(Path(name), message.removeprefix(f"{case.case_id}: ")))

    def _reference(self, case: CaseRecord) -> LabelVolume:
        """The case's own labels on the scan's grid, their values replaced by the model's class indices."""
        source = self.sources[case.case_id]
        path = source.label
        if path is None or not path.exists():
            raise InputError(
                f"the labels of case {case.case_id} are no longer where they were; put them back, or prepare the "
                "domain again"
            )
        manifest = self.store.manifest
        values = dict(zip(manifest.class_names, manifest.class_values, strict=True))
        annotated = {name: value for name, value in values.items() if value > 0}
        resample = self.options.resample_labels or source.resample_labels
        label, notes = read_case_label(path, case.frame.source, annotated, resample=resample)
        # What came of scan and labels together is known from the preparation.
        doubts = [note for note in case.notes if OTHER_FRAME in note or NO_LABELS_BETWEEN in note]
        notes = (*self.redaction.of_notes(notes, source.image, path), *doubts)
        self.label_notes += [f"{case.case_id}: {note}" for note in notes]
        return LabelVolume(
            _map(label.array, {values[name]: index for name, index in self.classes.items()}), label.grid
        )

    def _prediction(self, case: CaseRecord) -> LabelVolume:
        """The run's mask of a case as class indices, made first unless it is there and what would be made."""
        path = self.masks / f"{case.case_id}.nii.gz"
        facts, made_from = self.model.facts, self.sources[case.case_id]
        source = made_from.image
        origin = self._origin(case, made_from)
        if self.options.overwrite or not path.is_file() or find_difference(path, origin) is not None:
            began = time.perf_counter()
            make_folder_of(path)
            window = self.store.manifest.window
            reading = Reading(case.modality, made_from.series, window, made_from.fix_gaps, made_from.channel)
            labelling = Labelling(self.n_steps, self.options.objective, self.options.keep_largest)
            scan = label_scan(self.model, self.device, source, reading, labelling)
            write_label(scan.label(facts), path, like=source)
            seconds = round(time.perf_counter() - began, 2)
            making = Making(seconds, str(self.device), None, scan.notes, facts.labels, (source,))
            write_provenance(path, origin, making)
        label = read_label(path)
        indices = {facts.class_values[index]: index for index in self.classes.values()}
        return LabelVolume(_map(label.array, indices), label.grid)

    def _origin(self, case: CaseRecord, source: CaseSource) -> Origin:
        """All that decides on the mask of a case."""
        settings = {
            "steps": self.n_steps,
            "objective": self.options.objective,
            "keep_largest": self.options.keep_largest,
            "modality": case.modality,
            "window": self.store.manifest.window,
            "series": series_setting(source.series),
            "fix_gaps": source.fix_gaps,
            "channel": source.channel,
        }
        return Origin("eval", content_hash(source.image), settings, self.model.digest)

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
        if not self.rows:
            raise DataError(f"no case could be scored; the first one: {self.failures[0].message}")
        report = EvaluationReport(
            run=self.run.name,
            domain=self.options.domain,
            in_domain=self.in_domain,
            split=self.options.split,
            policy="penalise",
            rows=tuple(self.rows),
        )
        steps = f"-{self.n_steps}-steps" if self.n_steps else ""
        parts = "" if self.options.keep_largest else "-all-parts"
        asked = f"{self.options.domain}-{self.options.split}{steps}{self._objective}{parts}"
        folder = reports / f"{self.run.name}-on-{asked}"
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
