"""Discovery: what plugins bring, and that a broken one is a row with its reason."""

import textwrap

import pytest

import ganzoo
from ganzoo.errors import BadInput
from ganzoo.plugins.catalog import catalog
from plugin_code import GOOD, entry_points, plugin, recipe

BROKEN = {
    "import-error": ("import nowhere_to_be_found", "failed", "ModuleNotFoundError: No module named 'nowhere_to_be_"),
    "exit": ("raise SystemExit(3)", "failed", "SystemExit: 3"),
    "hook-raises": (
        "import ganzoo\n@ganzoo.hookimpl\ndef register_losses(register):\n    raise RuntimeError('no luck')",
        "failed",
        "RuntimeError: no luck",
    ),
    "misspelt-hook": (
        "import ganzoo\n@ganzoo.hookimpl\ndef register_looses(register):\n    pass",
        "failed",
        "unknown hook 'register_looses'",
    ),
    "wrong-signature": (
        "import ganzoo\n@ganzoo.hookimpl\ndef register_losses(register, more):\n    pass",
        "failed",
        "Argument(s) {'more'}",
    ),
    "bad-name": (
        "import ganzoo\n@ganzoo.hookimpl\ndef register_losses(register):\n    register('Not A Name', 'a:B')",
        "failed",
        "'Not A Name' is not a valid name for a loss",
    ),
    "bad-target": (
        "import ganzoo\n@ganzoo.hookimpl\ndef register_losses(register):\n    register('fine', 'nowhere')",
        "failed",
        "'nowhere' is not a string like 'package.module:Class'",
    ),
    "twice": (
        "import ganzoo\n@ganzoo.hookimpl\ndef register_losses(register):\n"
        "    register('same', 'a:B')\n    register('same', 'a:C')",
        "failed",
        "registers the loss 'same' twice",
    ),
    "misspelt-callback-hook": (
        "import ganzoo\n@ganzoo.hookimpl\ndef register_calbacks(register):\n    pass",
        "failed",
        "the hooks are register_architectures, register_losses, register_callbacks",
    ),
    "callback-twice": (
        "import ganzoo\n@ganzoo.hookimpl\ndef register_callbacks(register):\n"
        "    register('same', 'a:B')\n    register('same', 'a:C')",
        "failed",
        "registers the callback 'same' twice",
    ),
    "callback-target": (
        "import ganzoo\n@ganzoo.hookimpl\ndef register_callbacks(register):\n    register('fine', print)",
        "failed",
        "is not a string like 'package.module:Class'",
    ),
    "half-way": (
        "import ganzoo\n@ganzoo.hookimpl\ndef register_losses(register):\n"
        "    register('half', 'a:B')\n    raise ValueError('then trouble')",
        "failed",
        "then trouble",
    ),
    "no-discriminator": (
        "import ganzoo\n@ganzoo.hookimpl\ndef register_architectures(register):\n    register('half', generator='a:B')",
        "failed",
        "missing 1 required keyword-only argument: 'discriminator'",
    ),
    "unmarked-hook": (
        "def register_losses(register):\n    register('lost', 'a:B')",
        "failed",
        "the hook register_losses is not marked: put @ganzoo.hookimpl above it",
    ),
    "half-marked": (
        "import ganzoo\n@ganzoo.hookimpl\ndef register_architectures(register):\n"
        "    register('a', generator='a:B', discriminator='a:C')\n"
        "def register_losses(register):\n    register('lost', 'a:B')",
        "failed",
        "the hook register_losses is not marked",
    ),
}


FORGOTTEN = "nothing = None\nnumber = 3\n"


