"""Plugins whose losses and networks keep a state, draw by themselves, or break."""

import shutil

import pytest

import ganzoo
from trainings import tiny, train_with
from watched import Ink

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


SHAKY = """
    import ganzoo

    @ganzoo.hookimpl
    def register_losses(register):
        register("shaky", "unruly:Shaky")

    @ganzoo.hookimpl
    def register_architectures(register):
        register("shaky", generator="unruly:ShakyGenerator", discriminator="ganzoo_vanilla.networks:Discriminator")
"""


@pytest.fixture
def shaky(site):
    site.install("ganzoo-shaky", SHAKY)


@pytest.fixture(scope="session")
def finished(tmp_path_factory):
    """A run with checkpoints of several steps; not to be changed."""
    return train_with(tiny(steps=8, save_every=2, log_every=2))(tmp_path_factory.mktemp("finished") / "run")


@pytest.fixture
def run(finished, tmp_path):
    """A copy of it for each test."""
    return ganzoo.Run(shutil.copytree(finished.path, tmp_path / "run"))


@pytest.fixture
def ink(monkeypatch):
    """Has digits measured by ink, which takes next to no time."""
    suites = {"mnist-10k": Ink()}
    found = {name: [suite] for name, suite in suites.items()}
    monkeypatch.setattr("ganzoo.training.watch.monitor.find_default", lambda data, real: found.get(data["name"], []))
