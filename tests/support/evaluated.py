"""Fixtures: a command with an empty registry, and a folder with a model that is pulled with the package."""

import shutil

import pytest

from measured import MODEL


@pytest.fixture
def run(typed, tmp_path, monkeypatch):
    """A command as it is typed, with a registry of the test's own instead of the user's."""
    monkeypatch.setenv("GANZOO_REGISTRY", str(tmp_path / "no-registry.toml"))
    return typed


@pytest.fixture
def folder(tmp_path, run):
    """A local copy of a model that ships with the package, without scores."""
    from ganzoo.zoo.registry import Registry

    target = tmp_path / "own"
    shutil.copytree(Registry().find(MODEL).folder, target, ignore=shutil.ignore_patterns("scores.json"))
    return target
