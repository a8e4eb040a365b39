"""A picture that goes there and back is the same."""

import ganzoo


class ThereAndBack(ganzoo.Loss):
    """Zhu et al. 2017, equation 2."""

    def setup(self, step):
        if not hasattr(step.generator, "to_a"):
            raise ValueError("it needs a generator that paints both ways, such as fam-circle")

    def generator(self, step):
        a = step.call(step.generator.to_a, step.fake["b"])
        b = step.call(step.generator.to_b, step.fake["a"])
        return {"a": (a - step.batch["a"]).abs().mean(), "b": (b - step.batch["b"]).abs().mean()}
