"""How near a picture is, pixel by pixel."""

import ganzoo


class Pixels(ganzoo.Loss):
    """The mean squared error (Ledig et al. 2017, equation 4)."""

    def generator(self, step):
        return {"pixels": (step.fake - step.real).square().mean()}
