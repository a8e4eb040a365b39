"""Pictures and drawings of them, side by side, as pix2pix learns from (Isola et al. 2017)."""

import ganzoo


@ganzoo.hookimpl
def register_architectures(register: ganzoo.RegisterArchitecture) -> None:
    register("fam-painter", generator="family_pairs.networks:Painter", discriminator="family_pairs.networks:Critic")


@ganzoo.hookimpl
def register_losses(register: ganzoo.RegisterLoss) -> None:
    register("fam-near", "family_pairs.losses:Near")


@ganzoo.hookimpl
def register_data(register: ganzoo.RegisterData) -> None:
    register("fam-drawings", "family_pairs.data:Drawings", about="pictures and grey drawings of them")
