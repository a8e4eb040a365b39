"""What reaches a terminal: text of strangers without control characters, and nothing after its reader has gone."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from ganzoo._names import printable

PACKAGE = Path(__file__).parents[2] / "ganzoo"
EVIL = "a\x1b]0;title\x07\x1b[2J\x9b31mb\u202ec\rd"
ENTRY = """
[evil]
source = "nowhere"
architecture = "dcgan"
distribution = "ganzoo-dcgan"
data = "%(evil)s"
license = "%(evil)s"
summary = "%(evil)s"
[evil.files]
"config.json" = { sha256 = "%(hash)s", size = 1 }
"model.safetensors" = { sha256 = "%(hash)s", size = 1 }
"""
CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e]")


def test_only_one_module_prints():
    doors = {
        "cli/terminal.py",
        "cli/tables.py",
        "training/display/progress.py",
        "training/display/notebook.py",
        "plugins/install/guarded.py",
        "data/avatars/workers.py",  # what a process that draws tells the one that waits
    }
    pattern = re.compile(
        r"click\.(s?echo|secho)\(|(?<![\w.])print\(|print_exception|Console\(|sys\.std(out|err)\.write"
    )
    found = {str(path.relative_to(PACKAGE)) for path in PACKAGE.rglob("*.py") if pattern.search(path.read_text())}
    assert found - {path for path in found if "template" in path} == doors


def test_control_characters_become_spaces():
    assert printable(EVIL) == "a ]0;title  [2J 31mb c d"
    assert printable("漢字 é\n\tb", kept="\n\t") == "漢字 é\n\tb"


@pytest.fixture
def evil(typed, monkeypatch, tmp_path):
    """Things of every kind whose text has control characters."""
    escaped = EVIL.encode("unicode_escape").decode().replace("\\x", "\\u00")
    (tmp_path / "registry.toml").write_text(ENTRY % {"evil": escaped, "hash": "0" * 64})
    monkeypatch.setenv("GANZOO_REGISTRY", str(tmp_path / "registry.toml"))
    (tmp_path / "evil.toml").write_text(f'# {EVIL}\n[architecture]\nname = "x"\n[[loss]]\nname = "{escaped}"\n')
    (tmp_path / "scores.json").write_text("{}")
    for word in ("cat", EVIL.replace("/", "")):
        (tmp_path / "pictures" / word).mkdir(parents=True)
    return typed


@pytest.mark.parametrize(
    "words",
    [
        ["list", "models"],
        ["list"],
        ["info", "evil"],
        ["info", EVIL],
        ["sample", EVIL],
        ["train", f"{EVIL}.toml"],
        ["train", "evil.toml"],
        ["train", "dcgan", "-o", f"train.{EVIL}=1"],
        ["train", "dcgan", "--data", "pictures"],
        ["--debug", "sample", EVIL],
        ["list", EVIL],
        [EVIL],
    ],
    ids=lambda words: printable(" ".join(words)),
)
def test_nothing_that_strangers_wrote_acts_on_a_terminal(evil, words):
    _, out, err = evil(*words)
    assert not CONTROL.search(out + err), repr(out + err)
    assert "title" in out + err or words[-1] in ("pictures", "evil.toml")


def test_names_in_a_config_do_not_act_on_a_terminal(typed, tmp_path):
    folder = shutil.copytree(PACKAGE / "pretrained" / "dcgan-mnist", tmp_path / "changed")
    config = json.loads((folder / "config.json").read_text())
    config["data"] |= {"name": EVIL, "classes": [EVIL]}
    (folder / "config.json").write_text(json.dumps(config))
    for words in (["info", folder], ["sample", folder, "--out", "a.png"]):
        _, out, err = typed(*words)
        assert not CONTROL.search(out + err)


@pytest.mark.parametrize("words", [["list"], ["list", "--json"], ["--help"]], ids=" ".join)
def test_a_reader_that_has_gone_is_no_error(words, command):
    shell = f'set -o pipefail; "{sys.executable}" -m ganzoo {" ".join(words)} | true'
    done = subprocess.run(["bash", "-c", shell], capture_output=True, text=True, env=command.environment)
    assert (done.returncode, done.stderr) == (0, "")


NO_HOME = """
import os, pwd, sys

for key in ("HOME", "USER", "LOGNAME", "LNAME", "USERNAME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "GANZOO_DATA"):
    os.environ.pop(key, None)


def getpwuid(uid):
    raise KeyError(uid)


pwd.getpwuid = getpwuid
from ganzoo.cli.main import main

main(sys.argv[1:])
"""


@pytest.mark.parametrize(
    ("words", "code", "sentence"),
    [
        (["list", "models"], 0, ""),
        (
            ["train", "dcgan", "--data", "mnist"],
            2,
            "this user has no home folder; set HOME to one, or GANZOO_DATA",
        ),
    ],
)
def test_a_user_without_a_name_and_a_home_gets_what_needs_none(command, tmp_path, words, code, sentence):
    environment = {**command.environment, "MPLCONFIGDIR": str(tmp_path)}
    environment.pop("GANZOO_REGISTRY", None)
    call = [sys.executable, "-c", NO_HOME, *words]
    done = subprocess.run(call, capture_output=True, text=True, env=environment, cwd=tmp_path)
    assert (done.returncode, sentence in done.stderr, "Traceback" in done.stderr) == (code, True, False), done.stderr
