"""How names are resolved, and what is said of those that cannot be loaded."""

import json
import sys
import textwrap
from concurrent.futures import ThreadPoolExecutor

import pytest

from ganzoo.errors import BadInput
from ganzoo.plugins.catalog import catalog
from plugin_code import CALLBACK, GOOD, entry_points, plugin


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


def test_the_module_of_a_distribution_that_is_edited_in_its_folder_is_its_own(site, tmp_path):
    site.install("zz-edited", "")
    (site.folder / "zz_edited" / "__init__.py").unlink()
    source = tmp_path / "source" / "src" / "zz_edited"
    source.mkdir(parents=True)
    (source / "__init__.py").write_text(textwrap.dedent(GOOD).format("zz_edited"))
    sys.path.insert(0, str(source.parent))  # as its .pth does; the fixture restores it
    origin = {"url": (tmp_path / "source").as_uri(), "dir_info": {"editable": True}}
    (site.folder / "zz_edited-1.0.dist-info" / "direct_url.json").write_text(json.dumps(origin))
    site.install("aa-thief", "")
    entry_points(site, "aa_thief", thing="zz_edited")
    assert (plugin("zz-edited").status, plugin("aa-thief").status) == ("ok", "failed")
    assert plugin("aa-thief").reason == "ValueError: its entry point names zz_edited, which belongs to zz-edited"
    assert catalog().find("loss", "gentle").distribution == "zz-edited"


@pytest.mark.parametrize("inner", ["extra/__init__.py", "extra.py", "extra/deep.py"])
def test_a_module_inside_another_plugins_package_belongs_to_the_one_that_brought_it(site, inner):
    """What a record names most exactly owns it; what no record names belongs to the package around it."""
    module = "acme." + inner.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
    for name, file in {"acme": "__init__.py", "acme-extra": inner, "acme-thief": ""}.items():
        site.install(name, GOOD.format("acme").replace("tiny", f"tiny-{name}").replace("gentle", f"gentle-{name}"))
        entry_points(site, name.replace("-", "_"), own="acme" if name == "acme" else module)
        record = site.folder / f"{name.replace('-', '_')}-1.0.dist-info" / "RECORD"
        record.write_text(f"acme/{file},,\n" if file else "")
    path = site.folder / "acme" / inner
    path.parent.mkdir(exist_ok=True)
    path.write_text(textwrap.dedent(GOOD).format("acme").replace("tiny", "inner").replace("gentle", "inner"))
    assert [plugin(name).works for name in ("acme", "acme-extra", "acme-thief")] == [True, True, False]
    reason = f"ValueError: its entry point names {module}, which belongs to acme"
    assert plugin("acme-thief").reason.startswith(reason)
    assert catalog().find("loss", "inner").distribution == "acme-extra"


def test_classes_that_several_threads_use_at_once_leave_standard_output_in_place(site):
    for number in range(4):
        site.install(f"zoo-{number}", GOOD.format(f"zoo_{number}").replace("gentle", f"gentle{number}"))
        waits = f"import time\ntime.sleep({0.02 + 0.02 * number})\nclass Gentle: pass\n"
        (site.folder / f"zoo_{number}" / "losses.py").write_text(waits)
    before, losses = sys.stdout, [catalog().find("loss", f"gentle{number}") for number in range(4)]
    with ThreadPoolExecutor(4) as threads:
        assert [each.__name__ for each in threads.map(lambda loss: loss.resolve("loss"), losses)] == 4 * ["Gentle"]
    assert sys.stdout is before
