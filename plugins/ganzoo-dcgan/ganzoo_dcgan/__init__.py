"""DCGAN: deep convolutional generator and discriminator (Radford, Metz and Chintala 2016)."""

import ganzoo


@ganzoo.hookimpl
def register_architectures(register: ganzoo.RegisterArchitecture) -> None:
    """Name each architecture and where its generator and discriminator classes are."""
    register("dcgan", generator="ganzoo_dcgan.networks:Generator", discriminator="ganzoo_dcgan.networks:Discriminator")
