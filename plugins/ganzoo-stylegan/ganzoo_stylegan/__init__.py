"""StyleGAN2 and 3: style-based generators, residual discriminator, path length (Karras et al. 2020, 2021)."""

import ganzoo


@ganzoo.hookimpl
def register_architectures(register: ganzoo.RegisterArchitecture) -> None:
    """Name each architecture and where its generator and discriminator classes are."""
    register(
        "stylegan2",
        generator="ganzoo_stylegan.generator:Generator",
        discriminator="ganzoo_stylegan.discriminator:Discriminator",
    )
    register(
        "stylegan3",
        generator="ganzoo_stylegan.stylegan3:Generator",
        discriminator="ganzoo_stylegan.discriminator:Discriminator",
    )


@ganzoo.hookimpl
def register_losses(register: ganzoo.RegisterLoss) -> None:
    """Name each loss and where its class is."""
    register("path-length", "ganzoo_stylegan.losses:PathLength")


@ganzoo.hookimpl
def register_importers(register: ganzoo.RegisterImporter) -> None:
    """Name each format of weights and where the function is that reads a file of it."""
    register(
        "stylegan2",
        "ganzoo_stylegan.importing:read",
        about="StyleGAN2: rosinality's stylegan2-pytorch (.pt), NVIDIA's PyTorch versions (.pkl)",
    )
