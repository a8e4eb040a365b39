"""InfoGAN: codes that name what the data varies in (Chen et al. 2016)."""

import ganzoo


@ganzoo.hookimpl
def register_architectures(register):
    """Name each architecture and where its two sides are."""
    register(
        "infogan",
        generator="ganzoo_infogan.networks:Generator",
        discriminator="ganzoo_infogan.networks:Discriminator",
    )


@ganzoo.hookimpl
def register_losses(register):
    """Name each loss and where it is."""
    register("mutual-information", "ganzoo_infogan.losses:MutualInformation")
