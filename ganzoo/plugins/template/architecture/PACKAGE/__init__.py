"""The architecture NAME. Nothing here imports torch, so that listing stays quick."""

import ganzoo


@ganzoo.hookimpl
def register_architectures(register: ganzoo.RegisterArchitecture) -> None:
    """Name each architecture and where its generator and discriminator are."""
    register(
        "NAME",
        generator="PACKAGE.networks:Generator",
        discriminator="PACKAGE.networks:Discriminator",
    )
