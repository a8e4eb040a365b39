"""A small StyleGAN (Karras et al. 2019, 2020): a mapping, a synthesis, and parts with learning rates of their own."""

import ganzoo


@ganzoo.hookimpl
def register_architectures(register: ganzoo.RegisterArchitecture) -> None:
    register("fam-styles", generator="family_styles.networks:Generator", discriminator="family_styles.networks:Critic")


@ganzoo.hookimpl
def register_losses(register: ganzoo.RegisterLoss) -> None:
    register("fam-mixing", "family_styles.losses:Mixing")
    register("fam-path", "family_styles.losses:PathLength")
    register("fam-noise", "family_styles.losses:FadingNoise")
