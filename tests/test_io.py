"""Files and folders that several threads and processes write at once are whole, and nothing half-written stays."""

import os
import subprocess
import sys
import tomllib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import ganzoo
from ganzoo import _io
from ganzoo.plugins.entries import NEEDED_FILES
from ganzoo.zoo.publishing.entry import add_entry

SIZE = 200_000


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def write_file(target, letter):
    _io.write_bytes(target, letter * SIZE)


def write_folder(target, letter):
    with _io.replace_folder(target) as new:
        for name in ("a", "b"):
            (new / name).write_bytes(letter * SIZE)


def contents(target):
    return [path.read_bytes() for path in ([target] if target.is_file() else sorted(target.iterdir()))]


@pytest.mark.parametrize("write", [write_file, write_folder])
def test_what_several_write_at_once_is_that_of_one_of_them(tmp_path, write):
    target = tmp_path / "target"
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda number: write(target, b"%c" % number), range(65, 105)))
    found = contents(target)
    assert len(set(found)) == 1
    assert found[0] == found[0][:1] * SIZE
    assert names(tmp_path) == ["target"]


def test_what_cannot_be_written_leaves_nothing_behind(tmp_path):
    (tmp_path / "taken").mkdir()
    with pytest.raises(ganzoo.BadInput, match="cannot write"):
        _io.write_bytes(tmp_path / "taken", b"text")
    with pytest.raises(ganzoo.BadInput, match="cannot write"), _io.replace_folder(tmp_path / "new") as new:
        new.rmdir()
    assert names(tmp_path) == ["taken"]


def test_what_is_there_is_put_back_where_the_new_folder_is_gone(tmp_path):
    (tmp_path / "old").mkdir()
    (tmp_path / "old" / "file").touch()
    with pytest.raises(FileNotFoundError):
        _io.put_in_place(tmp_path / "gone", tmp_path / "old")
    assert names(tmp_path / "old") == ["file"]
    assert names(tmp_path) == ["old"]


def test_what_killed_processes_left_long_ago_is_removed(tmp_path):
    write_file(tmp_path / "file", b"a")
    left = [".file.0123abcd.part", ".folder.0123abcd.old", ".file.part", ".mine.old", ".file.01234567.part"]
    for name in [*left, "folder"]:
        (tmp_path / name).touch()
    for name in left[:-1]:
        os.utime(tmp_path / name, (0, 0))
    _io.remove_abandoned(tmp_path, 3600)
    assert names(tmp_path) == sorted([*left[2:], "file", "folder"])
    _io.remove_abandoned(tmp_path)
    assert names(tmp_path) == sorted([".file.part", ".mine.old", "file", "folder"])


def test_the_only_copy_of_a_folder_is_not_removed(tmp_path):
    (tmp_path / ".folder.0123abcd.old").mkdir()
    _io.remove_abandoned(tmp_path)
    assert names(tmp_path) == [".folder.0123abcd.old"]


def entry(name, repository="owner/dots"):
    pins = {file: {"sha256": "0" * 64, "size": 1} for file in NEEDED_FILES}
    lines = [f"files.'{file}' = {{ sha256 = '{pin['sha256']}', size = 1 }}" for file, pin in pins.items()]
    about = dict.fromkeys(("architecture", "distribution", "data", "license"), "x")
    lines += [f"{key} = '{value}'" for key, value in about.items()]
    return f"[{name}]\nsource = 'hub:{repository}@{'0' * 40}'\n" + "\n".join(lines) + "\n"


ADD = "import sys, test_io\nfor n in range(8): test_io.add_entry(test_io.entry(f'{sys.argv[1]}{n}'))"


def test_entries_that_several_processes_add_at_once_are_all_there(tmp_path, monkeypatch):
    registry = tmp_path / "settings" / "registry.toml"
    monkeypatch.setenv("GANZOO_REGISTRY", str(registry))
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(Path(__file__).parent), *sys.path])}
    started = [subprocess.Popen([sys.executable, "-c", ADD, word], env=environment) for word in "abc"]
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(lambda number: add_entry(entry(f"d{number}")), range(8)))
    assert [process.wait() for process in started] == [0, 0, 0]
    assert tomllib.loads(registry.read_text()).keys() == {f"{word}{n}" for word in "abcd" for n in range(8)}


def test_an_entry_does_not_take_over_a_name_that_was_free_a_moment_ago(tmp_path, monkeypatch):
    monkeypatch.setenv("GANZOO_REGISTRY", str(tmp_path / "registry.toml"))
    add_entry(entry("dots"))
    add_entry(entry("dots"))
    with pytest.raises(ganzoo.BadInput, match="has a model 'dots' already"):
        add_entry(entry("dots", "other/dots"))


@pytest.mark.parametrize("text", ["[broken", "[dots]\nsource = 'mine'\n"])
def test_an_entry_is_not_added_to_a_registry_that_is_not_sound(tmp_path, monkeypatch, text):
    (tmp_path / "registry.toml").write_text(text)
    monkeypatch.setenv("GANZOO_REGISTRY", str(tmp_path / "registry.toml"))
    with pytest.raises(ganzoo.BadInput, match=r"registry\.toml"):
        add_entry(entry("dots"))
    assert (tmp_path / "registry.toml").read_text() == text


def test_a_registry_that_is_a_link_stays_one(tmp_path, monkeypatch):
    (tmp_path / "link.toml").symlink_to(tmp_path / "registry.toml")
    monkeypatch.setenv("GANZOO_REGISTRY", str(tmp_path / "link.toml"))
    add_entry(entry("dots"))
    assert (tmp_path / "link.toml").is_symlink()
    assert "dots" in (tmp_path / "registry.toml").read_text()
