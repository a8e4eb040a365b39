"""What is remembered of plugins: for how long, for whom, and what is made of a memory that is damaged."""

import json
import logging
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ganzoo.plugins import examination, marker, verdicts
from ganzoo.plugins.catalog import catalog, plugin_rows
from plugin_code import COUNTED, LOSS, plugin


@pytest.fixture
def memory(tmp_path, monkeypatch):
    """The folder of an empty memory of this process."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "memory"))
    verdicts.folder().mkdir(parents=True)
    return verdicts.folder()


def test_a_slow_plugin_gets_more_time_when_it_is_asked_for_and_is_safe_then(site, memory, monkeypatch):
    monkeypatch.setattr(examination, "DEADLINE_SECONDS", 1.0)
    monkeypatch.setattr(os, "getloadavg", lambda: (0.0, 0.0, 0.0))
    site.install("aa-slow", "import sys, time\ntime.sleep(2.5 * (sys.argv[0] == '-c'))\n" + LOSS.format("slow"))
    slow = "loading it takes longer than 1 seconds; 'ganzoo plugins aa-slow' gives it 10"
    assert plugin("aa-slow").reason == slow
    catalog.cache_clear()
    assert [row["status"] for row in plugin_rows("aa-slow")] == ["ok"]
    catalog.cache_clear()
    assert catalog().find("loss", "slow").distribution == "aa-slow"


def test_a_plugin_that_was_too_slow_is_examined_again_after_an_hour(site, memory):
    site.install("aa-slow", LOSS.format("slow"))
    assert plugin("aa-slow").works
    (file,) = memory.glob("aa-slow-*.json")
    file.write_text(json.dumps(json.loads(file.read_text()) | {"fault": "slow", "passing": True}))
    catalog.cache_clear()
    assert plugin("aa-slow").reason == "slow"
    os.utime(file, (time.time() - 3601,) * 2)
    catalog.cache_clear()
    assert plugin("aa-slow").works


@pytest.mark.parametrize(("cores", "load", "seconds"), [(2, 0.5, 20), (2, 6.0, 60), (1, 6.0, 120), (1, 50.0, 200)])
def test_a_busy_machine_gets_more_time_within_limits(monkeypatch, cores, load, seconds):
    monkeypatch.setattr(os, "getloadavg", lambda: (load, 0.0, 0.0))
    monkeypatch.setattr(examination, "usable_cores", lambda: cores)
    assert examination.deadline(1) == seconds


@pytest.mark.parametrize("patience", [1, 10])
def test_patience_is_kept_on_a_quiet_machine(monkeypatch, patience):
    monkeypatch.setattr(os, "getloadavg", lambda: (0.0, 0.0, 0.0))
    assert examination.deadline(patience) == 20 * patience


def test_a_plugin_that_writes_beside_its_code_is_examined_once(ganzoo, site, tmp_path):
    count = tmp_path / "count"
    writes = "import os\nopen(__file__ + '.log', 'a').write('x')\nopen(f'{__file__}-{os.getpid()}.json', 'w').close()\n"
    site.install("aa-writes", COUNTED.format(str(count)) + writes + LOSS.format("written"))
    for number in (2, 3, 4):
        assert "written" in ganzoo("list", "--json").stdout
        assert len(count.read_text()) == number


def test_two_environments_that_share_a_plugin_examine_it_once_each(ganzoo, site, tmp_path):
    count = tmp_path / "count"
    site.install("aa-counted", COUNTED.format(str(count)) + LOSS.format("counted"))

    def loaded(prefix):
        count.write_text("")
        look = f"import sys\nsys.prefix = {prefix!r}\nfrom ganzoo.plugins.catalog import catalog\ncatalog()"
        subprocess.run([sys.executable, "-c", look], env=ganzoo.environment, check=True, timeout=100)
        return len(count.read_text())

    assert [loaded(prefix) for prefix in ("/one", "/two", "/one", "/two")] == [2, 2, 1, 1]


def test_a_plugin_that_prints_without_end_is_stopped_and_its_last_words_are_kept(site, memory, monkeypatch):
    child = f"from ganzoo.plugins import examination\nexamination.MAX_FILE_BYTES = 1_000_000\n{examination.RUN_CHILD}"
    monkeypatch.setattr(examination, "RUN_CHILD", child)
    prints = f"while sys.argv[0] == '-c':\n    os.write(1, {10_000 * b'x'!r})\n"
    site.install("aa-loud", f"import os, sys\n{prints}{LOSS.format('loud')}")
    assert plugin("aa-loud").reason == (
        "loading it prints, or writes into a file, more than 100 MB; 'ganzoo plugins aa-loud' tries it again"
    )
    assert plugin("aa-loud").traceback == examination.MAX_OUTPUT_BYTES * "x"


BROKEN = {
    "a number": {"fault": 5},
    "a list": {"fault": ["a"]},
    "a traceback that is none": {"fault": "x", "traceback": 7},
    "an age that is none": {"passing": "yes"},
    "lists in lists": {},
}


@pytest.mark.parametrize("change", BROKEN.values(), ids=BROKEN)
def test_a_damaged_verdict_is_made_anew(site, memory, change):
    site.install("aa-sound", LOSS.format("sound"))
    assert plugin("aa-sound").works
    (file,) = memory.glob("aa-sound-*.json")
    written = json.loads(file.read_text())
    file.write_text(json.dumps(written | change) if change else "[" * 100_000)
    catalog.cache_clear()
    assert plugin("aa-sound").works
    assert json.loads(file.read_text()) == written


MARKERS = {
    "nested": "[" * 100_000,
    "a list": '["aa-sound", "aa-sound 1.0"]',
    "a number": "7",
    "for a shell": json.dumps({"distribution": "$(touch pwned)", "what": "x"}),
    "for a terminal": json.dumps({"distribution": "aa-sound\x1b[31m", "what": "x"}),
    "no name": json.dumps({"what": "x"}),
    "a table for a name": json.dumps({"distribution": {"a": 1}, "what": "x"}),
    "no text": "\0\ufffd",
}


@pytest.mark.parametrize("content", MARKERS.values(), ids=MARKERS)
def test_a_damaged_marker_is_removed_and_nothing_of_it_is_told(memory, caplog, content):
    (memory / "loading-1-x").write_text(content)
    assert (marker.take_culprits(), caplog.messages, list(memory.iterdir())) == ([], [], [])


def test_what_a_marker_tells_is_one_line_of_plain_text(memory, caplog):
    what = "aa \x1b[31m\n" + 1000 * "b"
    (memory / "loading-1-x").write_text(json.dumps({"distribution": "Aa.Sound", "what": what}))
    with caplog.at_level(logging.WARNING):
        assert marker.take_culprits() == ["aa-sound"]
    (said,) = caplog.messages
    assert "while it loaded aa  [31m bbb" in said and "GANZOO_DISABLE_PLUGINS=aa-sound " in said
    assert len(said) < 600


@pytest.fixture
def as_on_windows(monkeypatch):
    """No locks, and a file that is open cannot be removed."""
    unlink, descriptors = os.unlink, Path("/proc/self/fd")
    if not descriptors.is_dir():
        pytest.skip("this system does not tell which files are open")

    def refuse(path, *args, **kwargs):
        if Path(path).resolve() in [each.resolve() for each in descriptors.iterdir()]:
            raise PermissionError(13, "in use", str(path))
        unlink(path, *args, **kwargs)

    monkeypatch.setattr(os, "unlink", refuse)
    monkeypatch.setattr(marker, "hold", lambda file, wait=False: True)


def test_a_marker_is_told_and_removed_where_open_files_cannot_be(memory, as_on_windows):
    (memory / "loading-999999-x").write_text(json.dumps({"distribution": "aa-deadly", "what": "aa-deadly 1.0"}))
    with marker.LoadingMarker() as living:
        living.write("bb-living", "bb-living 1.0")
        assert marker.take_culprits() == ["aa-deadly"]
        assert len(list(memory.iterdir())) == 1
    assert list(memory.iterdir()) == []
