"""Rows of a table, drawn for a category, as CTGAN learns from (Xu et al. 2019)."""

import ganzoo


@ganzoo.hookimpl
def register_architectures(register: ganzoo.RegisterArchitecture) -> None:
    register("fam-rows", generator="family_tickets.networks:Generator", discriminator="family_tickets.networks:Critic")


@ganzoo.hookimpl
def register_data(register: ganzoo.RegisterData) -> None:
    register("fam-csv", "family_tickets.data:Rows", about="the columns of a CSV file")
