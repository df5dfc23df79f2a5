"""Under autocast the models compute in halves and nothing objects."""

import pytest
import torch

from medsegan.models import Generator, ImageCritic, Shape


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_generator_and_critic_run_under_autocast(dtype):
    torch.manual_seed(0)
    generator = Generator(Shape(32, 1, 3, 16, 2, 256, 16))
    critic = ImageCritic(Shape(32, 1, 3, 16, 2, 256, 16))
    codes = generator.mix(torch.randn(2, 16), 0.5)
    exact, _ = generator(codes, [torch.zeros(2, 1, h, w) for h, w in generator.noise_shapes()])
    with torch.autocast("cpu", dtype=dtype):
        images, logits = generator(codes, [torch.zeros(2, 1, h, w) for h, w in generator.noise_shapes()])
        verdict = critic(images)
    assert images.isfinite().all()
    assert logits.isfinite().all()
    torch.testing.assert_close(images.float(), exact, rtol=0.1, atol=0.1 * exact.abs().max().item())
    assert verdict is not None
