"""What the domains of a workspace must have in common, since one model reads them all."""

from collections.abc import Iterable
from pathlib import Path

from ...errors import DataError, UsageError
from ...slices import IdKey, Plane, SliceStore, require_plane
from ..workspace import PreparationSettings, Workspace
from .options import PrepareOptions

DEFAULT_PREPARATION = PreparationSettings(size=128, plane="axial")


def require_free(store: Path, options: PrepareOptions) -> None:
    """Nothing, if a store may be written there.

    Raises:
        UsageError: there is one already, and nothing was said about it.
    """
    if store.exists() and not (options.overwrite or options.skip_existing):
        raise UsageError(
            f"{store} exists already; --overwrite replaces it, --skip-existing takes over what is unchanged, "
            "--domain NAME prepares these scans beside it"
        )


def common_geometry(workspace: Workspace, options: PrepareOptions, domain: str) -> tuple[int, Plane]:
    """The size and the plane of all slices.

    Args:
        workspace: with what its domains are prepared with.
        options: what is asked for.
        domain: the one to prepare; alone in its workspace it may change both.

    Raises:
        UsageError: other domains have another size or plane.
    """
    known = workspace.preparation or DEFAULT_PREPARATION
    size = known.size if options.size is None else options.size
    plane = require_plane(known.plane if options.plane is None else options.plane)
    others = [name for name in workspace.domains if name != domain and workspace.store_path(name).exists()]
    if others and (size, plane) != (known.size, known.plane):
        raise UsageError(
            f"this workspace holds {', '.join(others)} at size {known.size}, {known.plane}; for size {size}, "
            f"{plane} use another workspace (-C), or leave --size and --plane out"
        )
    return size, plane


def require_common_classes(workspace: Workspace, others: Iterable[str]) -> None:
    """Nothing, if other domains have the classes that [labels] has now; else class 2 would mean two things.

    Args:
        workspace: with [labels].
        others: domains with labels.

    Raises:
        DataError: one was prepared with other classes.
    """
    for name in others:
        folder = workspace.store_path(name)
        if not folder.exists() or SliceStore.is_outdated(folder):
            continue
        names = SliceStore.open(folder).manifest.class_names
        if names != workspace.class_names:
            raise DataError(
                f"domain {name} was prepared with the classes {', '.join(names[1:])}, but [labels] of "
                f"{workspace.file} now has {', '.join(workspace.labels)}; prepare {name} again with --overwrite, "
                f"or undo the change"
            )


def common_key(workspace: Workspace, domain: str) -> IdKey:
    """The key of the workspace, or a fresh one; one for all domains, so that a patient is one in all of them.

    Args:
        workspace: whose key it is.
        domain: the one to prepare; that it has another key does not matter.

    Raises:
        DataError: the ids of another domain were made with another key.
    """
    key = workspace.private.read_key() or IdKey.fresh()
    for name in workspace.domains:
        folder = workspace.store_path(name)
        if name == domain or not folder.is_dir() or SliceStore.is_outdated(folder):
            continue
        if SliceStore.open(folder).manifest.id_key != key.fingerprint:
            raise DataError(
                f"the ids of domain {name} were made with another key than {workspace.private.path} holds, so "
                f"that its patients could not be recognised; copy the folder private of the workspace that {name} "
                f"was prepared in to this place, or remove {folder} and prepare {name} here again"
            )
    return key
