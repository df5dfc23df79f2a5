"""How a batch ends of which some cases failed."""

from collections.abc import Sequence

from medsegan.errors import DataError, PartialSuccessError

from .console import Console


def end_batch(console: Console, failures: Sequence[tuple[str, str]], n_done: int, hint: str | None = None) -> None:
    """Nothing, if all went well; otherwise the table of failures on stderr and the error that says how many.

    Args:
        console: where to write.
        failures: which case, and why.
        n_done: number of cases that went well.
        hint: what to know about the table; None = nothing.

    Raises:
        PartialSuccessError: some cases failed.
        DataError: all of them did.
    """
    if not failures:
        return
    console.failures(failures)
    if hint is not None:
        console.note(hint)
    n_all = n_done + len(failures)
    if n_done == 0:
        raise DataError(f"all of {n_all} cases failed; the table above says why")
    raise PartialSuccessError(f"{len(failures)} of {n_all} cases failed, the others are done; see the table above")
