"""What the tests of all operators share: devices, dtypes, orders in memory, and how close is equal."""

import pytest
import torch

from medsegan.ops import has_kernel, load_kernels

DEVICES = (
    "cpu",
    pytest.param("cuda", marks=pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA GPU is visible")),
)
DTYPES = (torch.float32, torch.float64, torch.float16, torch.bfloat16)
# Half types are rounded once more by references that work in several passes.
TOLERANCE = {
    torch.float64: {"rtol": 1e-10, "atol": 1e-12},
    torch.float32: {"rtol": 1e-5, "atol": 1e-5},
    torch.float16: {"rtol": 5e-3, "atol": 5e-3},
    torch.bfloat16: {"rtol": 4e-2, "atol": 4e-2},
}
ORDERS = ("contiguous", "channels_last", "permuted")


def features(
    shape: tuple[int, ...], dtype: torch.dtype = torch.float32, order: str = "contiguous", device: str = "cpu"
) -> torch.Tensor:
    """Normal values, the same for the same shape, [N, C, H, W] or fewer dimensions, in the given order."""
    x = torch.randn(shape, generator=torch.Generator().manual_seed(sum(shape)), dtype=torch.float64)
    x = x.to(device=device, dtype=dtype)
    if order == "channels_last" and x.ndim == 4:
        return x.contiguous(memory_format=torch.channels_last)
    if order == "permuted":
        return x.transpose(0, -1).contiguous().transpose(0, -1)
    return x


def require_kernel(name: str, device: str = "cpu") -> None:
    """Skip a test of compiled code where there is none; the reason says why."""
    if not has_kernel(name, device):
        pytest.skip(f"no compiled {name} on {device}: {load_kernels()[device]}")


def assert_close(ours: torch.Tensor, expected: torch.Tensor) -> None:
    """Equal within the tolerance of the first one's dtype."""
    torch.testing.assert_close(ours, expected.to(ours.dtype), **TOLERANCE[ours.dtype], equal_nan=True)


def assert_same_order(ours: torch.Tensor, expected: torch.Tensor) -> None:
    """Equal strides, but for dimensions of one element: those may have any."""
    strides = zip(ours.stride(), expected.stride(), ours.shape, strict=True)
    assert ours.numel() == 0 or all(a == b for a, b, size in strides if size > 1)
