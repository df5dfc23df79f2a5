"""How long work tells of itself: the library calls, the command line shows."""

from collections.abc import Mapping


class Progress:
    """A silent listener; the command line passes one that draws bars, tests pass one that records.

    Calls nest no deeper than one stage: `start`, any number of `update`, `item` and `note`, `finish`.
    """

    def start(self, title: str, total: float, unit: str) -> None:
        """Begin a stage of `total` units, such as 45,000 "images" or 18 "cases"."""

    def update(self, done: float, figures: Mapping[str, float] | None = None) -> None:
        """Report that `done` of the total is reached, with figures to show beside the bar (losses, rates)."""

    def item(self, name: str) -> None:
        """Say which one was done last, by its id; where it is shown, the next one takes its place."""

    def finish(self) -> None:
        """End the stage."""

    def note(self, text: str) -> None:
        """Say one line that the user should see: what was taken for what, what was repaired."""


SILENT = Progress()
