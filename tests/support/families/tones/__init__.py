"""Sound from a folder of WAV files, as WaveGAN learns from (Donahue et al. 2019)."""

import ganzoo


@ganzoo.hookimpl
def register_architectures(register: ganzoo.RegisterArchitecture) -> None:
    register("fam-wave", generator="family_tones.networks:Generator", discriminator="family_tones.networks:Critic")


@ganzoo.hookimpl
def register_data(register: ganzoo.RegisterData) -> None:
    register("fam-tones", "family_tones.data:Tones", about="a folder of short WAV files")
