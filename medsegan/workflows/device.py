"""Where to compute."""

import torch

from ..errors import DeviceError, UsageError


def choose_device(name: str) -> tuple[torch.device, str]:
    """The device for a name, and why it was taken.

    Args:
        name: "auto", "cpu", "cuda", "cuda:N" or "mps".

    Raises:
        DeviceError: a device was named and is absent.
        UsageError: there is no such kind of device.
    """
    if name == "auto":
        if torch.cuda.is_available():
            return torch.device("cuda"), f"auto: {torch.cuda.get_device_name(0)}"
        if torch.backends.mps.is_available():
            return torch.device("mps"), "auto: Apple GPU"
        return torch.device("cpu"), f"auto: no GPU found, {torch.get_num_threads()} CPU threads"
    kind, _, index = name.partition(":")
    if kind not in ("cpu", "cuda", "mps") or (index and not index.isdigit()):
        raise UsageError(f"--device takes auto, cpu, cuda, cuda:N or mps; got {name!r}")
    if kind == "cuda" and not torch.cuda.is_available():
        build = "this torch is built without CUDA" if torch.version.cuda is None else "no CUDA GPU is visible"
        raise DeviceError(f"--device {name}: {build}; use --device cpu or auto")
    if kind == "cuda" and index and int(index) >= torch.cuda.device_count():
        raise DeviceError(f"--device {name}: there are {torch.cuda.device_count()} CUDA GPUs, counted from 0")
    if kind == "mps" and not torch.backends.mps.is_available():
        raise DeviceError("--device mps: there is no Apple GPU here; use --device cpu or auto")
    return torch.device(name), "as asked"
