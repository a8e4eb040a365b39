"""FastGAN for few pictures (Liu et al. 2021), projected discriminators and progressive growing."""

import ganzoo


@ganzoo.hookimpl
def register_architectures(register: ganzoo.RegisterArchitecture) -> None:
    """Name each architecture and where its generator and discriminator classes are."""
    register(
        "fastgan", generator="ganzoo_fastgan.generator:Generator", discriminator="ganzoo_fastgan.judge:Discriminator"
    )
    register(
        "projected",
        generator="ganzoo_fastgan.generator:Generator",
        discriminator="ganzoo_fastgan.projected:Discriminator",
    )
    register(
        "progressive",
        generator="ganzoo_fastgan.progressive:Generator",
        discriminator="ganzoo_fastgan.progressive:Discriminator",
    )


@ganzoo.hookimpl
def register_losses(register: ganzoo.RegisterLoss) -> None:
    """Name each loss and where its class is."""
    register("reconstruction", "ganzoo_fastgan.reconstruction:Reconstruction")
    register("growing", "ganzoo_fastgan.growing:Growing")
