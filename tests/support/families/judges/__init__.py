"""Several judges on several scales, as in pix2pixHD (Wang et al. 2018, section 3.2)."""

import ganzoo


@ganzoo.hookimpl
def register_architectures(register: ganzoo.RegisterArchitecture) -> None:
    register("fam-judges", generator="family_judges.networks:Generator", discriminator="family_judges.networks:Judges")


@ganzoo.hookimpl
def register_losses(register: ganzoo.RegisterLoss) -> None:
    register("fam-features", "family_judges.losses:Features")
