"""Deprecated hooks and names still work, the warning names the plugin; every hook is documented and used."""

import importlib
from pathlib import Path

import pluggy
import pytest

import ganzoo
from ganzoo.plugins import hookspecs
from ganzoo.plugins.catalog import catalog
from plugin_code import GOOD, plugin

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


BROUGHT = ("architectures", "importers", "losses")
NOT_BROUGHT = ("callbacks", "data", "kinds", "metrics")
"""Hooks for which no distribution of this repository brings anything yet."""


def test_every_hook_is_documented_in_a_sentence_and_used_by_a_plugin_of_this_repository():
    manager = pluggy.PluginManager("ganzoo")
    manager.add_hookspecs(hookspecs)
    hooks = {name for name, value in vars(hookspecs).items() if hasattr(value, "ganzoo_spec")}
    assert hooks == {f"register_{word}" for word in (*BROUGHT, *NOT_BROUGHT)}
    for name in hooks:
        (sentence,) = getattr(hookspecs, name).__doc__.strip().splitlines()
        assert sentence.endswith(".") and sentence.count(". ") == 0
    for module in sorted(Path(ganzoo.__file__).parent.parent.glob("plugins/*/*/__init__.py")):
        manager.register(importlib.import_module(module.parent.name))
    used = {f"register_{word}" for word in BROUGHT}
    assert all(getattr(manager.hook, name).get_hookimpls() for name in used)
