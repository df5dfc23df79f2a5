"""Of a case with several images - the channels of nnU-Net, a list of files - the one that is wanted."""

import dataclasses
from collections.abc import Mapping, Sequence

from ...errors import UsageError
from .file_role import Entry, read_channel, read_entry, without_role_folders


def chosen_channel(contrast: str | None, names: Mapping[int, str], n_channels: int) -> int:
    """The number of the channel that was asked for; 0 where none was.

    Args:
        contrast: its number or its name, in any case of letters; None = not asked for.
        names: number -> name, where the data set names its channels.
        n_channels: how many there are.

    Raises:
        UsageError: there is no such channel.
    """
    if contrast is None:
        return 0
    if contrast.isdigit() and int(contrast) < n_channels:
        return int(contrast)
    found = [number for number, name in names.items() if name.lower() == contrast.lower() and number < n_channels]
    if len(found) == 1:
        return found[0]
    raise UsageError(f"there is no channel {contrast!r}; use one of {list_channels(names, n_channels)}")


def list_channels(names: Mapping[int, str], n_channels: int) -> str:
    """All channels for a message: "0 (FLAIR), 1 (T1w)"."""
    return ", ".join(
        f"{number} ({names[number]})" if number in names else str(number) for number in range(n_channels)
    )


def channel_note(chosen: int, contrast: str | None, names: Mapping[int, str], n_channels: int) -> tuple[str, ...]:
    """A note that says which of several channels is read; nothing where there is one."""
    if n_channels < 2:
        return ()
    why = "as --contrast asks" if contrast is not None else "--contrast chooses another"
    return (
        f"each case has {n_channels} channels, {list_channels(names, n_channels)}; {chosen} alone is read, {why}",
    )


def one_channel(
    images: Sequence[Entry],
    *,
    is_nnunet: bool = False,
    contrast: str | None = None,
    names: Mapping[int, str] | None = None,
) -> tuple[list[Entry], tuple[str, ...]]:
    """The images without all channels of nnU-Net (_0000, _0001, ...) but one, and a note where there are several.

    Args:
        images: all images of one place.
        is_nnunet: the four digits are channels for sure; otherwise they are only taken for channels if all names
            have them and at least two cases have the same ones, since img_0000, img_0001, ... are mostly different
            scans.
        contrast: number or name of the channel; None = the first.
        names: number -> name of the channels, where the data set says so.

    Raises:
        UsageError: there is no such channel, or there are no channels.
    """
    channels = {image.path: read_channel(image.key) for image in images}
    numbers: dict[str, set[int | None]] = {}
    for case, channel in channels.values():
        numbers.setdefault(case, set()).add(channel)
    sets = list(numbers.values())
    is_regular = all(one == sets[0] and 0 in one and None not in one for one in sets)
    if not sets or not (is_nnunet or (is_regular and (len(sets) > 1 or sets[0] == {0}))):
        require_no_contrast(contrast)
        return list(images), ()
    n_channels = max((number for one in sets for number in one if number is not None), default=0) + 1
    chosen = chosen_channel(contrast, names or {}, n_channels)
    kept: list[Entry] = []
    for image in images:
        case, channel = channels[image.path]
        if channel is None:
            kept.append(image)
        elif channel == chosen:
            base, named = without_role_folders(case), read_entry(image.path, case)
            kept.append(dataclasses.replace(image, base=base, name=base, patient=named.patient))
    notes = channel_note(chosen, contrast, names or {}, n_channels)
    n_without = sum(chosen not in one and None not in one for one in sets)
    if n_without:
        notes = (*notes, f"{n_without} cases have no channel {chosen} and are left out")
    return kept, notes


def require_no_contrast(contrast: str | None) -> None:
    """Refuse a choice among several images of a case where each case has one.

    Raises:
        UsageError: something was asked for.
    """
    if contrast is not None:
        raise UsageError(
            f"--contrast {contrast} chooses one of several images of a case (channels of nnU-Net or of a list, "
            "suffixes of BIDS), but here each case has one; leave it out"
        )
