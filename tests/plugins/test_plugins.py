"""Discovery: what plugins bring, how names are resolved, and that no plugin takes the others down."""

import importlib
import json
import textwrap
from pathlib import Path

import pluggy
import pytest

import ganzoo
from ganzoo.errors import BadInput
from ganzoo.plugins import hookspecs
from ganzoo.plugins.catalog import catalog

GOOD = """
    import ganzoo

    @ganzoo.hookimpl
    def register_architectures(register):
        register("tiny", generator="{0}.networks:G", discriminator="{0}.networks:D")

    @ganzoo.hookimpl
    def register_losses(register):
        register("gentle", "{0}.losses:Gentle")
"""

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

CALLBACK = """
    import ganzoo

    @ganzoo.hookimpl
    def register_callbacks(register):
        register("bell", "{0}.callbacks:Bell")
"""

FORGOTTEN = "nothing = None\nnumber = 3\n"


def plugin(distribution):
    return next(p for p in catalog().plugins if p.distribution == distribution)


def entry_points(site, module, **entries):
    """Give an installed distribution these entry points instead of its own."""
    lines = [f"{name} = {value}" for name, value in entries.items()]
    (site.folder / f"{module}-1.0.dist-info" / "entry_points.txt").write_text("\n".join(["[ganzoo]", *lines]))


def recipe(site, path):
    """Leave a file there, with the folders that it takes."""
    file = site.folder / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("# A game.\n")
    return file


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


def test_an_unknown_name_gives_the_nearest_and_the_plugins_that_failed(site):
    site.install("aa-broken", "import nowhere_to_be_found")
    site.install("ganzoo-good", GOOD.format("ganzoo_good"))
    with pytest.raises(BadInput, match=r"unknown loss 'gentel'; did you mean 'gentle'\?.*aa-broken.*ganzoo plugins"):
        catalog().find("loss", "gentel")


def test_one_name_from_two_plugins_stays_reachable_by_full_name(site):
    site.install("one-zoo", GOOD.format("one_zoo"))
    site.install("two-zoo", GOOD.format("two_zoo"))
    with pytest.raises(BadInput, match="use 'one-zoo:tiny' or 'two-zoo:tiny'"):
        catalog().find("architecture", "tiny")
    assert catalog().find("architecture", "two-zoo:tiny").targets["generator"] == "two_zoo.networks:G"
    assert plugin("one-zoo").status == plugin("two-zoo").status == "conflict"
    assert "two-zoo" in plugin("one-zoo").reason


def test_the_same_entry_point_name_from_two_distributions_loads_both(site):
    site.install("one-zoo", GOOD.format("one_zoo"), entry="same")
    site.install("two-zoo", GOOD.replace("tiny", "small").replace("gentle", "kind").format("two_zoo"), entry="same")
    assert catalog().find("architecture", "tiny").distribution == "one-zoo"
    assert catalog().find("architecture", "small").distribution == "two-zoo"


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


def test_a_string_that_points_nowhere_is_named_with_its_distribution(site):
    site.install("ganzoo-good", GOOD.format("ganzoo_good"))
    with pytest.raises(BadInput, match=r"loss 'gentle' of ganzoo-good 1\.0 cannot be loaded.*ganzoo_good\.losses"):
        catalog().find("loss", "gentle").resolve("loss")


def test_a_module_that_exits_when_used_is_named_and_does_not_end_the_process(site):
    site.install("ganzoo-good", GOOD.format("ganzoo_good"))
    (site.folder / "ganzoo_good" / "losses.py").write_text("import sys\nsys.exit(3)\n")
    with pytest.raises(BadInput, match=r"loss 'gentle' of ganzoo-good 1\.0 cannot be loaded.*SystemExit: 3"):
        catalog().find("loss", "gentle").resolve("loss")


def test_a_module_that_prints_when_used_leaves_standard_output_alone(site, capsys):
    site.install("ganzoo-good", GOOD.format("ganzoo_good"))
    (site.folder / "ganzoo_good" / "losses.py").write_text("print('chatter')\nclass Gentle: pass\n")
    catalog().find("loss", "gentle").resolve("loss")
    assert capsys.readouterr().out == ""


def test_a_module_that_answers_to_every_name_is_taken_for_what_it_is(site):
    site.install("single", "")
    answers = "def __getattr__(name):\n    return lambda *_: None\n"
    (site.folder / "single_file.py").write_text(textwrap.dedent(GOOD).format("single") + answers)
    entry_points(site, "single", a="single_file")
    assert (plugin("single").status, plugin("single").reason) == ("ok", "")


def test_a_class_inside_a_class_can_be_registered(site):
    site.install("ganzoo-good", GOOD.format("ganzoo_good").replace(":Gentle", ":Kinds.Gentle"))
    (site.folder / "ganzoo_good" / "losses.py").write_text("class Kinds:\n    class Gentle: pass\n")
    assert catalog().find("loss", "gentle").resolve("loss").__qualname__ == "Kinds.Gentle"


