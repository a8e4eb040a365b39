"""The architecture NAME. Nothing here imports torch, so that listing stays quick."""

import ganzoo


@ganzoo.hookimpl
def register_architectures(register):
    """Name each architecture and where its two sides are."""
    register(
        "NAME",
        generator="PACKAGE.networks:Generator",
        discriminator="PACKAGE.networks:Discriminator",
    )
