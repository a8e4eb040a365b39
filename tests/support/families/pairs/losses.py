"""How near a painted picture is to the real one."""

import ganzoo


class Near(ganzoo.Loss):
    """The mean absolute difference (Isola et al. 2017, equation 3)."""

    def generator(self, step):
        return {"near": (step.fake - step.real).abs().mean()}
