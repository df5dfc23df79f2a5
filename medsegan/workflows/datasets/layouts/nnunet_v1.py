"""nnU-Net v1: its list names cases, and the files have a channel in their names besides."""

import dataclasses
from collections.abc import Sequence

from ....errors import DataError
from ..channels import channel_note, chosen_channel
from ..dataset_json import DatasetJson
from ..discovery import FoundCase


def choose_channel_v1(
    cases: Sequence[FoundCase], document: DatasetJson, contrast: str | None
) -> tuple[tuple[FoundCase, ...], tuple[str, ...]]:
    """The cases with the file of the wanted channel, and notes.

    Args:
        cases: with the files of channel 0000.
        document: names the channels.
        contrast: number or name of the channel; None = the first.

    Raises:
        UsageError: there is no such channel.
        DataError: no case has a file of it.
    """
    n_channels = max(1, len(document.channels))
    chosen = chosen_channel(contrast, document.channels, n_channels)
    notes = channel_note(chosen, contrast, document.channels, n_channels)
    if chosen == 0:
        return tuple(cases), notes
    placed: list[FoundCase] = []
    for case in cases:
        head, _, tail = case.image.name.rpartition("_0000")
        image = case.image.with_name(f"{head}_{chosen:04d}{tail}")
        if image.exists():
            placed.append(dataclasses.replace(case, image=image))
    if not placed:
        raise DataError(
            f"{document.path.parent}: no case has a file of channel {chosen}; choose another --contrast"
        )
    if len(placed) < len(cases):
        notes = (*notes, f"{len(cases) - len(placed)} cases have no channel {chosen} and are left out")
    return tuple(placed), notes
