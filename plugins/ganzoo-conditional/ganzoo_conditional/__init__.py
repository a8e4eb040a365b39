"""A class-conditional DCGAN with a projection discriminator (Miyato and Koyama 2018)."""

import ganzoo


@ganzoo.hookimpl
def register_architectures(register):
    """Name each architecture and where its two sides are."""
    register(
        "conditional",
        generator="ganzoo_conditional.networks:Generator",
        discriminator="ganzoo_conditional.networks:Discriminator",
    )
