"""A class-conditional DCGAN with a projection discriminator (Miyato and Koyama 2018)."""

import ganzoo


@ganzoo.hookimpl
def register_architectures(register: ganzoo.RegisterArchitecture) -> None:
    """Name each architecture and where its generator and discriminator classes are."""
    register(
        "conditional",
        generator="ganzoo_conditional.networks:Generator",
        discriminator="ganzoo_conditional.networks:Discriminator",
    )
