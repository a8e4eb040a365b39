"""Wasserstein GAN: its networks, its loss, weight clipping and the gradient penalty (Arjovsky et al. 2017)."""

import ganzoo


@ganzoo.hookimpl
def register_architectures(register: ganzoo.RegisterArchitecture) -> None:
    """Name each architecture and where its generator and discriminator classes are."""
    register("wgan", generator="ganzoo_wgan.networks:Generator", discriminator="ganzoo_wgan.networks:Critic")


@ganzoo.hookimpl
def register_losses(register: ganzoo.RegisterLoss) -> None:
    """Name each loss and where its class is."""
    register("wasserstein", "ganzoo_wgan.losses:Wasserstein")
    register("weight-clipping", "ganzoo_wgan.losses:WeightClipping")
    register("gradient-penalty", "ganzoo_wgan.losses:GradientPenalty")
