"""Plugins that end, hang or interrupt the process that loads them: examined once, remembered, and named."""

import json
import os
import re
import subprocess
import sys
import textwrap

import pytest

from ganzoo.plugins import examination
from ganzoo.plugins.catalog import catalog
from ganzoo.plugins.verdicts import folder
from plugin_code import COUNTED, GOOD, LOSS, plugin

DEADLY = {
    "exit": ("import os\nos._exit(0)", "loading it ends the process with exit code 0"),
    "crash": ("import ctypes\nctypes.string_at(0)", "loading it ends the process with SIGSEGV"),
    "kill": ("import os, signal\nos.kill(os.getpid(), signal.SIGKILL)", "loading it ends the process with SIGKILL"),
    "ctrl-c": ("raise KeyboardInterrupt", "loading it raises KeyboardInterrupt, as if the user had pressed Ctrl-C"),
    "in-a-hook": (
        "import ganzoo, os\n@ganzoo.hookimpl\ndef register_losses(register):\n    os._exit(3)",
        "loading it ends the process with exit code 3",
    ),
}


def row(ganzoo, *words):
    found = {row["distribution"]: row for row in json.loads(ganzoo("plugins", *words, "--json").stdout)}
    return found["aa-deadly"]


def test_every_deadly_plugin_is_a_row_with_its_reason_and_the_rest_works(ganzoo, site):
    for name, (code, _) in DEADLY.items():
        site.install(f"aa-{name}", code)
    site.install("bb-good", LOSS.format("sound"))
    done = ganzoo("list", "--json")
    assert (done.returncode, done.stderr) == (0, "")
    assert {"sound", "minimax"} <= {row["name"] for row in json.loads(done.stdout)}
    reasons = {
        row["distribution"]: (row["status"], row["reason"]) for row in json.loads(ganzoo("plugins", "--json").stdout)
    }
    for name, (_, reason) in DEADLY.items():
        assert reasons[f"aa-{name}"] == ("failed", f"{reason}; 'ganzoo plugins aa-{name}' tries it again")
    assert reasons["bb-good"] == ("ok", "")
    assert "string_at" in ganzoo("plugins", "aa-crash", "--traceback").stdout
    done = ganzoo("train", "of-a-deadly-one")
    assert (done.returncode, done.stdout) == (2, "")
    assert "(not available: aa-crash, aa-ctrl-c, aa-exit, aa-in-a-hook, aa-kill; see 'ganzoo plugins')" in done.stderr


@pytest.mark.parametrize("code", ["import time\ntime.sleep(600)", "while True:\n    pass"])
def test_a_plugin_that_takes_too_long_is_stopped_at_the_deadline(site, monkeypatch, code):
    monkeypatch.setattr(examination, "DEADLINE_SECONDS", 1.0)
    site.install("aa-deadly", code)
    site.install("bb-good", GOOD.format("bb_good"))
    assert catalog().find("loss", "gentle").distribution == "bb-good"
    reason = r"loading it takes longer than \d+ seconds; 'ganzoo plugins aa-deadly' (gives it 10|tries it again)"
    assert re.fullmatch(reason, plugin("aa-deadly").reason)
    assert "aa_deadly/__init__.py" in plugin("aa-deadly").traceback


def test_a_plugin_is_examined_once_and_again_when_it_changes(ganzoo, site, tmp_path):
    count = tmp_path / "count"
    site.install("aa-counted", COUNTED.format(str(count)) + LOSS.format("counted"))

    def loaded():
        count.write_text("")
        assert "counted" in [row["name"] for row in json.loads(ganzoo("list", "--json").stdout)]
        return len(count.read_text())

    assert [loaded(), loaded()] == [2, 1]
    (site.folder / "aa_counted" / "networks.py").write_text("new = 1\n")
    assert [loaded(), loaded()] == [2, 1]
    os.utime(site.folder / "aa_counted" / "networks.py", (1, 1))
    assert loaded() == 2
    metadata = site.folder / "aa_counted-1.0.dist-info" / "METADATA"
    metadata.write_text(metadata.read_text().replace("1.0", "1.1"))
    assert loaded() == 2


def test_a_deadly_plugin_is_not_tried_again_until_it_changes_or_is_asked_for(ganzoo, site, tmp_path):
    count, broken = tmp_path / "count", tmp_path / "broken"
    broken.touch()
    dies = f"import os\nif os.path.exists({str(broken)!r}):\n    os._exit(1)\n"
    site.install("aa-deadly", COUNTED.format(str(count)) + dies + LOSS.format("mended"))
    assert row(ganzoo)["status"] == "failed"
    broken.unlink()
    assert row(ganzoo)["status"] == "failed"
    assert count.read_text() == "x"
    assert row(ganzoo, "aa-deadly")["status"] == "ok"
    broken.touch()
    code = site.folder / "aa_deadly" / "__init__.py"
    code.write_text(code.read_text() + "\n# changed\n")
    assert row(ganzoo)["status"] == "failed"


