"""Errors that a user can cause, each with the exit code that the command line returns for it.

Every message says four things: what is wrong, where, the value that was found, and what to do about it.
Library code raises these and never prints or exits; `cli/` alone renders them.
"""

from typing import ClassVar


class MedseganError(Exception):
    """Anything that a user can cause and mend; the message is one sentence or two, without a traceback."""

    exit_code: ClassVar[int] = 1


class UsageError(MedseganError):
    """An option or a combination of options that makes no sense."""

    exit_code = 2


class InputError(MedseganError):
    """A file or folder that is not there or cannot be read."""

    exit_code = 3


class DataError(MedseganError):
    """Data that can be read but is invalid or inconsistent."""

    exit_code = 4


class NothingToDoError(MedseganError):
    """A request that leaves no work: no case selected, everything done already."""

    exit_code = 5


class ModelError(MedseganError):
    """A model or checkpoint that is missing, damaged, unsafe or made for something else."""

    exit_code = 6


class OutOfMemoryError(MedseganError):
    """The work does not fit into the memory of the device."""

    exit_code = 7


class PartialSuccessError(MedseganError):
    """A batch of which some cases failed; the others are done."""

    exit_code = 8


class DeviceError(MedseganError):
    """A device that was asked for by name and is absent."""

    exit_code = 9


class QualityGateError(MedseganError):
    """A result below the threshold that the user set."""

    exit_code = 10
