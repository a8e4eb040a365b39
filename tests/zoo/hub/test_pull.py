"""The zoo over real HTTP: the genuine client talks to a small Hub; what is published is pulled bit for bit."""

import json
import signal
import subprocess
import sys
import time
import tomllib
from pathlib import Path

import numpy as np
import pytest

import count_reads
from ganzoo._io import sha256
from repositories import make_model, one_sentence, put, register, requests, same


def test_what_is_trained_and_published_is_pulled_elsewhere_bit_for_bit(zoo, hub, tmp_path):
    quick = ["-o", "train.steps=2", "-o", "train.batch=8", "--precision", "fp32", "--out", "run"]
    assert zoo("train", "vanilla", *quick).returncode == 0
    words = ["publish", "run", "owner/digits", "--private", "--tag", "v1", "--license", "mit", "--register"]
    done = zoo(*words)
    assert done.returncode == 0, done.stderr
    entry = tomllib.loads(done.stdout)["digits"]
    assert tomllib.loads(Path(zoo.environment["GANZOO_REGISTRY"]).read_text()) == {"digits": entry}
    assert set(entry["files"]) == {"config.json", "model.safetensors", "recipe.toml", "samples.png", "README.md"}

    assert zoo("sample", "run", "-n", "5", "--out", "own.npz").returncode == 0
    elsewhere = {"HF_HOME": str(tmp_path / "elsewhere")}
    for source in ("digits", "hub:owner/digits@v1"):
        pulled = zoo("pull", source, **elsewhere)
        assert pulled.returncode == 0, pulled.stderr
        folder = Path(pulled.stdout.strip())
        assert {name: sha256((folder / name).read_bytes()) for name in entry["files"]} == {
            name: pin["sha256"] for name, pin in entry["files"].items()
        }
        before = len(hub.log)
        made = zoo("sample", source, "-n", "5", "--out", f"{len(hub.log)}.npz", "--offline", **elsewhere)
        assert made.returncode == 0, made.stderr
        assert len(hub.log) == before
        theirs, own = (np.load(zoo.folder / name)["images"] for name in (made.stdout.strip(), "own.npz"))
        assert np.array_equal(theirs, own)
    assert not hub.leaks


def test_publishing_again_commits_nothing(zoo, hub, model):
    words = ["publish", model, "owner/dots", "--license", "mit", "--tag", "v1"]
    first, begun = zoo(*words), len(hub.log)
    again = zoo(*words)
    assert first.returncode == again.returncode == 0, again.stderr
    assert first.stdout == again.stdout
    assert "published config.json, model.safetensors, samples.png, README.md: http" in first.stderr
    assert "everything was there already: http" in again.stderr
    assert {method for method, _ in requests(hub, begun)} == {"GET"}


def test_a_dry_run_shows_every_file_and_sends_nothing(zoo, hub, model):
    done = zoo("publish", model, "owner/dots", "--dry-run", "--private", "--tag", "v1", "--message", "first")
    assert done.returncode == 0, done.stderr
    assert "create the private repository owner/dots unless it is there" in done.stdout
    assert sha256((model / "model.safetensors").read_bytes()) in done.stdout
    assert "tag it v1" in done.stdout
    assert "using 'other'" in done.stderr
    assert hub.log == []


def test_the_card_says_what_the_hub_and_a_reader_want_to_know(zoo, owner, model, tmp_path):
    scored = tmp_path / "scored"
    scored.mkdir()
    for path in model.iterdir():
        (scored / path.name).write_bytes(path.read_bytes())
    (scored / "scores.json").write_text(json.dumps({"fd_ratio": 12.5, "protocol": "10,000 samples"}))
    done = zoo("publish", scored, "owner/dots", "--license", "cc-by-4.0")
    assert done.returncode == 0, done.stderr
    from huggingface_hub import ModelCard

    card = ModelCard.load(Path(owner.hf_hub_download("owner/dots", "README.md", cache_dir=tmp_path / "cards")))
    assert (card.data.license, card.data.library_name, card.data.datasets) == ("cc-by-4.0", "ganzoo", None)
    assert card.data.pipeline_tag == "unconditional-image-generation"
    assert [(one.metric_type, one.metric_value) for one in card.data.eval_results] == [("fd_ratio", 12.5)]
    for words in ("synthetic", "ganzoo sample hub:owner/dots", "Intended use", "vanilla of ganzoo-vanilla", "12 x 12"):
        assert words in card.text
    assert tomllib.loads(done.stdout)["dots"]["scores"]["fd_ratio"] == 12.5


@pytest.mark.parametrize("words", [["sample", "hub:owner/dots@v1", "-n", "1"], ["load", "hub:owner/dots@v1"]])
def test_a_model_on_the_hub_has_its_config_read_once(zoo, owner, model, words):
    put(owner, model)
    owner.create_tag("owner/dots", tag="v1")
    done = zoo.python(count_reads.__file__, *words)
    assert done.returncode == 0, done.stderr
    read = json.loads(done.stdout.splitlines()[-1])
    assert (len(read["parsed"]), len(read["registries"]), len(read["configs"])) == (1, 0, 1)


