"""The usual layouts of a data set, each recognised and read by one function in a file of its own."""

from .bids import is_bids, read_bids
from .by_names import NOTES_ON_PATIENTS, read_names, without_hidden_labels
from .datalist import read_datalist
from .recognise import LAYOUTS, read_folder
from .two_folders import match_two

__all__ = [
    "LAYOUTS",
    "NOTES_ON_PATIENTS",
    "is_bids",
    "match_two",
    "read_bids",
    "read_datalist",
    "read_folder",
    "read_names",
    "without_hidden_labels",
]
