"""Two folders of pictures that do not belong together, as CycleGAN learns from (Zhu et al. 2017)."""

import ganzoo


@ganzoo.hookimpl
def register_architectures(register: ganzoo.RegisterArchitecture) -> None:
    register("fam-circle", generator="family_unpaired.networks:Both", discriminator="family_unpaired.networks:Judges")


@ganzoo.hookimpl
def register_losses(register: ganzoo.RegisterLoss) -> None:
    register("fam-there-and-back", "family_unpaired.losses:ThereAndBack")


@ganzoo.hookimpl
def register_data(register: ganzoo.RegisterData) -> None:
    register("fam-two-folders", "family_unpaired.data:TwoFolders")
