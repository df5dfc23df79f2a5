"""Losses as pure functions."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F


def critic_loss(real: torch.Tensor, fake: torch.Tensor) -> torch.Tensor:
    """Logistic loss of a critic on its logits, [N] or one for each patch, for real and for generated samples.

    Source: Li et al., CVPR 2021, equations 1 and 2, in the non-saturating form of Goodfellow et al., 2014.
    """
    return F.softplus(-real).mean() + F.softplus(fake).mean()


def generator_loss(fake: torch.Tensor) -> torch.Tensor:
    """Non-saturating logistic loss of the generator on a critic's logits, any shape (CVPR 2021, equation 3)."""
    return F.softplus(-fake).mean()


def mean_logits(scales: Sequence[torch.Tensor]) -> torch.Tensor:
    """[N] mean over patches and scales of patch logits [N, P]."""
    return torch.stack([logits.mean(dim=1) for logits in scales]).mean(dim=0)


def r1_penalty(logits: torch.Tensor, inputs: Sequence[torch.Tensor]) -> torch.Tensor:
    """Mean over samples of half the squared gradient of the logit with respect to the sample's own inputs.

    The gradient is that of the sum over the batch, hence per sample: the official joint critic took it of the
    batch mean, which weakens the penalty by the square of the batch size.

    Args:
        logits: [N], computed from `inputs`.
        inputs: tensors [N, ...] that require gradients.

    Source: Mescheder et al., "Which Training Methods for GANs do actually Converge?", ICML 2018, equation 9.
    """
    gradients = torch.autograd.grad(logits.sum(), list(inputs), create_graph=True)
    squared = torch.stack([g.square().flatten(1).sum(dim=1) for g in gradients]).sum(dim=0)
    return 0.5 * squared.mean()


def path_lengths(images: torch.Tensor, codes: torch.Tensor) -> torch.Tensor:
    """[N] length of the step in image space for a step of unit length in W, in a random direction of image space.

    Source: Karras et al., CVPR 2020, section 3.2 and equation 4.
    """
    direction = torch.randn_like(images) / (images.shape[2] * images.shape[3]) ** 0.5
    (gradient,) = torch.autograd.grad((images * direction).sum(), codes, create_graph=True)
    return gradient.square().sum(dim=2).mean(dim=1).sqrt()


def feature_matching(fake: Sequence[torch.Tensor], real: Sequence[torch.Tensor]) -> torch.Tensor:
    """Mean absolute difference of the batch-mean features of a critic, averaged over its maps.

    The labelled batch is not paired with the generated one, so means over the batch are compared, not samples.

    Source: Salimans et al., "Improved Techniques for Training GANs", NeurIPS 2016, section 3.1.
    """
    gaps = [(f.mean(dim=0) - r.detach().mean(dim=0)).abs().mean() for f, r in zip(fake, real, strict=True)]
    return torch.stack(gaps).mean()


def cross_entropy(logits: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """Mean cross-entropy of logits [N, K, H, W] against class probabilities [N, K, H, W]."""
    return -(target * F.log_softmax(logits, dim=1)).sum(dim=1).mean()


def dice_loss(probabilities: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """One minus the mean Dice of the foreground classes, pooled over the batch.

    A class that is absent from both counts as perfect through the smoothing term.

    Source: Milletari et al., "V-Net", 3DV 2016, equation in section 3 (squared denominator).
    """
    p, t = probabilities[:, 1:], target[:, 1:]
    overlap = (p * t).sum(dim=(0, 2, 3))
    total = p.square().sum(dim=(0, 2, 3)) + t.square().sum(dim=(0, 2, 3))
    return 1.0 - ((2 * overlap + 1.0) / (total + 1.0)).mean()


def perceptual_distance(one: Sequence[torch.Tensor], other: Sequence[torch.Tensor]) -> torch.Tensor:
    """[N] squared distance of feature maps, each normalised along the channels, averaged over places and maps.

    Source: Zhang et al., "The Unreasonable Effectiveness of Deep Features" (LPIPS), CVPR 2018, equation 1,
    with equal weights; the features are those of our own image critic, so that nothing is downloaded.
    """
    gaps = [
        (F.normalize(a, dim=1, eps=1e-6) - F.normalize(b, dim=1, eps=1e-6)).square().sum(dim=1).mean(dim=(1, 2))
        for a, b in zip(one, other, strict=True)
    ]
    return torch.stack(gaps).mean(dim=0)
