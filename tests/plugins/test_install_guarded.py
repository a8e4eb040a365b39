"""Installing replaces nothing that was not named: neither ganzoo nor torch nor a plugin of our own."""

import importlib.metadata

import pytest

from installed import good, loss, marked, sentence, wheel


@pytest.mark.parametrize("need", ["ganzoo>=9,<10", "torch>=99", "ganzoo-vanilla>=9"])
def test_a_plugin_for_another_ganzoo_is_refused_and_nothing_of_it_fetched(environment, need):
    name = need.partition(">")[0]
    wheel(environment.index, name, "9.9" if name != "torch" else "99.0", code="raise ImportError('a stranger')")
    file = wheel(environment.folder, "demanding", requires=[need])
    before = environment.installed()
    done = environment("install", file)
    assert "error: pip failed and changed nothing; its message is above" in sentence(done, 4)
    assert f"demanding 1.0 depends on {name}" in done.stderr, "pip's own words are seen"
    assert environment.installed() == before


@pytest.mark.parametrize(
    ("which", "name"), [("environment", "ganzoo"), ("environment", "ganzoo-vanilla"), ("with_uv", "ganzoo")]
)
def test_no_requirement_by_address_replaces_what_was_not_named(request, which, name):
    either = request.getfixturevalue(which)
    (either.folder / "elsewhere").mkdir(exist_ok=True)
    stranger = wheel(either.folder / "elsewhere", name, importlib.metadata.version(name))
    before = either.installed()
    done = either("install", wheel(either.folder, "sly", requires=[f"{name} @ {stranger.as_uri()}"]))
    said = sentence(done, done.returncode)
    if name == "ganzoo" or done.returncode == 2:  # a plugin that came inside ganzoo is pinned as missing: pip refuses
        assert (done.returncode, f"this would install another {name}" in said) == (2, True), said
    else:
        assert (done.returncode, "failed and changed nothing" in said) == (4, True), said
    assert either.installed() == before


def test_ganzoo_itself_is_not_installed_from_an_address_that_tells_no_name(environment):
    (environment.folder / "checkout").mkdir()
    text = '[build-system]\nrequires = ["hatchling"]\nbuild-backend = "hatchling.build"\n'
    text += '[project]\nname = "ganzoo"\nversion = "0.1.0"\n[tool.hatch.build.targets.wheel]\nbypass-selection = true\n'
    (environment.folder / "checkout" / "pyproject.toml").write_text(text)
    done = environment("install", (environment.folder / "checkout").as_uri())
    assert "this would install another ganzoo, which was not asked for" in sentence(done, 2)
    assert "ganzoo" not in environment.installed()


def test_a_plugin_of_our_own_is_installed_from_a_wheel_by_address_and_replaced(environment):
    own = wheel(environment.folder, "ganzoo-vanilla", "77.0", code=loss("mended"))
    done = good(environment("install", own.as_uri()))
    assert "loss mended (ganzoo-vanilla 77.0)" in done.stdout.splitlines()
    assert "gone: architecture vanilla (ganzoo-vanilla" in done.stdout
    good(environment("uninstall", "ganzoo-vanilla"))


@pytest.mark.parametrize(("which", "name"), [("environment", "ganzoo-vanilla"), ("with_uv", "ganzoo")])
def test_no_build_fetches_what_has_a_name_of_our_own(request, which, name):
    either = request.getfixturevalue(which)
    marker = either.folder / f"executed-{name}"
    wheel(either.index, name, "9.9", code=marked(marker))
    folder = either.folder / f"building-on-{name}"
    folder.mkdir()
    (folder / "backend.py").write_text(f"import {name.replace('-', '_')}\n")
    (folder / "pyproject.toml").write_text(
        f'[build-system]\nrequires = ["{name}"]\nbuild-backend = "backend"\nbackend-path = ["."]\n[project]\n'
    )
    del either.environment["PIP_NO_BUILD_ISOLATION"], either.environment["UV_NO_BUILD_ISOLATION"]
    done = either("install", folder)
    either.environment |= {"PIP_NO_BUILD_ISOLATION": "0", "UV_NO_BUILD_ISOLATION": "1"}
    assert "failed and changed nothing" in sentence(done, 4)
    assert not marker.exists()


def test_what_is_to_stay_missing_is_not_fetched_for_a_plugin_that_needs_it(environment):
    name = "ganzoo-of-another-time"
    wheel(environment.index, name, code="raise ImportError('a stranger')")
    file = wheel(environment.folder, "demanding", requires=[name])
    code = "import ganzoo.plugins.firstparty as own; names = own.first_party()\n"
    code += f"own.first_party = lambda: [*names, {name!r}]\n"
    code += f"from ganzoo.cli.main import main; main(['install', {str(file)!r}])"
    done = environment.python("-c", code)
    assert "pip failed and changed nothing" in sentence(done, 4)
    assert f"; first ganzoo install ./plugins/{name} in a checkout" in sentence(done, 4)
    assert not {name, "demanding"} & set(environment.installed())
