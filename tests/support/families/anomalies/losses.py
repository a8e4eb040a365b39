"""An encoder that finds the latent of an image."""

import ganzoo


class Encode(ganzoo.Loss):
    """Schlegl et al. 2019, equation 3: the image comes back, and so do its features."""

    def __init__(self, kappa: float = 1.0):
        super().__init__()
        self.kappa = kappa

    def setup(self, step):
        if not hasattr(step.generator, "encoder"):
            raise ValueError("it needs a generator with an encoder, such as fam-anomalies")

    def generator(self, step):
        z = step.call(step.generator.encoder, step.real)
        back = step.generate({**step.given, "z": z})
        features = step.judge(back, step.given)[1]["features"] - step.real_extras["features"].detach()
        return {"image": (back - step.real).square().mean(), "features": self.kappa * features.square().mean()}
