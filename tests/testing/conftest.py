"""No plugin but those that a test installs."""

import pytest


@pytest.fixture(autouse=True)
def no_other_plugins(monkeypatch, tmp_path):
    monkeypatch.setenv("GANZOO_REGISTRY", str(tmp_path / "no-registry.toml"))