def test_listing_needs_no_torch_and_prints_clean_json(site, command):
    site.install("ganzoo-noisy", "print('hello from the import')\n")
    for words in (["list", "--json"], ["plugins", "--json"], ["list"], ["plugins"]):
        code = f"import sys\nsys.argv[1:] = {words}\nfrom ganzoo.cli.main import main\ntry:\n    main()\nfinally:\n"
        code += "    assert not {'torch', 'torchvision', 'pydantic'} & set(sys.modules)"
        done = command.python("-c", code, PYTHONPATH=str(site.folder))
        assert done.returncode == 0, done.stderr
        if "--json" in words:
            json.loads(done.stdout)


def test_the_json_of_list_and_plugins_has_the_promised_keys(site, command):
    site.install("ganzoo-good", GOOD.format("ganzoo_good"), version="1.2")
    site.install("aa-broken", "import nowhere_to_be_found")
    rows = json.loads(command("list", "--json", PYTHONPATH=str(site.folder)).stdout)
    assert {"kind": "loss", "name": "gentle", "distribution": "ganzoo-good", "version": "1.2"} in rows
    assert {"kind": "data", "name": "mnist-10k", "distribution": "ganzoo", "version": ganzoo.__version__} in rows
    rows = json.loads(command("plugins", "--json", PYTHONPATH=str(site.folder)).stdout)
    promised = {"distribution", "version", "entry_point", "status", "reason", "ms", "provides", "traceback"}
    assert all(set(row) == promised for row in rows)
    status = {row["distribution"]: row["status"] for row in rows}
    assert (status["aa-broken"], status["ganzoo-good"]) == ("failed", "ok")


def test_a_plugin_brings_callbacks(site):
    site.install("ganzoo-bell", CALLBACK.format("ganzoo_bell"))
    (bell,) = plugin("ganzoo-bell").provides
    assert (bell.kind, bell.name, bell.targets) == ("callback", "bell", {"callback": "ganzoo_bell.callbacks:Bell"})
    assert catalog().find("callback", "ganzoo-bell:bell") == bell
    with pytest.raises(BadInput, match="unknown callback 'bel'; did you mean 'bell'"):
        catalog().find("callback", "bel")


def test_one_callback_from_two_plugins_is_a_conflict(site):
    site.install("one-bell", CALLBACK.format("one_bell"))
    site.install("two-bell", CALLBACK.format("two_bell"))
    with pytest.raises(BadInput, match="more than one plugin brings the callback 'bell'; use 'one-bell:bell' or"):
        catalog().find("callback", "bell")
    assert plugin("one-bell").status == plugin("two-bell").status == "conflict"


def test_a_callback_may_have_the_name_of_a_loss(site):
    site.install("ganzoo-good", GOOD.format("ganzoo_good"))
    site.install("ganzoo-bell", CALLBACK.format("ganzoo_bell").replace('"bell"', '"gentle"'))
    assert catalog().find("callback", "gentle").distribution == "ganzoo-bell"
    assert catalog().find("loss", "gentle").distribution == "ganzoo-good"


def test_callbacks_are_listed(site, command):
    site.install("ganzoo-bell", CALLBACK.format("ganzoo_bell"))
    (listed,) = json.loads(command("list", "callbacks", "--json", PYTHONPATH=str(site.folder)).stdout)
    assert listed == {"kind": "callback", "name": "bell", "distribution": "ganzoo-bell", "version": "1.0"}
    assert "bell" in command("list", "callbacks", PYTHONPATH=str(site.folder)).stdout
    (row,) = json.loads(command("plugins", "ganzoo-bell", "--json", PYTHONPATH=str(site.folder)).stdout)
    targets = {"callback": "ganzoo_bell.callbacks:Bell"}
    assert row["provides"] == [{"kind": "callback", "name": "bell", "targets": targets}]


SLOW = """
    import time
    import ganzoo

    time.sleep(0.25)

    @ganzoo.hookimpl
    def register_losses(register):
        register("sleepy", "a:B")
"""


def test_plugins_says_what_finding_one_costs_and_where_it_failed(site, command):
    site.install("aa-broken", "def deep():\n    raise RuntimeError('no luck')\ndeep()")
    site.install("ganzoo-slow", SLOW)

    def rows(*words):
        return json.loads(command("plugins", *words, "--json", PYTHONPATH=str(site.folder)).stdout)

    (slow,) = rows("Ganzoo.Slow")
    assert slow["ms"] >= 250
    assert slow["provides"] == [{"kind": "loss", "name": "sleepy", "targets": {"loss": "a:B"}}]
    (broken,) = rows("aa-broken")
    assert "in deep" in broken["traceback"]
    shown = command("plugins", "aa-broken", "--traceback", PYTHONPATH=str(site.folder)).stdout
    assert shown.rstrip().endswith("RuntimeError: no luck")
    assert len(rows()) > 2


