"""A command as it is typed, and a plugin whose architectures need more than images."""

import pytest


@pytest.fixture
def run(typed):
    """A command as it is typed."""
    return typed


CONDITIONAL = """
    import ganzoo

    @ganzoo.hookimpl
    def register_architectures(register):
        register("needy", generator="needy:Conditional", discriminator="ganzoo_vanilla.networks:Discriminator")
        register("needs-depth", generator="needy:NeedsDepth", discriminator="ganzoo_vanilla.networks:Discriminator")
"""


@pytest.fixture
def needy(site):
    site.install("ganzoo-needy", CONDITIONAL)
