"""Penalties on the discriminator that make few pictures go further: LeCam, and consistency."""

import torch
from torch import Tensor
from torch.nn.functional import relu

import ganzoo
from ganzoo.layers import check_not_negative, check_positive, check_share, single
from ganzoo_augment.views import TRANSFORMS, Word, check_pictures, check_policy, see


class LeCam(ganzoo.Loss):
    """Pull scores to the running mean of the other kind (Tseng et al. 2021, equations 3 and 4).

    The discriminator minimises mean((D(x) - fake)^2) + mean((D(G(z)) - real)^2), where real and fake are moving
    averages of its scores. Option `decay` of these averages, in [0, 1]; with `one_sided`, real scores below that of
    fakes and fake ones above that of real ones cost nothing. Give it a `weight` below 1, such as 0.1. On its first turn
    there is no average yet, and the term is 0. Raises `ValueError` for a decay out of range.
    """

    means: Tensor
    turns: Tensor

    def __init__(self, decay: float = 0.99, one_sided: bool = False) -> None:
        super().__init__()
        check_share(decay=decay)
        self.decay, self.one_sided = decay, one_sided
        self.register_buffer("means", torch.zeros(2))
        self.register_buffer("turns", torch.zeros(()))

    def discriminator(self, step: ganzoo.Step) -> dict[str, Tensor]:
        """Return term "pull"; log the mean scores "real" and "fake"."""
        real, fake = step.real_scores, step.fake_scores
        far = real - self.means[1], self.means[0] - fake
        pull = sum((relu(each) if self.one_sided else each).square().mean() for each in far)
        begun = (self.turns > 0).to(real)
        return {"pull": begun * pull, "real": real.detach().mean(), "fake": fake.detach().mean()}

    def after(self, step: ganzoo.Step, terms: dict[str, Tensor]) -> None:
        """Update the averages, which begin with the scores of the first turn."""
        if step.turn == "discriminator":
            now = torch.stack([terms["real"], terms["fake"]]).to(self.means)
            self.means.lerp_(now, 1 - self.decay * (self.turns > 0).to(now))
            self.turns += 1


class BalancedConsistency(ganzoo.Loss):
    """Balanced consistency: augmented pictures get the scores of the plain ones (Zhao et al. 2020, section 2, bCR).

    The discriminator minimises mean((D(x) - D(T(x)))^2) + mean((D(G(z)) - D(T(G(z))))^2). Option `policy` says what T
    does, in the words of `diffaugment`; the default mirrors and moves. With `real_only` the second term is left out
    (Zhang et al. 2020, CR-GAN). The papers' weight is 10 (`weight = 10` in the recipe). Views of other losses are
    applied to both pictures of a pair, after T. Raises `ValueError` for an empty policy.
    """

    def __init__(self, policy: tuple[Word, ...] = ("mirror", "translation"), real_only: bool = False) -> None:
        super().__init__()
        check_policy(policy)
        self.policy, self.real_only = policy, real_only

    def setup(self, step: ganzoo.Step) -> None:
        """Raise `ValueError` for data other than one kind of pictures."""
        check_pictures(step, self.policy)

    def discriminator(self, step: ganzoo.Step) -> dict[str, Tensor]:
        """Return terms "real" and "fake"."""
        real = (step.real_scores - self._augmented(step, step.real, step.batch)).square().mean()
        if self.real_only:
            return {"real": real}
        return {"real": real, "fake": (step.fake_scores - self._augmented(step, step.fake, step.given)).square().mean()}

    def _augmented(self, step: ganzoo.Step, images: Tensor | dict[str, Tensor], given: dict[str, Tensor]) -> Tensor:
        return step.score(*see(step, single(images), given, self.policy, TRANSFORMS))


class LatentConsistency(ganzoo.Loss):
    """Latent consistency: near latents get near scores but different pictures (Zhao et al. 2020, section 2, zCR).

    With z' = z + `deviation` * noise the discriminator minimises `steady` * mean((D(G(z)) - D(G(z')))^2), the generator
    -`diverse` * mean((G(z) - G(z'))^2). Raises `ValueError` for an option out of range.
    """

    schedulable = ("deviation", "steady", "diverse")

    def __init__(self, deviation: float = 0.03, steady: float = 5.0, diverse: float = 0.5) -> None:
        super().__init__()
        check_positive(deviation=deviation)
        check_not_negative(steady=steady, diverse=diverse)
        self.deviation, self.steady, self.diverse = deviation, steady, diverse

    def setup(self, step: ganzoo.Step) -> None:
        """Raise `ValueError` for a generator without a latent "z", or of several kinds of samples."""
        single(step.real)
        if "z" not in step.latent:
            raise ValueError(f"it moves the latent 'z', but the generator draws {', '.join(step.latent) or 'none'}")

    def discriminator(self, step: ganzoo.Step) -> dict[str, Tensor]:
        """Return term "steady"."""
        near = self._near(step)
        difference = step.fake_scores - step.score(step.generate(near), near)
        return {"steady": self.steady * difference.square().mean()}

    def generator(self, step: ganzoo.Step) -> dict[str, Tensor]:
        """Return term "diverse"."""
        difference = single(step.fake) - single(step.generate(self._near(step)))
        return {"diverse": -self.diverse * difference.square().mean()}

    def _near(self, step: ganzoo.Step) -> dict[str, Tensor]:
        z = step.latent["z"]
        return {**step.given, "z": z + self.deviation * step.randn(*z.shape).to(z)}
