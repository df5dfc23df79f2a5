"""PNG and TIFF files: scans of one slice, or their labels."""

import struct
import warnings
import zlib
from pathlib import Path

import numpy as np
import SimpleITK as sitk  # noqa: N813 (the name everybody knows it by)
from PIL import Image, UnidentifiedImageError

from ..errors import DataError, InputError
from ..geometry import Grid
from ..shapes import Array
from .raster_sound import check_png, check_tiff
from .raster_spacing import pixel_size_mm
from .stored import StoredArray

THICKNESS_MM = 1.0
"""Of the one slice of a picture, which has none of its own."""

PICTURE_FAILURES = (
    UnidentifiedImageError,
    Image.DecompressionBombError,
    Image.DecompressionBombWarning,
    OSError,
    EOFError,
    SyntaxError,
    ValueError,
    TypeError,
    KeyError,
    IndexError,
    OverflowError,
    UserWarning,
    struct.error,
    zlib.error,
    RuntimeError,
)
"""What Pillow and SimpleITK raise for damaged files; Pillow only warns of a TIFF that is cut off."""
_PLAIN = ("1", "L", "I;16", "I;16B", "I;16L", "I", "F")
_GREY_CHANNELS = {"LA": 1, "RGB": 3, "RGBA": 3, "RGBX": 3}
_LUMINANCE = np.array([0.299, 0.587, 0.114])
"""Weights of red, green and blue (ITU-R BT.601-7, section 2.5.1)."""
_ORIENTATION, _PHOTOMETRIC, _BITS, _SAMPLE_FORMAT = 274, 262, 258, 339
_WHITE_IS_ZERO = 0
_PNG_HEADER = 26


def read_raster(path: Path, *, is_label: bool = False) -> StoredArray:
    """The grey values of a PNG or TIFF as a volume of one slice, with rows to the left and columns to the back.

    A picture has no place in the patient: it is laid into the axial plane, the order in which axial slices are
    shown, so that it is cut as it is. Of colours the luminance is read, with a note; an alpha channel has to be
    opaque. Of a palette of greys the greys are read; of a coloured one the indices, for labels alone.

    Args:
        path: the file.
        is_label: whether stored numbers matter and not how bright they look.

    Raises:
        InputError: the file is absent, damaged or no picture.
        DataError: it holds several pictures or transparency, labels in colours, or asks to be turned.
    """
    if not path.is_file():
        raise InputError(f"{path}: there is no such file")
    notes: list[str] = []
    try:
        check_png(path)
        with warnings.catch_warnings():
            warnings.simplefilter("error", UserWarning)
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(path, formats=("PNG", "TIFF")) as image:
                _require_one_upright(image, path)
                if image.format == "TIFF":
                    check_tiff(image, path, is_label=is_label)
                values = _grey_values(image, path, is_label, notes)
                spacing_mm, spacing_note = pixel_size_mm(image)
    except PICTURE_FAILURES as error:
        if isinstance(error, (Image.DecompressionBombError, Image.DecompressionBombWarning)):
            raise InputError(f"{path}: the picture is too large to be opened safely ({error})") from error
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise InputError(
            f"{path}: this is no readable PNG or TIFF ({reason}); is it damaged or cut off?"
        ) from error
    if not is_label:  # labels are laid on their scan, whose size counts
        notes.append(spacing_note)
    array = np.ascontiguousarray(values.T[..., None])
    return StoredArray(array, picture_grid((array.shape[0], array.shape[1]), spacing_mm), tuple(notes))


def picture_grid(shape: tuple[int, int], spacing_mm: tuple[float, float]) -> Grid:
    """Where the pixels of a picture are laid: rows to the patient's left, columns to the back, one slice.

    Args:
        shape: columns and rows.
        spacing_mm: distance between columns and between rows.
    """
    return Grid((*shape, 1), np.diag([-spacing_mm[0], -spacing_mm[1], THICKNESS_MM, 1.0]))


def _require_one_upright(image: Image.Image, path: Path) -> None:
    n_pictures = getattr(image, "n_frames", 1)
    if n_pictures != 1:
        raise DataError(
            f"{path}: the file holds {n_pictures} pictures, expected 1; save each as a file of its own"
        )
    turn = image.getexif().get(_ORIENTATION, 1)
    if turn != 1:
        raise DataError(
            f"{path}: a tag asks for the picture to be turned when it is shown (orientation {turn}, expected 1); "
            "save it upright without the tag"
        )


