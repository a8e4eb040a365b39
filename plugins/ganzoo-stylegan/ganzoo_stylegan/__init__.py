"""StyleGAN2: style-based generator, residual discriminator, path length regularisation (Karras et al. 2020)."""

import ganzoo


@ganzoo.hookimpl
def register_architectures(register: ganzoo.RegisterArchitecture) -> None:
    """Name each architecture and where its generator and discriminator classes are."""
    register(
        "stylegan2",
        generator="ganzoo_stylegan.generator:Generator",
        discriminator="ganzoo_stylegan.discriminator:Discriminator",
    )


@ganzoo.hookimpl
def register_losses(register: ganzoo.RegisterLoss) -> None:
    """Name each loss and where its class is."""
    register("path-length", "ganzoo_stylegan.losses:PathLength")
