"""The operator `confusion` of torch: the counts of the numpy one, on every device."""

import numpy as np
import pytest
import torch
from operator_checks import DEVICES

from medsegan.errors import DataError
from medsegan.ops import confusion
from medsegan.voxels import confusion as on_arrays

DTYPES = (torch.uint8, torch.uint16, torch.int16, torch.int32, torch.int64)


def labels(shape, n_classes=4, dtype=torch.uint8, device="cpu"):
    rng = np.random.default_rng(sum(shape))
    return [torch.from_numpy(rng.integers(0, n_classes, shape)).to(dtype).to(device) for _ in range(2)]


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(), (1,), (0, 3), (5, 6, 7), (70_001,)])
def test_equals_the_one_of_numpy(shape, dtype, device):
    pair = labels(shape, dtype=dtype)
    found = confusion(*(volume.to(device) for volume in pair), 4)
    assert (found.device.type, found.dtype) == (device, torch.int64)
    np.testing.assert_array_equal(found.cpu().numpy(), on_arrays(*(volume.numpy() for volume in pair), 4))


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("n_classes", [1, 5, 40, 300])
def test_few_classes_and_many(n_classes, device):
    pair = labels((40, 41, 42), n_classes, torch.int32)
    found = confusion(*(volume.to(device) for volume in pair), n_classes)
    np.testing.assert_array_equal(found.cpu().numpy(), on_arrays(*(volume.numpy() for volume in pair), n_classes))


@pytest.mark.parametrize("device", DEVICES)
def test_strides_do_not_matter(device):
    prediction, reference = labels((6, 7, 8), device=device)
    expected = confusion(prediction, reference, 4)
    turned = confusion(prediction.permute(2, 0, 1), reference.permute(2, 0, 1).contiguous(), 4)
    torch.testing.assert_close(turned, expected)
    torch.testing.assert_close(
        confusion(prediction[::2], reference[::2], 4).sum(), torch.tensor(168, device=device)
    )


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize(("name", "value"), [("prediction", 4), ("reference", -1)])
def test_a_value_without_a_class_is_named(name, value, device):
    pair = dict(zip(("prediction", "reference"), labels((9, 9), dtype=torch.int16, device=device), strict=True))
    pair[name][3, 4] = value
    with pytest.raises((DataError, RuntimeError), match=f"the {name} holds the value {value}, .* 0 to 3"):
        confusion(*pair.values(), 4)


def test_pairs_that_do_not_match_are_refused():
    prediction, reference = labels((4, 5))
    with pytest.raises(ValueError, match=r"shape: torch.Size\(\[5\]\)"):
        confusion(prediction[0], reference, 4)
    with pytest.raises(ValueError, match=r"dtype: torch.uint8 and torch.int64"):
        confusion(prediction, reference.long(), 4)
    with pytest.raises(ValueError, match="got 0"):
        confusion(prediction, reference, 0)


@pytest.mark.parametrize("device", DEVICES)
def test_the_operator_is_sound_and_compiles(device):
    pair = labels((5, 6, 7), device=device)
    torch.library.opcheck(torch.ops.medsegan.confusion, (*pair, 4))
    compiled = torch.compile(lambda p, r: confusion(p, r, 4) * 2, fullgraph=True, backend="aot_eager")
    torch.testing.assert_close(compiled(*pair), confusion(*pair, 4) * 2)
