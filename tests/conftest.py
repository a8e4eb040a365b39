"""Fixtures for every test: commands in a process of their own or in this one, and plugins as if installed."""

import importlib
import os
import signal
import sys

import pytest
import torch

import surroundings  # noqa: F401  before what reads it: the Hub's client does so when it is imported
from command import Command
from ganzoo.cli.main import main
from ganzoo.plugins.catalog import catalog
from sites import Site

for number in (signal.SIGINT, signal.SIGHUP):
    if signal.getsignal(number) == signal.SIG_IGN:  # as in a shell's background; those started here must hear them
        signal.signal(number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL)


@pytest.fixture(autouse=True)
def same_environment():
    """What a test changes in the environment, such as by a command with --offline, ends with it."""
    before = dict(os.environ)
    yield
    for name in os.environ.keys() - before.keys():
        del os.environ[name]
    os.environ.update(before)


@pytest.fixture
def command(tmp_path):
    """Runs `ganzoo` with the given words in an empty folder and returns what came of it."""
    folder = tmp_path / "work"
    folder.mkdir()
    return Command(folder)


@pytest.fixture
def typed(tmp_path, monkeypatch, capfd):
    """Runs a command in this process and an empty folder: (exit code, standard output, standard error)."""
    monkeypatch.chdir(tmp_path)

    def call(*words):
        with pytest.raises(SystemExit) as done:
            main([str(word) for word in words])
        return done.value.code, *capfd.readouterr()

    return call


@pytest.fixture
def site(tmp_path, monkeypatch):
    """An empty folder of installed distributions that this process sees, and a fresh catalog."""
    folder = tmp_path / "site"
    folder.mkdir()
    monkeypatch.syspath_prepend(folder)
    modules = set(sys.modules)
    catalog.cache_clear()
    importlib.invalidate_caches()
    yield Site(folder)
    catalog.cache_clear()
    for name in set(sys.modules) - modules:
        if getattr(sys.modules[name], "__file__", None) and str(folder) in str(sys.modules[name].__file__):
            del sys.modules[name]


@pytest.fixture
def streamed(monkeypatch):
    """Have every folder streamed."""
    monkeypatch.setattr("ganzoo.data.folders.MAX_IMAGES_IN_MEMORY", 0)


@pytest.fixture
def float64():
    """Everything is made in float64, so that two ways to the same weights can be compared closely."""
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)
