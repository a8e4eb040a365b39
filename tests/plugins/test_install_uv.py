"""With uv the same is installed, and the same refused; without pip and uv a sentence says what to do."""

import importlib.metadata
import zipfile
from pathlib import Path

import pytest

from installed import UV, good, loss, sentence, wheel


def test_uv_does_the_same(with_uv):
    wheel(with_uv.index, "toy", "1.0", ["ganzoo"], loss("toy"))
    wheel(with_uv.index, "ganzoo", "99.0", code="raise ImportError('a stranger')")
    good(with_uv("new", "ganzoo-mine"))
    done = good(with_uv("install", "ganzoo-mine", "toy"))
    assert done.stdout.splitlines() == [
        "architecture mine (ganzoo-mine 0.1.0)",
        "recipe mine (ganzoo-mine 0.1.0)",
        "loss toy (toy 1.0)",
    ]
    wheel(with_uv.index, "toy", "2.0", ["ganzoo", "torch"], loss("toy"))
    assert good(with_uv("install", "--upgrade", "toy")).stdout == "loss toy (toy 2.0)\n"
    assert with_uv.installed()["ganzoo"] == importlib.metadata.version("ganzoo")
    done = good(with_uv("uninstall", "ganzoo-mine", "toy"))
    assert done.stdout.splitlines()[-1] == "gone: loss toy (toy 2.0)"


def test_uv_installs_a_changed_folder_anew(with_uv):
    good(with_uv("new", "changing", "--loss"))
    good(with_uv("install", "./ganzoo-changing"))
    code = with_uv.folder / "ganzoo-changing" / "ganzoo_changing" / "__init__.py"
    code.write_text(code.read_text().replace('"changing",', '"changed",'))
    assert good(with_uv("install", "./ganzoo-changing")).stdout.splitlines() == [
        "loss changed (ganzoo-changing 0.1.0)",
        "gone: loss changing (ganzoo-changing 0.1.0)",
    ]
    good(with_uv("uninstall", "ganzoo-changing"))


@pytest.mark.parametrize("need", ["ganzoo>=9,<10", "ganzoo-vanilla"])
def test_uv_fetches_no_other_ganzoo_either(with_uv, need):
    name = need.partition(">")[0]
    wheel(with_uv.index, name, "9.9", code="raise ImportError('a stranger')")
    before = with_uv.installed()
    done = with_uv("install", wheel(with_uv.folder, "demanding", requires=[need]))
    assert "error: uv failed and changed nothing; its message is above" in sentence(done, 4)
    assert name in done.stderr.rpartition("error: uv failed")[0]
    assert with_uv.installed() == before


def test_uv_is_not_asked_where_it_would_fetch_ganzoo_once_more(environment):
    if not UV:
        pytest.skip("uv is not installed")
    code = "import sys; sys.modules['pip'] = None; from ganzoo.cli.main import main; main(['install', 'toy'])"
    done = environment.python("-c", code, PATH=str(Path(UV).parent))
    assert sentence(done, 2).startswith("error: uv does not see that ganzoo")


@pytest.mark.parametrize("words", [["install", "toy"], ["uninstall", "left-by-hand"]])
def test_without_pip_and_uv_the_command_that_brings_pip_is_said(environment, words):
    with zipfile.ZipFile(wheel(environment.folder, "left-by-hand", code=loss("left"))) as plugin:
        plugin.extractall(environment.site)
    code = f"import sys; sys.modules['pip'] = None; from ganzoo.cli.main import main; main({words!r})"
    done = environment.python("-c", code, PATH="")
    assert sentence(done, 2) == (
        f"error: neither pip nor uv is available; install pip, then try again: {environment.executable} -m ensurepip"
    )
    assert done.stdout == ""