def test_a_plugin_brings_architectures_losses_and_recipes(site):
    site.install("ganzoo-good", GOOD.format("ganzoo_good"), version="1.2")
    recipes = site.folder / "ganzoo_good" / "recipes"
    recipes.mkdir()
    (recipes / "tiny.toml").write_text("# A tiny game.\n")
    found = {(t.kind, t.name, t.version) for t in plugin("ganzoo-good").provides}
    assert found == {("architecture", "tiny", "1.2"), ("loss", "gentle", "1.2"), ("recipe", "tiny", "1.2")}
    assert plugin("ganzoo-good").status == "ok"


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_plugin_is_a_row_with_its_reason_and_the_rest_works(site, name):
    code, status, reason = BROKEN[name]
    site.install("aa-broken", code)
    site.install("ganzoo-good", GOOD.format("ganzoo_good"))
    broken = plugin("aa-broken")
    assert (broken.status, broken.provides) == (status, [])
    assert reason in broken.reason
    assert "\n" not in broken.reason
    assert catalog().find("loss", "gentle").distribution == "ganzoo-good"


@pytest.mark.parametrize("requirement", ["ganzoo @@ x", "ganzoo; python_version ~~ '3'", "ganzoo; nonsense == '1'"])
def test_a_requirement_that_cannot_be_read_is_a_row_with_its_reason(site, requirement):
    site.install("aa-broken", "", requires=requirement)
    site.install("ganzoo-good", GOOD.format("ganzoo_good"))
    assert (plugin("aa-broken").status, "\n" in plugin("aa-broken").reason) == ("failed", False)
    assert catalog().find("loss", "gentle").distribution == "ganzoo-good"


@pytest.mark.parametrize("left", [None, b"Metadata-Version: 2.1\n", b"Name: aa-broken\n", b"Name: \xff\xfe\n"])
def test_a_half_uninstalled_distribution_is_a_row_with_its_reason(site, left):
    site.install("aa-broken", GOOD.format("aa_broken"))
    site.install("ganzoo-good", GOOD.format("ganzoo_good"))
    metadata = site.folder / "aa_broken-1.0.dist-info" / "METADATA"
    metadata.unlink() if left is None else metadata.write_bytes(left)
    assert plugin("aa-broken").reason == "its distribution has no readable name and version: install it again"
    assert catalog().find("loss", "gentle").distribution == "ganzoo-good"


@pytest.mark.parametrize("value", ["!!", "", ":", "a b", "[x]", "..", "a.b.c:d", "os.path:join", "\u00e9t\u00e9"])
def test_an_entry_point_that_leads_nowhere_fails(site, value):
    site.install("aa-broken", "")
    site.install("ganzoo-good", GOOD.format("ganzoo_good"))
    entry_points(site, "aa_broken", thing=value)
    assert plugin("aa-broken").status == "failed"
    assert catalog().find("loss", "gentle").distribution == "ganzoo-good"


def test_a_package_with_a_link_to_itself_is_loaded(site):
    site.install("ganzoo-good", GOOD.format("ganzoo_good"))
    (site.folder / "ganzoo_good" / "again").symlink_to(site.folder / "ganzoo_good", target_is_directory=True)
    assert plugin("ganzoo-good").status == "ok"


@pytest.mark.parametrize("attribute", ["nothing", "number"])
def test_an_entry_point_to_an_object_without_hooks_fails(site, attribute):
    site.install("aa-broken", FORGOTTEN)
    entry_points(site, "aa_broken", thing=f"aa_broken:{attribute}")
    assert plugin("aa-broken").status == "failed"
    assert "it registers nothing" in plugin("aa-broken").reason


def test_a_plugin_of_recipes_alone_needs_no_hook(site):
    site.install("ganzoo-recipes", "")
    recipe(site, "ganzoo_recipes/recipes/plain.toml")
    assert plugin("ganzoo-recipes").status == "ok"
    assert catalog().find("recipe", "plain").distribution == "ganzoo-recipes"


