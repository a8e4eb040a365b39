"""Short lines of text, letter by letter (Gulrajani et al. 2017, section 5.3)."""

import ganzoo


@ganzoo.hookimpl
def register_architectures(register: ganzoo.RegisterArchitecture) -> None:
    register("fam-letters", generator="family_rhymes.networks:Writer", discriminator="family_rhymes.networks:Reader")


@ganzoo.hookimpl
def register_data(register: ganzoo.RegisterData) -> None:
    register("fam-lines", "family_rhymes.data:Lines")