def test_one_plugin_is_asked_for_by_its_distribution(site, command):
    site.install("ganzoo-good", GOOD.format("ganzoo_good"))
    done = command("plugins", "ganzoo-goood", PYTHONPATH=str(site.folder))
    assert (done.returncode, done.stdout) == (2, "")
    assert "no plugin 'ganzoo-goood' is installed; did you mean 'ganzoo-good'" in done.stderr
    assert command("plugins", "--traceback").returncode == 2
    assert "ganzoo_good.networks:G" in command("plugins", "ganzoo-good", PYTHONPATH=str(site.folder)).stdout


def test_a_plugin_that_imports_torch_to_be_found_works_and_is_told(site, command):
    site.install("ganzoo-good", "import torch\n" + textwrap.dedent(GOOD.format("ganzoo_good")))
    done = command("plugins", "ganzoo-good", "--json", PYTHONPATH=str(site.folder))
    (row,) = json.loads(done.stdout)
    assert (row["status"], row["reason"]) == ("ok", "loading it imports torch, which slows down every command")


RENAMING = """
    import ganzoo

    @ganzoo.hookimpl
    def register_objectives(register):
        register("gentle", "aa_late.losses:Gentle")
"""


def test_a_deprecated_hook_still_works_and_the_warning_names_the_plugin(site, monkeypatch):
    said = "the hook register_objectives is called register_losses since 0.2"

    @hookspecs.hookspec(warn_on_impl=ganzoo.Deprecated(said))
    def register_objectives(register):
        """As it was."""

    monkeypatch.setattr(hookspecs, "register_objectives", register_objectives, raising=False)
    monkeypatch.setitem(hookspecs.RENAMED, "register_objectives", "register_losses")
    site.install("aa-late", RENAMING)
    site.install("ganzoo-good", GOOD.format("ganzoo_good").replace("gentle", "kind"))
    with pytest.warns(ganzoo.Deprecated) as warned:
        assert catalog().find("loss", "gentle").distribution == "aa-late"
    assert [str(w.message) for w in warned] == [f"aa-late 1.0: {said}"]
    assert warned[0].filename.endswith("aa_late/__init__.py")
    assert (plugin("aa-late").status, plugin("aa-late").reason) == ("ok", said)
    assert plugin("ganzoo-good").reason == ""


def test_what_is_deprecated_is_also_told_of_a_plugin_that_then_fails(site, monkeypatch):
    monkeypatch.setitem(ganzoo._RENAMED, "Objective", ("Loss", "0.2"))
    site.install("aa-late", "import ganzoo\nganzoo.Objective\nimport nowhere_to_be_found")
    with pytest.warns(ganzoo.Deprecated, match="^aa-late"):
        reason = plugin("aa-late").reason
    assert reason.startswith("ganzoo.Objective is called ganzoo.Loss since 0.2; ModuleNotFoundError")


def test_a_deprecated_name_still_works_and_the_warning_names_the_plugin(site, monkeypatch):
    monkeypatch.setitem(ganzoo._RENAMED, "Objective", ("Loss", "0.2"))
    site.install("aa-late", RENAMING.replace("objectives", "losses"))
    (site.folder / "aa_late" / "losses.py").write_text("import ganzoo\nclass Gentle(ganzoo.Objective):\n    pass\n")
    with pytest.warns(ganzoo.Deprecated, match=r"^aa-late 1\.0: ganzoo\.Objective is called ganzoo\.Loss since 0\.2$"):
        gentle = catalog().find("loss", "gentle").resolve("loss")
    assert issubclass(gentle, ganzoo.Loss)


def test_every_hook_is_documented_in_a_sentence_and_used_by_a_plugin_of_this_repository():
    manager = pluggy.PluginManager("ganzoo")
    manager.add_hookspecs(hookspecs)
    hooks = {name for name, value in vars(hookspecs).items() if hasattr(value, "ganzoo_spec")}
    assert hooks == {"register_architectures", "register_losses", "register_callbacks"}
    for name in hooks:
        (sentence,) = getattr(hookspecs, name).__doc__.strip().splitlines()
        assert sentence.endswith(".") and sentence.count(". ") == 0
    for module in sorted(Path(ganzoo.__file__).parent.parent.glob("plugins/*/*/__init__.py")):
        manager.register(importlib.import_module(module.parent.name))
    used = hooks - {"register_callbacks"}  # no distribution of this repository brings one yet
    assert all(getattr(manager.hook, name).get_hookimpls() for name in used)


def test_importing_ganzoo_imports_no_torch(command):
    done = command.python("-c", "import sys, ganzoo; dir(ganzoo); assert 'torch' not in sys.modules")
    assert done.returncode == 0, done.stderr
