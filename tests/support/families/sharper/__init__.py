"""Sharper pictures: SRGAN (Ledig et al. 2017), whose generator learns alone at first."""

import ganzoo


@ganzoo.hookimpl
def register_architectures(register: ganzoo.RegisterArchitecture) -> None:
    register("fam-sharper", generator="family_sharper.networks:Sharper", discriminator="family_sharper.networks:Critic")


@ganzoo.hookimpl
def register_losses(register: ganzoo.RegisterLoss) -> None:
    register("fam-pixels", "family_sharper.losses:Pixels")


@ganzoo.hookimpl
def register_data(register: ganzoo.RegisterData) -> None:
    register("fam-zoom", "family_sharper.data:Zoom")
