"""Slices: how volumes become stacks of square pictures, are stored as such, and become volumes again."""

from .assemble import assemble_labels, assemble_probabilities, assemble_scalar
from .body import body_box, body_mask
from .case_files import StoredCase, read_case, write_case
from .cleanup import classes_in_one_piece, remove_small_parts
from .cut import cut_image, cut_label
from .frame import BodyBox, Frame, find_body, fit_frame, frame_around, native_frame
from .identity import IdKey, draw_name, draw_order
from .leftovers import find_leftovers
from .manifest import BACKGROUND, MANIFEST_VERSION, CaseRecord, Manifest
from .plane import PLANE_CODES, Plane, require_plane
from .preparation import PreparedScan, prepare_scan
from .split import SPLITS, Split, draw_labeled, extend_split, split_patients
from .store import STORE_VERSION, SliceStore
from .writer import StoreWriter

__all__ = [
    "BACKGROUND",
    "MANIFEST_VERSION",
    "PLANE_CODES",
    "SPLITS",
    "STORE_VERSION",
    "BodyBox",
    "CaseRecord",
    "Frame",
    "IdKey",
    "Manifest",
    "Plane",
    "PreparedScan",
    "SliceStore",
    "Split",
    "StoreWriter",
    "StoredCase",
    "assemble_labels",
    "assemble_probabilities",
    "assemble_scalar",
    "body_box",
    "body_mask",
    "classes_in_one_piece",
    "cut_image",
    "cut_label",
    "draw_labeled",
    "draw_name",
    "draw_order",
    "extend_split",
    "find_body",
    "find_leftovers",
    "fit_frame",
    "frame_around",
    "native_frame",
    "prepare_scan",
    "read_case",
    "remove_small_parts",
    "require_plane",
    "split_patients",
    "write_case",
]
