"""The first stage: generator, image critic and joint critic, one step at a time.

Source: Li et al., CVPR 2021, section 3.1, equations 1-3, with the defects of the official code mended: R1 reaches
both critics and is taken per sample; both critics are augmented adaptively; no gradient of the joint critic
reaches the image.
"""

import copy
from dataclasses import dataclass

import torch
from torch import nn

from ..data import LabeledSlices, UnlabeledSlices, augment_pair
from ..models import Generator, ImageCritic, JointCritic, Shape, update_average
from . import losses
from .augment_control import AugmentControl
from .config import GanConfig

Figures = dict[str, float]


@dataclass(frozen=True)
class Fakes:
    """A generated batch: images [N, C, H, W] and class probabilities [N, K, H, W]."""

    images: torch.Tensor
    labels: torch.Tensor


class GanStage(nn.Module):
    """Everything that the first stage changes: weights, averages, optimisers, augmentation.

    Args:
        shape: the generator's sizes.
        config: see `GanConfig`.
        labeled: slices with labels, for the joint critic.
        unlabeled: slices for the image critic: all training cases, labelled or not.
    """

    name = "gan"
    path_mean: torch.Tensor

    def __init__(
        self, shape: Shape, config: GanConfig, labeled: LabeledSlices, unlabeled: UnlabeledSlices
    ) -> None:
        super().__init__()
        self.shape, self.config = shape, config
        self.labeled, self.unlabeled = labeled, unlabeled
        self.batch = config.batch
        self.generator = Generator(shape)
        self.image_critic = ImageCritic(shape)
        self.joint_critic = JointCritic(shape, config.joint_width)
        self.average = copy.deepcopy(self.generator).requires_grad_(False)
        self.image_control = AugmentControl(config.ada_start, config.ada_target, config.ada_images)
        self.joint_control = AugmentControl(config.ada_joint_start, config.ada_target, config.ada_images)
        self.register_buffer("path_mean", torch.zeros(()))
        default_gamma = 0.0002 * shape.size**2 / config.batch
        self.gamma = default_gamma if config.r1_gamma is None else config.r1_gamma
        self.to(labeled.images.device)
        self.optimizers = self._build_optimizers()

    def _build_optimizers(self) -> dict[str, torch.optim.Optimizer]:
        """Adam without momentum; betas corrected for lazy regularisation (CVPR 2020, appendix B)."""
        rate = self.config.learning_rate
        lazy_g = self.config.path_length_every / (self.config.path_length_every + 1)
        lazy_d = self.config.r1_every / (self.config.r1_every + 1)

        def adam(module: nn.Module, lazy: float) -> torch.optim.Optimizer:
            return torch.optim.Adam(module.parameters(), lr=rate * lazy, betas=(0.0, 0.99**lazy), eps=1e-8)

        return {
            "generator": adam(self.generator, lazy_g),
            "image_critic": adam(self.image_critic, lazy_d),
            "joint_critic": adam(self.joint_critic, lazy_d),
        }

    def step(self, nimg: int, progress: float) -> Figures:
        """Train on one batch; returns the figures to log.

        Args:
            nimg: images seen before this step.
            progress: fraction of the stage that is done, 0..1; this stage keeps its rates constant.
        """
        count = nimg // self.batch
        z = torch.randn(self.batch, self.shape.latent_width, device=self.path_mean.device)
        fakes = self._generate(z)
        figures, real_features = self._critic_step(fakes, use_r1=count % self.config.r1_every == 0)
        figures |= self._generator_step(fakes, real_features)
        if self.config.path_length_weight > 0 and count % self.config.path_length_every == 0:
            figures["path"] = self._path_length_step()
        self._update_average(nimg)
        return figures

    def _generate(self, z: torch.Tensor) -> Fakes:
        images, logits = self.generator(self.generator.mix(z, self.config.style_mixing))
        return Fakes(images, logits.softmax(dim=1))

    def _critic_step(self, fakes: Fakes, use_r1: bool) -> tuple[Figures, list[torch.Tensor]]:
        """Update both critics on the detached fakes; returns figures and features of the real pairs."""
        unlabeled = self.unlabeled.draw(self.batch)
        images, labels = self.labeled.draw(self.batch)
        image_loss, image_figures = self._image_critic_loss(unlabeled, fakes.images.detach(), use_r1)
        joint_loss, joint_figures, features = self._joint_critic_loss(
            images, labels, Fakes(fakes.images.detach(), fakes.labels.detach()), use_r1
        )
        for optimizer in (self.optimizers["image_critic"], self.optimizers["joint_critic"]):
            optimizer.zero_grad(set_to_none=True)
        (image_loss + joint_loss).backward()
        self.optimizers["image_critic"].step()
        self.optimizers["joint_critic"].step()
        return image_figures | joint_figures, features

    def _image_critic_loss(
        self, real: torch.Tensor, fake: torch.Tensor, use_r1: bool
    ) -> tuple[torch.Tensor, Figures]:
        p = self.image_control.probability
        real, _ = augment_pair(real, None, p)
        fake, _ = augment_pair(fake, None, p)
        real = real.detach().requires_grad_(use_r1)
        real_logits, fake_logits = self.image_critic(real), self.image_critic(fake)
        loss = losses.critic_loss(real_logits, fake_logits)
        figures = {"image_critic": loss.item(), "image_p": p}
        self.image_control.observe(real_logits.detach())
        if use_r1:
            penalty = losses.r1_penalty(real_logits, [real])
            figures["image_r1"] = penalty.item()
            loss = loss + self.gamma * self.config.r1_every * penalty
        return loss, figures

    def _joint_critic_loss(
        self, images: torch.Tensor, labels: torch.Tensor, fakes: Fakes, use_r1: bool
    ) -> tuple[torch.Tensor, Figures, list[torch.Tensor]]:
        p = self.joint_control.probability
        images, labels = self._augment_joint(images, labels, p)
        images, labels = images.detach().requires_grad_(use_r1), labels.detach().requires_grad_(use_r1)
        real_logits, features = self.joint_critic(images, labels)
        fake_logits, _ = self.joint_critic(*self._augment_joint(fakes.images, fakes.labels, p))
        # A loss for every patch: a mean of logits would let one convincing place excuse an impossible one.
        pairs = zip(real_logits, fake_logits, strict=True)
        loss = torch.stack([losses.critic_loss(real, fake) for real, fake in pairs]).mean()
        figures = {"joint_critic": loss.item(), "joint_p": p}
        self.joint_control.observe(losses.mean_logits(real_logits).detach())
        if use_r1:
            penalty = losses.r1_penalty(losses.mean_logits(real_logits), [images, labels])
            figures["joint_r1"] = penalty.item()
            loss = loss + self.gamma * self.config.r1_every * penalty
        return loss, figures, features

    def _generator_step(self, fakes: Fakes, real_features: list[torch.Tensor]) -> Figures:
        """Update the generator against both critics, with the critics' weights left alone."""
        loss, figures = self.generator_objective(fakes, real_features)
        self.optimizers["generator"].zero_grad(set_to_none=True)
        loss.backward()
        self.optimizers["generator"].step()
        return figures

    def generator_objective(self, fakes: Fakes, real_features: list[torch.Tensor]) -> tuple[torch.Tensor, Figures]:
        """What the generator minimises (CVPR 2021, equation 3, and feature matching), with its figures."""
        self.image_critic.requires_grad_(False)
        self.joint_critic.requires_grad_(False)
        try:
            images, _ = augment_pair(fakes.images, None, self.image_control.probability)
            image_loss = losses.generator_loss(self.image_critic(images))
            # The joint critic must not teach the image: else few labelled images would shape all samples.
            pair = self._augment_joint(fakes.images.detach(), fakes.labels, self.joint_control.probability)
            joint_logits, features = self.joint_critic(*pair)
            joint_loss = torch.stack([losses.generator_loss(logits) for logits in joint_logits]).mean()
            matching = losses.feature_matching(features, real_features)
        finally:
            self.image_critic.requires_grad_(True)
            self.joint_critic.requires_grad_(True)
        joint = self.config.joint_weight * joint_loss + self.config.feature_matching * matching
        figures = {"image_loss": image_loss.item(), "joint_loss": joint_loss.item(), "matching": matching.item()}
        return image_loss + joint, figures

    def _path_length_step(self) -> float:
        """Pull the length of steps in the image towards its running mean (CVPR 2020, equation 4)."""
        z = torch.randn(max(2, self.batch // 2), self.shape.latent_width, device=self.path_mean.device)
        codes = self.generator.mix(z, self.config.style_mixing)
        images, _ = self.generator(codes)
        lengths = losses.path_lengths(images, codes)
        self.path_mean.lerp_(lengths.mean().detach(), 0.01)
        penalty = (lengths - self.path_mean).square().mean()
        self.optimizers["generator"].zero_grad(set_to_none=True)
        (penalty * self.config.path_length_weight * self.config.path_length_every).backward()
        self.optimizers["generator"].step()
        return penalty.item()

    def _augment_joint(
        self, images: torch.Tensor, labels: torch.Tensor, probability: float
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Augmented pairs; labels go from [0, 1] to [-1, 1], as the paper shows them to the critic."""
        images, augmented = augment_pair(images, labels, probability)
        assert augmented is not None
        return images, augmented * 2.0 - 1.0

    def _update_average(self, nimg: int) -> None:
        """Average weights over a time that grows with the run, and track the mean latent."""
        with torch.no_grad():
            w = self.generator.mapping(torch.randn(64, self.shape.latent_width, device=self.path_mean.device))
            self.generator.w_mean.lerp_(w.mean(dim=0), 0.02)
        half_life = min(self.config.average_half_life, (nimg + self.batch) * self.config.average_rampup)
        update_average(self.average, self.generator, self.batch, half_life)

    @torch.no_grad()
    def samples(self, count: int) -> Fakes:
        """A generated batch of the averaged generator."""
        z = torch.randn(count, self.shape.latent_width, device=self.path_mean.device)
        images, logits = self.average(self.average.mix(z, 0.0))
        return Fakes(images, logits.softmax(dim=1))