def test_folders_and_hidden_files_among_the_recipes_are_passed_over(site):
    site.install("ganzoo-good", GOOD.format("ganzoo_good"))
    recipe(site, "ganzoo_good/recipes/tiny.toml")
    recipe(site, "ganzoo_good/recipes/.hidden.toml")
    recipe(site, "ganzoo_good/recipes/folder.toml/inside.txt")
    assert plugin("ganzoo-good").status == "ok"
    assert [thing.name for thing in plugin("ganzoo-good").provides if thing.kind == "recipe"] == ["tiny"]


def test_two_entry_points_of_a_distribution_bring_a_shared_recipe_once(site):
    site.install("duo", GOOD.format("duo"))
    (site.folder / "duo" / "b.py").write_text(
        textwrap.dedent(GOOD).format("duo").replace("tiny", "small").replace("gentle", "kind")
    )
    entry_points(site, "duo", a="duo", b="duo.b")
    file = recipe(site, "duo/recipes/duorec.toml")
    assert [entry.status for entry in catalog().plugins if entry.distribution == "duo"] == ["ok", "ok"]
    assert catalog().find("recipe", "duorec").targets == {"file": str(file)}
    assert catalog().find("loss", "kind").full_name == "duo:kind"


def test_a_name_that_another_entry_point_of_the_distribution_has_brought_is_refused(site):
    site.install("duo", GOOD.format("duo"))
    (site.folder / "duo" / "b.py").write_text(textwrap.dedent(GOOD).format("duo"))
    entry_points(site, "duo", a="duo", b="duo.b")
    first, second = (entry for entry in catalog().plugins if entry.distribution == "duo")
    assert (first.status, second.status) == ("ok", "failed")
    assert "registers the architecture 'tiny' twice" in second.reason
    assert catalog().find("loss", "gentle").distribution == "duo"


def test_recipes_of_a_nested_package_are_found_there_and_not_above(site):
    site.install("nsroot", "")
    (site.folder / "nsroot" / "inner").mkdir()
    (site.folder / "nsroot" / "inner" / "__init__.py").write_text("")
    entry_points(site, "nsroot", a="nsroot.inner")
    recipe(site, "nsroot/recipes/above.toml")
    recipe(site, "nsroot/inner/recipes/within.toml")
    assert [thing.name for thing in plugin("nsroot").provides] == ["within"]


def test_a_plugin_of_one_module_has_no_recipes(site):
    site.install("single", "")
    (site.folder / "single_file.py").write_text(textwrap.dedent(GOOD).format("duo"))
    entry_points(site, "single", a="single_file")
    recipe(site, "recipes/stray.toml")
    assert {thing.name for thing in plugin("single").provides} == {"tiny", "gentle"}


@pytest.mark.parametrize("requirement", ["ganzoo>=2,<3", "ganzoo<0.1", "GANZOO==9"])
def test_a_plugin_for_another_version_is_not_even_imported(site, requirement):
    site.install("ganzoo-late", "raise RuntimeError('was imported')", requires=requirement)
    assert plugin("ganzoo-late").status == "incompatible"
    assert f"this is ganzoo {ganzoo.__version__}" in plugin("ganzoo-late").reason


@pytest.mark.parametrize("requirement", ["", "ganzoo", 'ganzoo>=9; extra == "test"', "ganzoo-other>=9"])
def test_what_is_no_requirement_on_this_ganzoo_does_not_hinder(site, requirement):
    site.install("ganzoo-good", GOOD.format("ganzoo_good"), requires=requirement)
    assert plugin("ganzoo-good").status == "ok"


@pytest.mark.parametrize("named", ["ganzoo-good", "Ganzoo_Good", "other, good-one"])
def test_plugins_can_be_disabled_by_distribution_or_entry_point(site, monkeypatch, named):
    site.install("ganzoo-good", GOOD.format("ganzoo_good"), entry="good-one")
    monkeypatch.setenv("GANZOO_DISABLE_PLUGINS", named)
    assert plugin("ganzoo-good").status == "disabled"
    with pytest.raises(BadInput, match="unknown loss 'gentle'"):
        catalog().find("loss", "gentle")