def test_a_second_pull_asks_for_nothing_and_works_without_sockets(zoo, hub, owner, model):
    register(zoo, model, put(owner, model))
    assert zoo("pull", "dots").returncode == 0
    begun = len(hub.log)
    code = "import socket, sys\n"
    code += "def refuse(*a, **k): raise OSError('sockets are blocked')\n"
    code += "socket.socket.connect = socket.create_connection = socket.getaddrinfo = refuse\n"
    code += "from ganzoo.cli.main import main\nmain(sys.argv[1:])\n"
    done = zoo.python("-c", code, "pull", "dots")
    assert done.returncode == 0, done.stderr
    assert same(model, done.stdout.strip())
    assert zoo("pull", "hub:owner/dots", HF_HUB_OFFLINE="1").returncode == 4  # its name was never resolved
    assert len(hub.log) == begun


@pytest.mark.parametrize("offline", [{"words": ["--offline"]}, {"environment": {"HF_HUB_OFFLINE": "1"}}])
def test_offline_takes_what_was_pulled_and_says_what_was_not(zoo, hub, owner, model, offline):
    words, environment = offline.get("words", []), offline.get("environment", {})
    register(zoo, model, put(owner, model))
    for source in ("dots", "hub:owner/dots"):
        begun = len(hub.log)
        refused = zoo("pull", source, *words, **environment)
        assert refused.returncode == 4
        assert "is not in the cache, and offline nothing is asked for" in refused.stderr
        assert len(hub.log) == begun
        assert zoo("pull", source).returncode == 0
        begun = len(hub.log)
        done = zoo("pull", source, *words, **environment)
        assert same(model, done.stdout.strip())
        assert len(hub.log) == begun


def test_an_unpinned_repository_is_resolved_once_and_told(zoo, hub, owner, model):
    commit = put(owner, model)
    owner.create_tag("owner/dots", tag="v1")
    for source in ("hub:owner/dots", "hub:owner/dots@v1", "hub:owner/dots@main"):
        done = zoo("pull", source)
        named = source if "@" in source else f"{source}@main"
        assert done.stderr.strip() == f"{named} is at {commit[:12]}; pin it as hub:owner/dots@{commit}"
    assert zoo("pull", f"hub:owner/dots@{commit}").stderr == ""


def test_a_large_file_goes_on_where_the_connection_broke(zoo, hub, owner, tmp_path):
    large = make_model(tmp_path / "large", 2000, 1500)
    assert (large / "model.safetensors").stat().st_size > 12_000_000
    commit = put(owner, large)
    hub.faults.append({"match": "/cdn/", "kind": "drop", "after": 11_000_000})
    done = zoo("pull", f"hub:owner/dots@{commit}")
    assert same(large, done.stdout.strip()), done.stderr
    assert [one["range"] for one in hub.log if one["path"].startswith("/cdn/")][-1].startswith("bytes=1")


def test_a_killed_pull_begins_again_and_ends_well(zoo, hub, owner, tmp_path):
    large = make_model(tmp_path / "large", 2000, 1500)
    register(zoo, large, put(owner, large))
    hub.faults.append({"match": "/cdn/", "kind": "trickle", "chunk": 100_000, "delay": 0.05})
    words = [sys.executable, "-m", "ganzoo", "pull", "dots"]
    process = subprocess.Popen(words, env=zoo.environment, cwd=zoo.folder)
    while not list(tmp_path.glob("cache/**/*.incomplete")):
        assert process.poll() is None
        time.sleep(0.05)
    time.sleep(0.3)
    process.send_signal(signal.SIGKILL)
    process.wait()
    hub.faults.clear()
    refused = zoo("pull", "dots", "--offline")
    assert (refused.returncode, refused.stdout) == (4, "")
    done = zoo("pull", "dots")
    assert same(large, done.stdout.strip()), done.stderr


def test_a_pulled_commit_needs_the_hub_no_more(zoo, hub, owner, model):
    commit = put(owner, model)
    assert zoo("pull", f"hub:owner/dots@{commit}").returncode == 0
    begun = len(hub.log)
    assert zoo("pull", f"hub:owner/dots@{commit}").returncode == 0
    assert not [path for _, path in requests(hub, begun) if "/owner/dots/" in path]


def test_a_hub_that_is_down_leaves_what_was_pulled_and_says_so(zoo, hub, owner, model):
    put(owner, model)
    assert zoo("pull", "hub:owner/dots").returncode == 0
    hub.faults.append({"match": "", "kind": "status", "code": 503, "times": 999, "headers": {"Retry-After": "0"}})
    done = zoo("pull", "hub:owner/dots")
    if done.returncode:
        assert one_sentence(done)
    else:
        assert "cannot be reached now, and was at" in done.stderr


def test_a_page_of_models_asks_once_where_a_branch_is(zoo, hub, owner, model):
    put(owner, model)
    begun = len(hub.log)
    done = zoo("compare", "hub:owner/dots", "hub:owner/dots", "--out", "page.png")
    assert done.returncode == 0, done.stderr
    assert sum("/resolve/main/" in path for _, path in requests(hub, begun)) == 1
