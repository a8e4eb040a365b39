"""SNGAN, SAGAN and BigGAN: residual networks with spectral norm, attention and class conditions."""

import ganzoo


@ganzoo.hookimpl
def register_architectures(register: ganzoo.RegisterArchitecture) -> None:
    """Name each architecture and where its generator and discriminator classes are."""
    for name in ("sngan", "sagan", "biggan"):
        module = f"ganzoo_resnet.{name}"
        register(name, generator=f"{module}:Generator", discriminator=f"{module}:Discriminator")


@ganzoo.hookimpl
def register_losses(register: ganzoo.RegisterLoss) -> None:
    """Name the loss and where its class is."""
    register("orthogonal", "ganzoo_resnet.losses:Orthogonal")
