"""Losses of discriminators that also tell classes apart, beside a loss of their scores.

They read the discriminator's extras: "logits" of shape (n, classes), unnormalised or, for D2D-CE, the cosines of each
sample's embedding with the proxies of the classes; and "embedding" of shape (n, length), rows of length 1. Labels are
`step.batch["label"]` for real samples and `step.given["label"]` for fake ones, whole numbers from 0.
"""

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy, relu

import ganzoo
from ganzoo.layers import check_positive


class LabelLoss(ganzoo.Loss):
    """Base of the losses here. `extras` are those that it reads."""

    extras: tuple[str, ...] = ("logits",)

    def setup(self, step: ganzoo.Step) -> None:
        """Raise `ValueError` for a discriminator that does not return the extras, or data without labels."""
        for name in self.extras:
            if name not in step.real_extras:
                has = ", ".join(f"'{each}'" for each in step.real_extras) or "no extras"
                raise ValueError(f"it needs a discriminator that returns the extra '{name}'; this one returns {has}")
            if (shape := tuple(step.real_extras[name].shape))[:-1] != (len(step.real_scores),):
                raise ValueError(f"the discriminator's extra '{name}' must be a vector for each sample, it is {shape}")
        if "label" not in step.batch:
            raise ValueError("it needs data with labels")


class Auxiliary(LabelLoss):
    """Cross entropy of the class, which both sides minimise (Odena et al. 2017, AC-GAN, equation 3).

    Both maximise L_C = E[log P(C = c | X_real)] + E[log P(C = c | X_fake)], beside a loss of the scores; P is the
    softmax of "logits" / temperature. Options: `temperature`, greater than 0; `fakes = false` trains the
    discriminator's classes on real samples alone. With a temperature and cosines as logits it is the softmax of
    normalised features and proxies, from which Kang et al. 2021 (ReACGAN, section 3) start. Raises `ValueError` for a
    temperature out of range.
    """

    schedulable = ("temperature",)

    def __init__(self, temperature: float = 1.0, fakes: bool = True) -> None:
        super().__init__()
        check_positive(temperature=temperature)
        self.temperature, self.fakes = temperature, fakes

    def discriminator(self, step: ganzoo.Step) -> dict[str, Tensor]:
        """Return terms "real" and, unless switched off, "fake"."""
        real = self._entropy(step.real_extras, step.batch)
        return {"real": real} | ({"fake": self._entropy(step.fake_extras, step.given)} if self.fakes else {})

    def generator(self, step: ganzoo.Step) -> dict[str, Tensor]:
        """Return term "fake"."""
        return {"fake": self._entropy(step.fake_extras, step.given)}

    def _entropy(self, extras: dict[str, Tensor], given: dict[str, Tensor]) -> Tensor:
        return cross_entropy(extras["logits"] / self.temperature, given["label"])


class DataToData(LabelLoss):
    """Data-to-data cross entropy, D2D-CE (Kang et al. 2021, ReACGAN, section 3).

    With embeddings f and proxies v of length 1, [a]- = min(a, 0) and [a]+ = max(a, 0), it is the mean over samples i
    of -log(p / (p + sum over j with y_j != y_i of exp([f_i . f_j - m_n]+ / t))), where p = exp([f_i . v_y - m_p]- / t).
    The discriminator minimises it for real samples, the generator for fake ones. It reads the extras "logits", here the
    cosines f . v, and "embedding". Samples are compared with those of their process's part of the batch.

    Options: `temperature` t, greater than 0; `positive_margin` m_p and `negative_margin` m_n, in [-1, 1]. The defaults
    are those of the authors for images of 32 pixels, where they give it a `weight` of 0.5. Raises `ValueError` for an
    option out of range.
    """

    extras = ("logits", "embedding")
    schedulable = ("temperature",)

    def __init__(self, temperature: float = 0.5, positive_margin: float = 0.98, negative_margin: float = 0.02) -> None:
        super().__init__()
        check_positive(temperature=temperature)
        for name, margin in (("positive_margin", positive_margin), ("negative_margin", negative_margin)):
            if not -1 <= margin <= 1:
                raise ValueError(f"{name} must lie between -1 and 1, got {margin}")
        self.temperature, self.margins = temperature, (positive_margin, negative_margin)

    def discriminator(self, step: ganzoo.Step) -> dict[str, Tensor]:
        """Return term "real"."""
        return {"real": self._entropy(step.real_extras, step.batch)}

    def generator(self, step: ganzoo.Step) -> dict[str, Tensor]:
        """Return term "fake"."""
        return {"fake": self._entropy(step.fake_extras, step.given)}

    def _entropy(self, extras: dict[str, Tensor], given: dict[str, Tensor]) -> Tensor:
        label, embedding = given["label"], extras["embedding"]
        near, far = self.margins
        own = -relu(near - extras["logits"].gather(1, label[:, None])) / self.temperature
        others = relu(embedding @ embedding.T - far) / self.temperature
        others = others.masked_fill(label[:, None] == label, -torch.inf)
        return (torch.cat([own, others], 1).logsumexp(1) - own.squeeze(1)).mean()


class MultiHinge(LabelLoss):
    """Multi-class hinge (Kavalerov et al. 2021, cGANs with multi-hinge loss, section 3).

    h(y) = mean max(0, 1 - C_y + max over k != y of C_k), after Crammer and Singer 2001, where C are the logits. With
    `fake_class` the last of them is the class of fake samples: the discriminator minimises h(label) for real samples
    plus h(last) for fake ones, the generator h(label), and no other loss is needed. Without it both sides minimise
    h(label), as with `auxiliary`, beside a loss of the scores. Raises `ValueError` for a discriminator that has no
    logit left for `fake_class`.
    """

    def __init__(self, fake_class: bool = False) -> None:
        super().__init__()
        self.fake_class = fake_class

    def setup(self, step: ganzoo.Step) -> None:
        """Raise `ValueError` as `LabelLoss` does, and where the last logit belongs to a class of the data."""
        super().setup(step)
        logits, classes = step.real_extras["logits"].shape[1], step.generator.categorical.get("label", 0)
        if self.fake_class and logits <= classes:
            raise ValueError(
                f"fake_class needs {classes + 1} logits, of the {classes} classes and of fake samples, but the "
                f"discriminator returns {logits}; fake_class = false does without"
            )

    def discriminator(self, step: ganzoo.Step) -> dict[str, Tensor]:
        """Return terms "real" and "fake"."""
        real, fake = step.real_extras["logits"], step.fake_extras["logits"]
        label = step.given["label"]
        wanted = torch.full_like(label, fake.shape[1] - 1) if self.fake_class else label
        return {"real": hinge(real, step.batch["label"]), "fake": hinge(fake, wanted)}

    def generator(self, step: ganzoo.Step) -> dict[str, Tensor]:
        """Return term "fake"."""
        return {"fake": hinge(step.fake_extras["logits"], step.given["label"])}


def hinge(logits: Tensor, label: Tensor) -> Tensor:
    """Return mean max(0, 1 - the label's logit + the largest of the others)."""
    own = logits.gather(1, label[:, None])
    others = logits.masked_fill(torch.zeros_like(logits, dtype=torch.bool).scatter(1, label[:, None], True), -torch.inf)
    return relu(1 - own + others.amax(1, keepdim=True)).mean()
