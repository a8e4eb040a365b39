"""The losses of the loops by hand: what both sides minimise in each family of recipes."""

from math import sqrt
from typing import Any

import torch
from by_hand import Given, Loop, number, squared_norm
from torch import Tensor
from torch.nn.functional import relu, softplus


class NonSaturating(Loop):
    """StyleGAN2 and progressive growing: cross entropy of scores, lazy R1, lazy path length."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.length = torch.zeros(())

    def next_batch(self) -> Given:
        """Return the next real batch, in the size that the networks have grown to."""
        batch = super().next_batch()
        if "growing" not in self.options:
            return batch
        from ganzoo_fastgan.growing import show_at

        return {**batch, "image": show_at(batch["image"], self.discriminator.growth.item())}

    def discriminator_loss(self, batch: Given) -> Tensor:
        """Return the cross entropy, and R1 where it is due."""
        (real,), _ = self.judge(batch["image"], batch)
        given = self.given(batch)
        (fake,), _ = self.judge(self.fake(given), given)
        loss = softplus(-real).mean() + softplus(fake).mean()
        if self.is_due("r1"):
            gamma = number(self.options["r1"].options()["gamma"])
            loss = loss + self.factor("r1") * gamma / 2 * self.slope(batch["image"], batch)
        return loss

    def generator_loss(self, batch: Given) -> Tensor:
        """Return the cross entropy, and path length where it is due."""
        given = self.given(batch)
        (fake,), _ = self.judge(self.make(given)[0], given)
        loss = softplus(-fake).mean()
        if self.is_due("path-length"):
            loss = loss + self.factor("path-length") * self.path_length(given)
        return loss

    def path_length(self, given: Given) -> Tensor:
        """Return the penalty of Karras et al. 2020, equation 4, of every second sample."""
        images, extras = self.make({key: value[::2] for key, value in given.items()}, twice=True)
        noise = torch.randn_like(images) / sqrt(images[0, 0].numel())
        (slopes,) = torch.autograd.grad((images * noise).sum(), extras["w"], create_graph=True)
        lengths = (slopes.square().sum(-1).mean(1) + 1e-12).sqrt()
        penalty = (lengths - self.length).square().mean()
        self.length.lerp_(lengths.detach().mean(), 0.01)
        return penalty


class Relativistic(Loop):
    """R3GAN: paired scores, R1 and R2 on every turn.

    `shared` takes the penalties from the forwards of the scores, in full precision, as the authors do; else the scores
    have forwards of their own, in half precision, as ganzoo computes them.
    """

    shared = True

    @property
    def gamma(self) -> float:
        """The gamma of both penalties: of losses of their own, or options of `relativistic`."""
        if "r1" in self.options:
            return number(self.options["r1"].options()["gamma"])
        return number(self.options["relativistic"].options()["r1"])

    def discriminator_loss(self, batch: Given) -> Tensor:
        """Return the loss of pairs and both penalties."""
        given = self.given(batch)
        fake, real, gamma = self.fake(given), batch["image"], self.gamma
        if not self.shared:
            (on_real,), _ = self.judge(real, batch)
            (on_fake,), _ = self.judge(fake, given)
            penalty = self.slope(real, batch) + self.slope(fake, given)
        else:
            real, fake = real.requires_grad_(), fake.requires_grad_()
            (on_real,), _ = self.judge(real, batch, twice=True)
            (on_fake,), _ = self.judge(fake, given, twice=True)
            penalty = squared_norm(on_real.sum(), real) + squared_norm(on_fake.sum(), fake)
        return softplus(on_fake - on_real).mean() + gamma / 2 * penalty

    def generator_loss(self, batch: Given) -> Tensor:
        """Return the loss of pairs."""
        given = self.given(batch)
        with torch.no_grad():
            (real,), _ = self.judge(batch["image"], batch)
        (fake,), _ = self.judge(self.make(given)[0], given)
        return softplus(real - fake).mean()


class Separate(Relativistic):
    """The same, with forwards of their own for the penalties."""

    shared = False


class Hinge(Loop):
    """SNGAN, SAGAN, BigGAN, ReACGAN, FastGAN and projected discriminators: hinge, and what each has beside it."""

    def discriminator_loss(self, batch: Given) -> Tensor:
        """Return hinge, reconstruction and classes."""
        given = self.given(batch)
        real, extras = self.judge(batch["image"], batch)
        fake, _ = self.judge(self.fake(given), given)
        pairs = zip(real, fake, strict=True)
        loss = torch.stack([relu(1 - one).mean() + relu(1 + other).mean() for one, other in pairs]).mean()
        if "reconstruction" in self.options:
            loss = loss + self.reconstruct(extras)
        return loss + self.classes(extras, batch) if "d2d-ce" in self.options else loss

    def generator_loss(self, batch: Given) -> Tensor:
        """Return hinge, orthogonality and classes."""
        given = self.given(batch)
        fake, extras = self.judge(self.make(given)[0], given)
        loss = -torch.stack([each.mean() for each in fake]).mean()
        if "orthogonal" in self.options:
            from ganzoo_resnet.losses import find_filters, penalise

            loss = loss + 1e-4 * torch.stack([penalise(each) for each in find_filters(self.generator)]).sum()
        return loss + self.classes(extras, given) if "d2d-ce" in self.options else loss

    def classes(self, extras: Given, given: Given) -> Tensor:
        """Return the data-to-data cross entropy of ReACGAN, with its default margins."""
        label, embedding = given["label"], extras["embedding"]
        own = -relu(0.98 - extras["logits"].gather(1, label[:, None])) / 0.5
        others = (relu(embedding @ embedding.T - 0.02) / 0.5).masked_fill(label[:, None] == label, -torch.inf)
        return (torch.cat([own, others], 1).logsumexp(1) - own.squeeze(1)).mean()

    def reconstruct(self, extras: Given) -> Tensor:
        """Return how far decoded images are from those that the discriminator saw (FastGAN)."""
        seen, large, small = (extras[key] for key in ("seen", "large", "small"))
        half, pixels = large.shape[-1] // 2, seen.shape[-1] // large.shape[-1]
        corner = torch.randint(half + 1, (2,))
        rows, columns = (slice(int(at), int(at) + half) for at in corner)
        part = seen[:, :, rows.start * pixels : rows.stop * pixels, columns.start * pixels : columns.stop * pixels]
        decoders = self.discriminator.decoders
        with torch.autocast("cpu", torch.bfloat16, enabled=self.bf16):
            whole, decoded = decoders["whole"](small), decoders["part"](large[:, :, rows, columns])
        return distance(whole.float(), seen) + distance(decoded.float(), part)


def distance(decoded: Tensor, images: Tensor) -> Tensor:
    """Return the mean absolute difference of decoded images from images of that size."""
    target = torch.nn.functional.adaptive_avg_pool2d(images, decoded.shape[2:])
    return (decoded - target).abs().mean()


LOOPS: dict[str, type[Loop]] = {"non-saturating": NonSaturating, "relativistic": Relativistic, "hinge": Hinge}
"""The loop of a recipe by its first loss."""
