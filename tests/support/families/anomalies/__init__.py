"""An encoder beside generator and discriminator: f-AnoGAN in two phases (Schlegl et al. 2019)."""

import ganzoo


@ganzoo.hookimpl
def register_architectures(register: ganzoo.RegisterArchitecture) -> None:
    generator, discriminator = "family_anomalies.networks:Generator", "family_anomalies.networks:Critic"
    register("fam-anomalies", generator=generator, discriminator=discriminator)


@ganzoo.hookimpl
def register_losses(register: ganzoo.RegisterLoss) -> None:
    register("fam-encode", "family_anomalies.losses:Encode")
