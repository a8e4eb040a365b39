"""Throw-away environments, with pip and with uv."""

import importlib.metadata
import os
from pathlib import Path

import pytest

from installed import UV, Environment, remember


@pytest.fixture(scope="module")
def environment(tmp_path_factory):
    """An environment in which pip is to be found."""
    return Environment(tmp_path_factory.mktemp("pip"))


@pytest.fixture(scope="module")
def with_uv(tmp_path_factory):
    """An environment in which only uv is to be found, and which has ganzoo to itself, as uv wants it."""
    if not UV:
        pytest.skip("uv is not installed")
    environment = Environment(tmp_path_factory.mktemp("uv"), "import sys; sys.modules['pip'] = None\n")
    remember(environment.site, "ganzoo", importlib.metadata.version("ganzoo"))
    environment.environment["PATH"] = str(Path(UV).parent)
    return environment


@pytest.fixture
def ganzoo(command, site, tmp_path):
    """`ganzoo` in a process of its own that sees the site and begins with an empty memory."""
    path = os.pathsep.join(filter(None, [str(site.folder), os.environ.get("PYTHONPATH")]))
    variables = {"PYTHONPATH": path, "XDG_CACHE_HOME": str(tmp_path / "memory")}

    def call(*words, **more):
        return command(*words, **variables | more)

    call.memory = tmp_path / "memory" / "ganzoo" / "plugins"
    call.environment = command.environment | variables
    return call
