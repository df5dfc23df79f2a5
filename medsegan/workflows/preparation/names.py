"""Which names a preparation may say, and which it takes out."""

import dataclasses

from ..datasets.discovery import Discovery
from ..privacy.redaction import Redaction
from .options import PrepareOptions


def redaction_for(options: PrepareOptions) -> Redaction:
    """What is taken out of what is said of a preparation."""
    labels = () if options.labels is None else (options.labels,)
    return Redaction((*options.paths, *labels), options.show_names)


def without_names(discovery: Discovery, redaction: Redaction) -> Discovery:
    """The discovery with names taken out of its layout and notes, which may hold a pattern of them."""
    pairs = [(case.image, case.label) for case in discovery.cases]
    paths = [path for pair in pairs for path in pair if path is not None]
    layout, *notes = redaction.of_names([discovery.layout, *discovery.notes], [*paths, *discovery.orphans])
    return dataclasses.replace(discovery, layout=layout, notes=tuple(notes))
