"""Features that match, and classes that are guessed right."""

from torch.nn.functional import cross_entropy

import ganzoo


class Features(ganzoo.Loss):
    """Odena et al. 2017, equation 3, and Wang et al. 2018, equation 4."""

    def setup(self, step):
        if "guess" not in step.fake_extras:
            raise ValueError("it needs a discriminator that guesses the class, such as fam-judges")

    def discriminator(self, step):
        return {"class": cross_entropy(step.real_extras["guess"], step.batch["label"])}

    def generator(self, step):
        near = [(step.fake_extras[name] - step.real_extras[name].detach()).abs().mean() for name in ("large", "small")]
        return {"class": cross_entropy(step.fake_extras["guess"], step.given["label"]), "near": sum(near)}
