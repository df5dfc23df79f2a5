"""The torch operators: what numpy's give, on every device, and through the compiler."""

import numpy as np
import pytest
import torch
from operator_checks import DEVICES

from medsegan import voxels
from medsegan.ops import connected_components, keep_largest

DTYPES = (torch.bool, torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64)
EVERY_CONNECTIVITY = [(ndim, number) for ndim, numbers in voxels.NEIGHBOURS.items() for number in numbers]


def random_labels(shape: tuple[int, ...], dtype: torch.dtype = torch.uint8, seed: int = 0) -> torch.Tensor:
    """Runs of two classes and background, longer along some axes than along others."""
    generator = torch.Generator().manual_seed(seed + sum(shape))
    labels = torch.randint(0, 3, shape, generator=generator)
    grown = torch.rand(shape, generator=generator) < 0.5
    for axis in range(len(shape)):
        labels = torch.where(grown, labels.roll(1, axis), labels)
    return labels.to(dtype)


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize(("ndim", "connectivity"), EVERY_CONNECTIVITY)
def test_they_are_those_of_numpy(device: str, ndim: int, connectivity: int) -> None:
    shapes = [(5, 6, 7), (1, 33, 65), (40, 3, 100), (1, 1, 1), (9, 1, 4), (70, 70, 2), (3, 0, 2), (24, 40, 64)]
    for seed, shape in enumerate(shapes):
        labels = random_labels(shape[3 - ndim :], DTYPES[seed % len(DTYPES)], seed)
        found = connected_components(labels.to(device), connectivity)
        for ours, expected in zip(found, voxels.connected_components(labels.numpy(), connectivity), strict=True):
            assert ours.device.type == device
            assert ours.is_contiguous()
            torch.testing.assert_close(ours.cpu(), torch.from_numpy(expected), rtol=0, atol=0)
        for classes in (None, [], [2], [1, -4, 70_000]):
            ours = keep_largest(labels.to(device), connectivity, classes)
            expected = voxels.keep_largest(labels.numpy(), connectivity, classes)
            torch.testing.assert_close(ours.cpu(), torch.from_numpy(expected), rtol=0, atol=0)


@pytest.mark.parametrize("device", DEVICES)
def test_the_order_in_memory_does_not_matter(device: str) -> None:
    labels = random_labels((9, 8, 7)).to(device)
    permuted = labels.permute(2, 0, 1).contiguous().permute(1, 2, 0)
    assert not permuted.is_contiguous()
    for ours, expected in zip(connected_components(permuted, 6), connected_components(labels, 6), strict=True):
        assert torch.equal(ours, expected)
    assert torch.equal(keep_largest(permuted, 6), keep_largest(labels, 6))


@pytest.mark.parametrize("device", DEVICES)
def test_a_spiral_is_one_component(device: str) -> None:
    """The longest way that a label can take to the first voxel of its component."""
    spiral = np.zeros((65, 65), np.uint8)
    place, step, length = [0, 0], (0, 1), 64
    while length > 0:
        for _ in range(2):
            for _ in range(length):
                spiral[tuple(place)] = 1
                place = [place[0] + step[0], place[1] + step[1]]
            step = (step[1], -step[0])
        length -= 2
    components, sizes, _ = connected_components(torch.from_numpy(spiral).to(device), 4)
    assert sizes.tolist() == [int(spiral.sum())]
    assert torch.equal(components.cpu(), torch.from_numpy(spiral.astype(np.int32)))


@pytest.mark.parametrize("device", DEVICES)
def test_results_do_not_depend_on_chance_or_threads(device: str) -> None:
    labels = random_labels((40, 200, 200)).to(device)
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(1)
        first = connected_components(labels, 26)
        torch.set_num_threads(3)
        for _ in range(3):
            assert all(torch.equal(a, b) for a, b in zip(first, connected_components(labels, 26), strict=True))
    finally:
        torch.set_num_threads(before)


@pytest.mark.parametrize("device", DEVICES)
def test_they_are_proper_operators(device: str) -> None:
    labels = random_labels((4, 5, 6)).to(device)
    for given in (labels, labels.transpose(0, 2), labels[:0]):
        torch.library.opcheck(torch.ops.medsegan.connected_components.default, (given, 18))
        torch.library.opcheck(torch.ops.medsegan.keep_largest.default, (given, 6, None))
    torch.library.opcheck(torch.ops.medsegan.keep_largest.default, (labels, 26, [2]))


@pytest.mark.parametrize("device", DEVICES)
def test_they_pass_through_the_compiler(device: str) -> None:
    def share_of_largest(labels: torch.Tensor) -> torch.Tensor:
        sizes = connected_components(labels, 26)[1]
        return (keep_largest(labels, 26, [1]) == 1).sum() / sizes.sum()

    labels = random_labels((6, 7, 8)).to(device)
    with torch._dynamo.config.patch(capture_dynamic_output_shape_ops=True):
        compiled = torch.compile(share_of_largest, fullgraph=True, backend="aot_eager")(labels)
    torch.testing.assert_close(compiled, share_of_largest(labels))


@pytest.mark.parametrize("operator", [connected_components, keep_largest])
def test_what_cannot_be_parted_is_refused(operator) -> None:
    with pytest.raises(ValueError, match="float32"):
        operator(torch.zeros(3, 3), 4)
    with pytest.raises(ValueError, match=r"\[5\]"):
        operator(torch.zeros(5, dtype=torch.uint8), 4)
    with pytest.raises(ValueError, match="4 or 8 neighbours, got 26"):
        operator(torch.zeros(3, 3, dtype=torch.uint8), 26)
