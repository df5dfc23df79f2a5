"""The library of compiled voxel operators, called through its C interface."""

import ctypes
from functools import cache

from ..compiled import find_library


@cache
def load() -> tuple[ctypes.CDLL | None, str]:
    """The library, or None; and where it comes from, or why there is none. Never raises."""
    found = find_library("voxels")
    if found.path is None:
        return None, found.why
    try:
        library = ctypes.CDLL(str(found.path))
    except OSError as error:
        return None, f"{found.why} cannot be loaded: {error}"
    if not library.medsegan_processor_is_supported():
        return None, f"{found.why} needs a processor with AVX2, FMA and F16C, and this one is older"
    return library, found.why


def call(name: str, *arguments: object) -> bool:
    """Whether the library was there and its function `medsegan_<name>` did the work; False = take the plain way.

    Arrays go as `array.ctypes`, numbers as ctypes values; every function returns NULL or a sentence.

    Raises:
        MemoryError, RuntimeError: the function says why it did nothing.
    """
    library, _ = load()
    if library is None:
        return False
    function = getattr(library, f"medsegan_{name}")
    function.restype = ctypes.c_char_p
    failure = function(*arguments)
    if failure is not None:
        text = failure.decode()
        raise MemoryError(text) if text == "not enough memory" else RuntimeError(text)
    return True


def default_threads() -> int:
    """Threads that this process may use: OMP_NUM_THREADS, as of all numeric libraries, else its processors."""
    library, _ = load()
    return 1 if library is None else int(library.medsegan_default_threads())
