"""Augmentation of what the discriminator sees, so that few pictures go further."""

import ganzoo


@ganzoo.hookimpl
def register_losses(register: ganzoo.RegisterLoss) -> None:
    """Name each view and each penalty, and where its class is."""
    register("mirror", "ganzoo_augment.views:Mirror")
    register("diffaugment", "ganzoo_augment.views:DiffAugment")
    register("ada", "ganzoo_augment.ada:Ada")
    register("apa", "ganzoo_augment.apa:Apa")
    register("pac", "ganzoo_augment.packing:Pac")
    register("lecam", "ganzoo_augment.penalties:LeCam")
    register("bcr", "ganzoo_augment.penalties:BalancedConsistency")
    register("zcr", "ganzoo_augment.penalties:LatentConsistency")
