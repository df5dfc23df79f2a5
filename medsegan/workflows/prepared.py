"""The domains that a workspace has slices of."""

from ..errors import UsageError
from .workspace import Workspace


def require_prepared(workspace: Workspace, domain: str) -> str:
    """The domain itself, if it is prepared.

    Raises:
        UsageError: it is not; the message names those that are.
    """
    if not workspace.store_path(domain).is_dir():
        known = ", ".join(workspace.domains) or "none yet; run `medsegan prepare` first"
        raise UsageError(f"there is no domain {domain!r} in {workspace.root}; prepared are: {known}")
    return domain
