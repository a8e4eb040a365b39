"""Plugins whose losses and networks keep a state, draw by themselves, or break."""

import pytest

PULL = """
    import ganzoo

    @ganzoo.hookimpl
    def register_losses(register):
        register("pull", "unruly:Pull")
"""


@pytest.fixture
def pull(site):
    site.install("ganzoo-pull", PULL)


UNLUCKY = """
    import ganzoo

    @ganzoo.hookimpl
    def register_losses(register):
        register("unlucky", "unruly:Unlucky")
"""


@pytest.fixture
def unlucky(site):
    site.install("ganzoo-unlucky", UNLUCKY)
