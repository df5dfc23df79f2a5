"""Speed of the training steps, and of the modulated convolution against its textbook form.

Run with `python -m benchmarks.step [--device cuda] [--size 64] [--preset small] [--profile] [--plain]`. Ratios
come from one run on one machine: ours and the rival take turns, and the median of each is compared.
"""

import argparse
import copy
import statistics
import sys
import time
from collections.abc import Callable

if "--plain" in sys.argv:  # before medsegan looks for its kernels
    sys.modules["medsegan_cuda"] = None  # type: ignore[assignment]

import torch
import torch.nn.functional as F

from medsegan.data import LabeledSlices, UnlabeledSlices
from medsegan.models.layers import ModulatedConv2d
from medsegan.ops import is_compiled, operators
from medsegan.training import EncoderStage, GanStage, Perceptual, resolve_config

N_CLASSES = 5
WINDOW = (-125.0, 275.0)


def grouped_convolution(conv: ModulatedConv2d, x: torch.Tensor, w: torch.Tensor) -> torch.Tensor:
    """The rival: one kernel for every sample and a grouped convolution (Karras et al., CVPR 2020)."""
    n, c, height, width = x.shape
    weight = conv.weight[None] * conv.scale * conv.style(w)[:, None, :, None, None]
    weight = weight * (weight.square().sum(dim=(2, 3, 4), keepdim=True) + 1e-8).rsqrt()
    kernels = weight.reshape(n * weight.shape[1], c, *weight.shape[3:])
    y = F.conv2d(x.reshape(1, n * c, height, width), kernels, padding=conv.padding, groups=n)
    return y.view(n, -1, height, width)


def milliseconds(run: Callable[[], object], device: torch.device) -> float:
    """Wall time of one call, with the device's work finished."""
    began = time.perf_counter()
    run()
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return (time.perf_counter() - began) * 1e3


def compare_convolutions(device: torch.device, channels: int, size: int, batch: int) -> None:
    """Print forward and backward of both forms, in turns."""
    conv = ModulatedConv2d(channels, channels, 3, 64).to(device)
    x = torch.randn(batch, channels, size, size, device=device).contiguous(memory_format=torch.channels_last)
    x.requires_grad_()
    w = torch.randn(batch, 64, device=device)
    forms = {
        "ours": lambda: conv(x, w).square().sum().backward(),
        "grouped": lambda: grouped_convolution(conv, x, w).square().sum().backward(),
    }
    times: dict[str, list[float]] = {name: [] for name in forms}
    for _ in range(15):
        for name, run in forms.items():
            times[name].append(milliseconds(run, device))
    ours, rival = (statistics.median(times[name][3:]) for name in forms)
    print(
        f"modulated conv {channels} ch {size} px batch {batch}: ours {ours:.1f} ms, grouped {rival:.1f} ms, "
        f"ratio {rival / ours:.2f}"
    )


def profile_step(stage: GanStage, first: int) -> None:
    """Print which operators a step of the generator and the critics spends its time in."""
    activity = torch.profiler.ProfilerActivity
    activities = [activity.CPU] + ([activity.CUDA] if torch.cuda.is_available() else [])
    with torch.profiler.profile(activities=activities) as profile:
        for i in range(first, first + 8):
            stage.step(i * stage.batch, 0.5)
    key = "self_cuda_time_total" if torch.cuda.is_available() else "self_cpu_time_total"
    table = profile.key_averages().table(sort_by=key, row_limit=12, max_name_column_width=48)
    print("\n".join(line.rstrip() for line in table.splitlines()))


def time_steps(device: torch.device, size: int, preset: str, is_profiled: bool) -> None:
    """Print images per second of the stages on random slices."""
    config = resolve_config("gan", preset, 0, (), {})
    images = torch.randint(-125, 275, (256, 1, size, size), dtype=torch.int16, device=device)
    labels = torch.randint(0, N_CLASSES, (256, size, size), dtype=torch.uint8, device=device)
    labeled, unlabeled = LabeledSlices(images, labels, N_CLASSES, WINDOW), UnlabeledSlices(images, WINDOW)
    gan = GanStage(config.generator.shape(size, N_CLASSES), config.gan, labeled, unlabeled)
    perceptual = Perceptual(copy.deepcopy(gan.image_critic))
    encoder = EncoderStage(copy.deepcopy(gan.average), perceptual, config.encoder, labeled, unlabeled)
    for stage in (gan, encoder):
        times = [milliseconds(lambda s=stage, i=i: s.step(i * s.batch, 0.5), device) for i in range(36)]
        rate = stage.batch * 1e3 / statistics.mean(times[4:])
        print(f"{stage.name} step, preset {preset}, {size} px, batch {stage.batch}: {rate:.1f} images/s")
    if is_profiled:
        profile_step(gan, 36)


def main() -> None:
    """Parse the options and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--size", type=int, default=32)
    parser.add_argument("--preset", default="tiny")
    parser.add_argument("--profile", action="store_true", help="show what a GAN step spends its time in")
    parser.add_argument("--plain", action="store_true", help="as if medsegan-cuda were not installed")
    options = parser.parse_args()
    device = torch.device(options.device)
    name = (
        torch.cuda.get_device_name(device) if device.type == "cuda" else f"CPU, {torch.get_num_threads()} threads"
    )
    plain = [name for name in operators() if not is_compiled(name, device.type)]
    print(f"torch {torch.__version__} on {name}; operators that run plain: {', '.join(plain) or 'none'}")
    for channels, size in ((64, 16), (32, 32), (64, 32)):
        compare_convolutions(device, channels, size, batch=16)
    time_steps(device, options.size, options.preset, options.profile)


if __name__ == "__main__":
    main()
