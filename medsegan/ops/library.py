"""The namespace `medsegan::` of torch's dispatcher, and the compiled kernels that join it.

Every operator is declared here with a plain reference under the key CompositeExplicitAutograd. A library of
kernels only adds entries under CPU and CUDA: the dispatcher itself is the fallback.
"""

from collections.abc import Callable
from functools import cache
from typing import Any

import torch

from ..compiled import find_library
from ..voxels import VOXEL_OPERATORS
from ..voxels import library as voxels

_NAMESPACE = torch.library.Library("medsegan", "DEF")
_declared: list[str] = []


def declare(schema: str, reference: Callable[..., Any], fake: Callable[..., Any]) -> None:
    """Make an operator known to torch.

    Args:
        schema: as in "bias_act(Tensor x, Tensor? bias, float slope) -> Tensor".
        reference: what it computes, on every device without a kernel of its own.
        fake: the shapes, dtypes and strides that come out, without computing them.
    """
    name = schema.partition("(")[0]
    _declared.append(name)
    _NAMESPACE.define(schema, tags=(torch.Tag.pt2_compliant_tag,))
    _NAMESPACE.impl(name, reference, "CompositeExplicitAutograd")
    torch.library.register_fake(f"medsegan::{name}", fake, lib=_NAMESPACE)


def differentiate(name: str, backward: Callable[..., Any], setup_context: Callable[..., None]) -> None:
    """Give an operator its gradient; see `torch.library.register_autograd`."""
    torch.library.register_autograd(f"medsegan::{name}", backward, setup_context=setup_context, lib=_NAMESPACE)


def is_compiled(name: str, device: str) -> bool:
    """Whether compiled code computes an operator on "cpu" or "cuda"; on a CPU the voxel library counts as well."""
    through_voxels = device == "cpu" and name in VOXEL_OPERATORS and voxels.load()[0] is not None
    return through_voxels or has_kernel(name, device)


@cache
def load_kernels() -> dict[str, str]:
    """For "cpu" and "cuda": where the kernels come from, or why there are none. Never raises."""
    return {name: _load(name) for name in ("cpu", "cuda")}


def declared() -> tuple[str, ...]:
    """The names of all operators, those that only serve gradients included."""
    return tuple(_declared)


def operators() -> tuple[str, ...]:
    """The names of all operators but those that only serve the gradients of another."""
    return tuple(name for name in _declared if not name.endswith(("_grad", "_tangent")))


def has_kernel(name: str, device: str) -> bool:
    """Whether an operator has a compiled kernel for "cpu" or "cuda"."""
    return torch._C._dispatch_has_kernel_for_dispatch_key(f"medsegan::{name}", device.upper())


def _load(name: str) -> str:
    found = find_library(name)
    if found.path is None:
        return found.why
    if voxels.load()[0] is None:  # that library asks the processor for all three
        return voxels.load()[1]
    if name == "cuda" and _major(torch.version.cuda) != _major(found.cuda):
        theirs = f"CUDA {torch.version.cuda}" if torch.version.cuda else "no CUDA"
        return f"{found.why} was built with CUDA {found.cuda}, this torch ({torch.__version__}) with {theirs}"
    try:
        torch.ops.load_library(str(found.path))
    except OSError as error:
        return f"{found.why} cannot be loaded: {error}"
    return found.why


def _major(release: str | None) -> str:
    return (release or "").partition(".")[0]
