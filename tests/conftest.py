"""Helpers that several test files use: a command in a process of its own, and plugins as an installer leaves them."""

import importlib
import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

os.environ["HF_HUB_DISABLE_XET"] = "1"  # read when the Hub's client is imported; the Hub of the tests has none

from ganzoo._names import normalize_name
from ganzoo.cli.main import main
from ganzoo.plugins.catalog import catalog

for number in (signal.SIGINT, signal.SIGHUP):
    if signal.getsignal(number) == signal.SIG_IGN:  # as in a shell's background; those started here must hear them
        signal.signal(number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL)


class Command:
    """`ganzoo` in a process of its own."""

    def __init__(self, folder: Path, executable: str | Path = sys.executable) -> None:
        self.folder, self.executable = folder, executable
        self.environment = dict(os.environ, COLUMNS="200", OMP_NUM_THREADS="1")
        for name in ("GANZOO_DISABLE_PLUGINS", "HF_HUB_OFFLINE"):
            self.environment.pop(name, None)
        self.environment["GANZOO_REGISTRY"] = str(folder / "no-registry.toml")  # not the user's own

    def __call__(self, *words: object, **environment: str) -> subprocess.CompletedProcess:
        return self.python("-m", "ganzoo", *words, **environment)

    def python(self, *words: object, **environment: str) -> subprocess.CompletedProcess:
        return subprocess.run(
            [self.executable, *map(str, words)],
            cwd=self.folder,
            env=self.environment | environment,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )


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


class Site:
    """A folder of installed distributions."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def install(
        self, name: str, code: str, version: str = "1.0", requires: str = "ganzoo>=0.1", entry: str = ""
    ) -> str:
        """Leave behind what installing a distribution with one module and one entry point leaves."""
        module = name.replace("-", "_")
        package = self.folder / module
        package.mkdir(parents=True)
        (package / "__init__.py").write_text(textwrap.dedent(code))
        about = self.folder / f"{module}-{version}.dist-info"
        about.mkdir()
        lines = ["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}"]
        lines += [f"Requires-Dist: {requires}"] if requires else []
        (about / "METADATA").write_text("\n".join(lines) + "\n")
        (about / "entry_points.txt").write_text(f"[ganzoo]\n{entry or normalize_name(name)} = {module}\n")
        return name


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
