"""A sound little plugin for the conformance kit, to be installed whole or with some of its text replaced."""

import textwrap

import ganzoo

SOUND = {
    "__init__.py": """
        import ganzoo

        @ganzoo.hookimpl
        def register_architectures(register):
            register("tiny", generator="tiny_gan.networks:Maker", discriminator="tiny_gan.networks:Judge")

        @ganzoo.hookimpl
        def register_losses(register):
            register("gentle", "tiny_gan.losses:Gentle")
            register("moving", "tiny_gan.losses:Moving")
            register("noise", "tiny_gan.losses:Noise")
    """,
    "networks.py": """
        from math import prod
        from typing import Literal

        import numpy
        import torch
        from torch import nn

        import ganzoo

        ACTIVATIONS = {"relu": nn.ReLU, "elu": nn.ELU}


        class Maker(ganzoo.Generator):
            latent_size = 5

            def __init__(self, image, activation: Literal["relu", "elu"] = "relu"):
                super().__init__()
                self.image = image
                self.first = nn.Linear(5, 12)
                self.norm = nn.BatchNorm1d(12)
                self.act = ACTIVATIONS[activation]()
                self.last = nn.Linear(12, prod(image))

            def forward(self, given):
                hidden = self.act(self.norm(self.first(given["z"])))
                return torch.tanh(self.last(hidden)).unflatten(1, self.image)


        class Judge(nn.Module):
            def __init__(self, image, bias: bool = True):
                super().__init__()
                self.first = nn.Linear(prod(image), 12)
                self.last = nn.Linear(12, 1, bias=bias)

            def forward(self, images, given):
                hidden = nn.functional.leaky_relu(self.first(images.flatten(1)), 0.2)
                return self.last(hidden)
    """,
    "losses.py": """
        from typing import Literal

        import torch
        from torch.nn.functional import relu, softplus

        import ganzoo


        class Gentle(ganzoo.Loss):
            def __init__(self, cost: Literal["soft", "hard"] = "soft"):
                super().__init__()
                self.cost = {"soft": softplus, "hard": relu}[cost]

            def discriminator(self, step):
                return {"real": self.cost(1 - step.real_scores).mean(), "fake": self.cost(1 + step.fake_scores).mean()}

            def generator(self, step):
                return {"fool": -step.fake_scores.mean()}


        class Moving(ganzoo.Loss):
            def __init__(self):
                super().__init__()
                self.register_buffer("mean", torch.zeros(()))

            def discriminator(self, step):
                return {"real": (step.real_scores - self.mean).square().mean()}

            def after(self, step, terms):
                if step.turn == "discriminator":
                    self.mean.lerp_(terms["real"], 0.1)


        class Noise(ganzoo.Loss):
            def view(self, step, images, given):
                return images + 0.1 * step.randn(*images.shape)
    """,
    "recipes/tiny.toml": """
        # A tiny game.
        architecture = "tiny"
        loss = [{ name = "gentle" }, { name = "noise" }]
    """,
}

IMAGE = (1, 6, 6)


def install(site, *changes, name="tiny-gan"):
    """The sound plugin, with some of its text replaced: (file, old, new)."""
    package = name.replace("-", "_")
    files = {file: textwrap.dedent(text).replace("tiny_gan", package) for file, text in SOUND.items()}
    for file, old, new in changes:
        assert old in files[file]
        files[file] = files[file].replace(old, new)
    site.install(name, files.pop("__init__.py"))
    add(site, files, package)
    return name


def add(site, files, package="tiny_gan"):
    """More files in the plugin's package."""
    for file, text in files.items():
        path = site.folder / package / file
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)


def results(*kinds, name="tiny-gan", **options):
    """How each check of these kinds ends, by its id without the kind."""
    found = ganzoo.testing.checks_of(name, **{"image": IMAGE, **options})
    return {check.id.partition("-")[2]: check.result() for check in found if check.kind in kinds}


def failed(outcome):
    return {key: reason for key, (result, reason) in outcome.items() if result == "failed"}
