"""resample3d through torch: the same as on arrays, on every device and dtype."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from operator_checks import DEVICES, require_kernel
from resample_scenes import IDENTITY, affines, centred, noise, shapes, turned, volumes

from medsegan.ops import resample3d
from medsegan.voxels import resample3d as resample_array

IMAGES = (
    torch.float32,
    torch.float64,
    torch.float16,
    torch.bfloat16,
    torch.uint8,
    torch.int16,
    torch.int32,
    torch.bool,
)
LABELS = (torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64, torch.uint16, torch.bool)
TOLERANCE = {torch.float64: 1e-7, torch.float32: 1e-3, torch.float16: 0.3, torch.bfloat16: 1.0}
MATRIX = centred(turned(), (9, 10, 11), (8, 12, 7)).tolist()


def as_volume(dtype, device="cpu"):
    return torch.from_numpy(noise((9, 10, 11))).to(dtype=dtype, device=device)


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("order", ["nearest", "linear", "cubic"])
@pytest.mark.parametrize("dtype", IMAGES, ids=str)
def test_images_are_those_of_the_arrays(device, order, dtype):
    volume = as_volume(dtype, device)
    ours = resample3d(volume, MATRIX, (8, 12, 7), order, 1.0)
    assert ours.dtype == (dtype if order == "nearest" or dtype.is_floating_point else torch.float32)
    assert ours.device == volume.device
    assert ours.is_contiguous()
    values = volume.cpu().double().numpy()
    expected = torch.from_numpy(resample_array(values, MATRIX, (8, 12, 7), order, 1.0))
    tolerance = 0 if order == "nearest" else TOLERANCE[ours.dtype]
    torch.testing.assert_close(ours.cpu().double(), expected, rtol=0, atol=tolerance)


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("dtype", LABELS, ids=str)
def test_labels_are_those_of_the_arrays(device, dtype):
    labels = as_volume(torch.int64).remainder(3).to(device=device, dtype=dtype)
    ours = resample3d(labels, MATRIX, (8, 12, 7), "label_linear", 1)
    expected = resample_array(labels.cpu().numpy(), MATRIX, (8, 12, 7), "label_linear", 1)
    assert ours.dtype == dtype
    assert np.array_equal(ours.cpu().numpy(), expected)


@st.composite
def tasks(draw):
    n, m = draw(shapes), draw(shapes)
    return draw(volumes(n, ["float32", "float64", "int16"])), draw(affines(n, m)), m


@pytest.mark.parametrize("device", DEVICES)
@settings(max_examples=60)
@given(tasks(), st.sampled_from(["nearest", "linear", "cubic"]), st.sampled_from([None, 3.0]))
def test_any_volume_and_affine(device, task, order, fill):
    volume, matrix, shape = task
    dense = volume.copy()  # torch knows no negative steps
    ours = resample3d(torch.from_numpy(dense).to(device), matrix.tolist(), shape, order, fill).cpu()
    expected = torch.from_numpy(resample_array(dense, matrix, shape, order, fill))
    torch.testing.assert_close(ours, expected, rtol=0, atol=0 if order == "nearest" else 2e-4)


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("order", ["nearest", "linear", "cubic"])
def test_permuted_and_strided_volumes(device, order):
    base = as_volume(torch.float32, device)
    for view in (base.permute(2, 0, 1), base[::2, :, 1::3], base.expand(9, 10, 11)[:1].expand(4, 10, 11)):
        ours = resample3d(view, MATRIX, (8, 12, 7), order, None)
        assert ours.is_contiguous()
        expected = resample3d(view.contiguous(), MATRIX, (8, 12, 7), order, None)
        torch.testing.assert_close(ours, expected, rtol=0, atol=1e-4)


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("order", ["nearest", "linear", "cubic", "label_linear"])
def test_identity_and_nothing(device, order):
    volume = as_volume(torch.int16, device)
    assert torch.equal(resample3d(volume, IDENTITY.tolist(), volume.shape, order, None), volume.to(torch.int16))
    assert resample3d(volume, MATRIX, (0, 4, 5), order).shape == (0, 4, 5)
    assert resample3d(volume[:0], MATRIX, (2, 4, 5), order, 7).eq(7).all()


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("order", range(4))
def test_it_keeps_the_rules_of_custom_operators(device, order):
    volume = as_volume(torch.uint8 if order == 3 else torch.float32, device)
    flat = [entry for row in MATRIX for entry in row]
    torch.library.opcheck(torch.ops.medsegan.resample3d, (volume, flat, [8, 12, 7], order, 0.0))


@pytest.mark.parametrize("device", DEVICES)
def test_it_can_be_compiled_without_a_break(device):
    volume = as_volume(torch.float32, device)
    compiled = torch.compile(
        lambda x: resample3d(x * 2, MATRIX, (8, 12, 7), "cubic", None) + 1, fullgraph=True, backend="aot_eager"
    )
    torch.testing.assert_close(compiled(volume), resample3d(volume * 2, MATRIX, (8, 12, 7), "cubic", None) + 1)


def test_a_gpu_with_kernels_uses_them():
    if not torch.cuda.is_available():
        pytest.skip("no CUDA GPU is visible")
    require_kernel("resample3d", "cuda")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"order": "quintic"}, "nearest, linear, cubic, label_linear"),
        ({"shape": (2, 2)}, "three axes"),
        ({"volume": torch.zeros(2, 2)}, "three axes"),
        ({"volume": torch.zeros(2, 2, 2), "order": "label_linear"}, "float32"),
        ({"volume": torch.zeros(2, 2, 2, requires_grad=True)}, "no gradient"),
        ({"volume": torch.zeros(0, 2, 2), "fill": None}, "no edge"),
        ({"source_from_target": [[1.0, 0.0, 0.0]] * 3}, "3x4 or 4x4"),
        ({"source_from_target": [[float("inf")] * 4] * 3}, "finite"),
        ({"fill": 300}, "cannot hold the fill value 300"),
    ],
)
def test_senseless_input_is_refused(change, message):
    good = {
        "volume": torch.zeros(2, 2, 2, dtype=torch.uint8),
        "source_from_target": IDENTITY.tolist(),
        "shape": (2, 2, 2),
        "order": "nearest",
    }
    with pytest.raises(ValueError, match=message):
        resample3d(**{**good, **change})