def _grey_values(image: Image.Image, path: Path, is_label: bool, notes: list[str]) -> Array:
    """(rows, columns) numbers of the file."""
    if "transparency" in image.info:
        raise DataError(f"{path}: some colours are declared transparent; save it without transparency")
    if image.mode == "P":
        return _from_palette(image, path, is_label, notes)
    depth = _depth(image, path)
    if image.mode in _PLAIN:
        values = np.asarray(image)
        values = values.astype(values.dtype.newbyteorder("="))
        if image.mode == "1":
            values = values.astype(np.uint8)
        elif image.mode == "L" and depth in (2, 4):
            values = values // np.uint8(255 // (2**depth - 1))  # Pillow spreads them over 0..255
        _require_signed_as_read(image, values, path)
        return _dark_first(image, values, depth, path, is_label, notes)
    if image.mode not in _GREY_CHANNELS:
        raise DataError(f"{path}: pictures of mode {image.mode} are not read; save it in grey with 8 or 16 bits")
    # Pillow reads colours of 16 bits as 8; ITK keeps them.
    channels = np.asarray(image) if depth <= 8 else _read_with_itk(path)
    n_grey = _GREY_CHANNELS[image.mode]
    _require_opaque(channels[..., n_grey:] if image.mode != "RGBX" else channels[..., :0], path)
    grey = channels[..., 0]
    if all(np.array_equal(grey, channels[..., index]) for index in range(1, n_grey)):
        return grey
    if is_label:
        raise DataError(
            f"{path}: the picture is coloured: its red, green and blue differ; save labels as one number a class"
        )
    notes.append("the picture is in colour; its luminance is read (ITU-R BT.601)")
    return np.rint(channels[..., :3] @ _LUMINANCE).astype(channels.dtype)


def _from_palette(image: Image.Image, path: Path, is_label: bool, notes: list[str]) -> Array:
    indices = np.asarray(image)
    colours = np.array(image.getpalette("RGB") or [], dtype=np.uint8).reshape(-1, 3)
    if indices.max(initial=0) >= len(colours):
        raise DataError(
            f"{path}: a pixel has colour {indices.max()} of a palette of {len(colours)}; the file is damaged"
        )
    used = colours[np.unique(indices)]
    if (used == used[:, :1]).all():
        notes.append("a palette of greys; their grey values are read")
        return np.asarray(colours[:, 0][indices])
    if not is_label:
        raise DataError(f"{path}: the picture has a palette of colours, expected grey values; save it in grey")
    notes.append("a palette of colours; the number of each colour in it is the label")
    return indices


def _depth(image: Image.Image, path: Path) -> int:
    """Bits of a channel as stored."""
    if image.format == "PNG":
        with path.open("rb") as stream:
            return stream.read(_PNG_HEADER)[24]
    bits = image.tag_v2.get(_BITS, (1,))  # type: ignore[attr-defined]
    return int(max(bits) if isinstance(bits, tuple) else bits)


def _require_signed_as_read(image: Image.Image, values: Array, path: Path) -> None:
    """Pillow reads 32-bit integers as signed whatever the file says."""
    if image.mode != "I" or image.format != "TIFF" or values.min() >= 0:
        return
    kind = image.tag_v2.get(_SAMPLE_FORMAT, (1,))  # type: ignore[attr-defined]
    if (kind[0] if isinstance(kind, tuple) else kind) == 1:
        raise DataError(f"{path}: unsigned values above 2147483647 cannot be read; save it with 16 bits")


def _dark_first(
    image: Image.Image, values: Array, depth: int, path: Path, is_label: bool, notes: list[str]
) -> Array:
    """The values of a TIFF whose white is 0, so that bright is high (TIFF 6.0, PhotometricInterpretation)."""
    if image.format != "TIFF" or image.tag_v2.get(_PHOTOMETRIC) != _WHITE_IS_ZERO:  # type: ignore[attr-defined]
        return values
    if is_label:
        raise DataError(f"{path}: white is 0 in this TIFF, which leaves open what its labels are; save it as PNG")
    notes.append("white is 0 in this TIFF; inverted, so that bright is high")
    if image.mode in ("1", "L"):
        return values  # Pillow has done it
    if values.dtype.kind != "u":
        raise DataError(f"{path}: white is 0 in a TIFF of {values.dtype} values; save it with 16 bits, black as 0")
    return np.asarray(values.dtype.type(2**depth - 1) - values)


def _require_opaque(alpha: Array, path: Path) -> None:
    if alpha.size and alpha.min() != np.iinfo(alpha.dtype).max:
        raise DataError(f"{path}: parts of the picture are transparent; save it without an alpha channel")


def _read_with_itk(path: Path) -> Array:
    sitk.ProcessObject.SetGlobalWarningDisplay(False)
    reader = sitk.ImageFileReader()
    reader.SetFileName(str(path))
    reader.SetImageIO("PNGImageIO" if path.suffix.lower() == ".png" else "TIFFImageIO")
    return np.asarray(sitk.GetArrayFromImage(reader.Execute()))
