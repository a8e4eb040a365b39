"""InfoGAN: a generator with codes for the ways in which the data varies (Chen et al. 2016)."""

import ganzoo


@ganzoo.hookimpl
def register_architectures(register: ganzoo.RegisterArchitecture) -> None:
    """Name each architecture and where its generator and discriminator classes are."""
    register(
        "infogan",
        generator="ganzoo_infogan.networks:Generator",
        discriminator="ganzoo_infogan.networks:Discriminator",
    )


@ganzoo.hookimpl
def register_losses(register: ganzoo.RegisterLoss) -> None:
    """Name each loss and where its class is."""
    register("mutual-information", "ganzoo_infogan.losses:MutualInformation")