def test_a_disabled_plugin_is_not_examined(ganzoo, site, tmp_path):
    count = tmp_path / "count"
    site.install("aa-deadly", COUNTED.format(str(count)) + DEADLY["exit"][0])
    assert ganzoo("list", GANZOO_DISABLE_PLUGINS="aa-deadly").returncode == 0
    assert not count.exists()
    assert row(ganzoo)["status"] == "failed"


@pytest.mark.parametrize("place", ["/dev/null/nowhere", "{file}"])
def test_without_a_cache_folder_nothing_breaks(ganzoo, site, tmp_path, place):
    (tmp_path / "file").touch()
    site.install("aa-deadly", DEADLY["exit"][0])
    done = ganzoo("list", "--json", XDG_CACHE_HOME=place.format(file=tmp_path / "file"))
    assert (done.returncode, done.stderr) == (0, "")
    assert "minimax" in [row["name"] for row in json.loads(done.stdout)]


def test_a_memory_that_cannot_be_read_is_made_anew(ganzoo, site):
    site.install("bb-good", LOSS.format("sound"))
    assert ganzoo("list").returncode == 0
    for number, file in enumerate(sorted(ganzoo.memory.glob("*.json"))):
        file.write_bytes([b"", b"[]", b"\xff", b'{"stamp": 3}'][number % 4])
    done = ganzoo("list")
    assert (done.returncode, done.stderr, "sound" in done.stdout) == (0, "", True)


def test_several_processes_at_once_examine_once(ganzoo, site, tmp_path):
    count = tmp_path / "count"
    site.install("aa-counted", COUNTED.format(str(count)) + LOSS.format("counted"))
    started = [
        subprocess.Popen(
            [sys.executable, "-m", "ganzoo", "list"], env=ganzoo.environment, stdout=subprocess.PIPE, text=True
        )
        for _ in range(3)
    ]
    assert all("counted" in process.communicate(timeout=100)[0] for process in started)
    assert len(count.read_text()) == 1 + len(started)
    assert list(ganzoo.memory.glob("loading-*")) == []


def dies_in_place(flag):
    """Code that passes the examination and then ends the first command that loads it."""
    return textwrap.dedent(f"""
        import os, sys
        if sys.argv[0] != "-c" and not os.path.exists({str(flag)!r}):
            open({str(flag)!r}, "w").close()
            os._exit(0)
    """)


@pytest.mark.parametrize(
    ("file", "culprit", "words"),
    [
        ("__init__.py", "aa-deadly 1.0", ["list"]),
        ("losses.py", "aa_deadly.losses of aa-deadly 1.0", ["train", "vanilla", "--loss", "late"]),
    ],
)
def test_the_next_command_names_the_plugin_that_was_loaded_when_one_vanished(
    ganzoo, site, tmp_path, file, culprit, words
):
    site.install("aa-deadly", LOSS.format("late").replace("a:B", "aa_deadly.losses:B"))
    with (site.folder / "aa_deadly" / file).open("a") as code:
        code.write(dies_in_place(tmp_path / "flag"))
    gone = ganzoo(*words)
    assert (gone.returncode, gone.stdout) == (0, "")
    done = ganzoo("list")
    assert done.stderr == (
        f"an earlier command ended, or was killed, while it loaded {culprit}; if that happens again: "
        "GANZOO_DISABLE_PLUGINS=aa-deadly goes on without it, 'ganzoo uninstall aa-deadly' removes it\n"
    )
    assert "late" in done.stdout
    assert ganzoo("list").stderr == ""


def test_a_marker_that_a_living_process_holds_is_left_alone(ganzoo, site, tmp_path):
    waits = (
        "import sys\nif sys.argv[0] != '-c':\n    print('loading', flush=True, file=sys.stderr)\n    sys.stdin.read()\n"
    )
    site.install("aa-slow", waits + LOSS.format("slow"))
    with subprocess.Popen(
        [sys.executable, "-m", "ganzoo", "list"],
        env=ganzoo.environment, stdin=subprocess.PIPE, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    ) as first:  # fmt: skip
        assert first.stderr.readline() == "loading\n"
        second = subprocess.run(
            [sys.executable, "-m", "ganzoo", "list"], env=ganzoo.environment, input="", capture_output=True, text=True
        )
        assert (second.returncode, second.stderr) == (0, "loading\n")
        assert "slow" in first.communicate("")[0]


def test_what_is_remembered_lies_in_the_cache_folder():
    assert folder().is_relative_to(os.environ["XDG_CACHE_HOME"])
