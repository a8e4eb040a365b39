"""Distributions whose metadata cannot be read, of plugins or not: passed over with a warning that says what to do."""

import json
import shutil
import sys

import pytest

from ganzoo.plugins.catalog import catalog
from installed import good, loss, sentence, wheel
from plugin_code import GOOD
from sites import Site

ODD = [b"[ganzoo]\nodd = \xff\xfe\n", b"[ganzoo]\nno equals sign\n", b"[console_scripts]\n\xe9t\xe9 = a:b\n"]


def file_of(folder, name, file):
    return folder / f"{name}-1.0.dist-info" / file


@pytest.mark.parametrize("content", ODD)
def test_entry_points_that_cannot_be_read_are_passed_over_with_a_warning(site, caplog, content):
    site.install("aa-odd", "")
    site.install("ganzoo-good", GOOD.format("ganzoo_good"))
    file_of(site.folder, "aa_odd", "entry_points.txt").write_bytes(content)
    assert catalog().find("loss", "gentle").distribution == "ganzoo-good"
    (warning,) = (record.getMessage() for record in caplog.records if record.levelname == "WARNING")
    assert warning.startswith(f"passed over: {site.folder / 'aa_odd-1.0.dist-info'} cannot be read (")
    assert warning.endswith("; remove that folder, and install aa-odd again")


def test_plugins_come_and_go_beside_unreadable_entry_points(environment):
    good(environment("install", wheel(environment.index, "odd", code=loss("odd"))))
    file_of(environment.site, "odd", "entry_points.txt").write_bytes(ODD[0])
    done = good(environment("install", wheel(environment.index, "later", code=loss("later"))))
    assert done.stdout == "loss later (later 1.0)\n"
    assert good(environment("uninstall", "later")).stdout == "gone: loss later (later 1.0)\n"
    assert f"; {file_of(environment.site, 'odd', '')} cannot be read: remove" in sentence(
        environment("uninstall", "odd"), 4
    )
    shutil.rmtree(file_of(environment.site, "odd", ""))


def test_metadata_at_which_the_installer_stops_are_named(environment):
    good(environment("install", wheel(environment.index, "odd", code=loss("odd"))))
    metadata = file_of(environment.site, "odd", "METADATA")
    metadata.write_bytes(b"Name: odd\xff\nVersion: 1.0\n")
    assert "minimax" in [row["name"] for row in json.loads(environment("list", "--json").stdout)]
    assert f"; {metadata.parent} cannot be read: remove that folder" in sentence(environment("uninstall", "odd"), 4)
    shutil.rmtree(metadata.parent)
    assert environment("plugins").returncode == 0


def test_of_two_distributions_with_one_name_the_first_on_the_path_counts(site, tmp_path, monkeypatch):
    behind = Site(tmp_path / "behind")
    site.install("ganzoo-good", GOOD.format("ganzoo_good"))
    behind.install("ganzoo-good", GOOD.format("ganzoo_good"), version="0.9")
    site.install("No_Plugin", "")
    behind.install("no-plugin", GOOD.format("no_plugin"))
    file_of(site.folder, "No_Plugin", "entry_points.txt").unlink()
    monkeypatch.setattr(sys, "path", [str(site.folder), str(behind.folder), *sys.path])
    found = {one.distribution: one.version for one in catalog().plugins}
    assert found["ganzoo-good"] == "1.0"
    assert "no-plugin" not in found
