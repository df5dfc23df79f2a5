"""What is worth saying of a plan before it is carried out."""

import dataclasses
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from ...geometry import Grid
from ...imaging import DEFAULT_WINDOWS, Modality
from ...slices import Plane, Split
from ..acquired_plane import acquired_plane
from ..label_map import LabelMap
from ..workspace import DomainSettings, Workspace
from .options import PrepareOptions
from .resume import Earlier
from .split_settings import DEFAULT_SPLIT


def recorded_notes(options: PrepareOptions, recorded: DomainSettings, modality: Modality) -> tuple[str, ...]:
    """Say what was asked for earlier and holds again, where it is not as usual."""
    usual = {**dataclasses.asdict(DEFAULT_SPLIT), "window": DEFAULT_WINDOWS[modality]}
    if recorded.modality != modality:
        del usual["window"]
    known = {name: getattr(recorded, name) for name in usual if getattr(options, name) is None}
    kept = [f"{name} {value}" for name, value in known.items() if value not in {None, usual[name]}]
    return (f"as medsegan.toml has it for this domain: {', '.join(kept)}",) if kept else ()


def plane_notes(grids: Mapping[Path, Grid], plane: Plane) -> tuple[str, ...]:
    """Say so where most scans were acquired in another plane than the one that they are cut in."""
    acquired = Counter(acquired_plane(grid) for grid in grids.values())
    usual, n = acquired.most_common(1)[0] if acquired else (None, 0)
    if usual is None or usual == plane or n * 2 <= len(grids):
        return ()
    return (
        f"{n} of {len(grids)} scans have their thick slices in the {usual} plane, but are cut {plane}; "
        f"--plane {usual} uses their full resolution",
    )


def workspace_notes(
    workspace: Workspace, label_map: LabelMap, domain: str, splits: Mapping[str, Split]
) -> tuple[str, ...]:
    """Say what the new domain means for those that are there."""
    notes = []
    n_test = sum(split == "test" for split in splits.values())
    if set(workspace.domains) - {domain} and label_map.values and n_test < len(splits):
        notes.append(
            f"{n_test} of {len(splits)} patients are for the test; if {domain} is only there to be tested on, "
            "prepare it with --test-fraction 1"
        )
    if workspace.labels and label_map.labels != workspace.labels:
        notes.append("[labels] of medsegan.toml is replaced; runs trained before keep their own classes")
    return tuple(notes)


def removed_notes(earlier: Earlier) -> tuple[str, ...]:
    """Say how many cases of an earlier preparation are gone."""
    if not earlier.n_removed:
        return ()
    cases = "1 case of the store is" if earlier.n_removed == 1 else f"{earlier.n_removed} cases of the store are"
    return (f"{cases} no longer among the scans and left out",)
