"""The first GAN: multilayer perceptrons, the minimax loss and the non-saturating loss (Goodfellow et al. 2014)."""

import ganzoo


@ganzoo.hookimpl
def register_architectures(register: ganzoo.RegisterArchitecture) -> None:
    """Name each architecture and where its generator and discriminator classes are."""
    register(
        "vanilla", generator="ganzoo_vanilla.networks:Generator", discriminator="ganzoo_vanilla.networks:Discriminator"
    )
    register("points", generator="ganzoo_vanilla.points:Generator", discriminator="ganzoo_vanilla.points:Discriminator")


@ganzoo.hookimpl
def register_losses(register: ganzoo.RegisterLoss) -> None:
    """Name each loss and where its class is."""
    register("minimax", "ganzoo_vanilla.losses:Minimax")
    register("non-saturating", "ganzoo_vanilla.losses:NonSaturating")
