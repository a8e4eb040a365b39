"""R3GAN: residual networks without normalisation, for the relativistic loss with R1 and R2 (Huang et al. 2024)."""

import ganzoo


@ganzoo.hookimpl
def register_architectures(register: ganzoo.RegisterArchitecture) -> None:
    """Name the architecture and where its generator and discriminator classes are."""
    register("r3gan", generator="ganzoo_r3gan.networks:Generator", discriminator="ganzoo_r3gan.networks:Discriminator")
