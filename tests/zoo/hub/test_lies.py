"""Repositories that lie: what they hold is refused before it is used or even downloaded."""

import json
import re
from pathlib import Path

import pytest

from repositories import PINNED, make_model, names, one_sentence, put, register, requests


def edited(model, change):
    config = json.loads((model / "config.json").read_text())
    change(config)
    return json.dumps(config).encode()


CONFIGS = {
    "an empty table": (lambda c: c.clear(), "is not the config of a ganzoo model"),
    "another format": (lambda c: c.update(format=99), "has format 99"),
    "a path": (lambda c: c["weights"].update(file="../../other/model.safetensors"), r"weights\.file"),
    "an absolute path": (lambda c: c["weights"].update(file="/etc/passwd"), r"weights\.file"),
    "a pickle": (lambda c: c["weights"].update(file="pytorch_model.bin"), r"weights\.file"),
    "a Python class": (lambda c: c["architecture"].update(name="os:system"), r"architecture\.name"),
    "more than a config": (lambda c: c.update(junk="x" * 1_100_000), "bytes, more than 1,000,000"),
}


@pytest.mark.parametrize(("change", "sentence"), CONFIGS.values(), ids=CONFIGS.keys())
def test_a_config_that_is_not_sound_stops_the_pull_before_the_weights(zoo, hub, owner, model, change, sentence):
    put(owner, model, **{"config.json": edited(model, change)})
    begun = len(hub.log)
    done = zoo("pull", "hub:owner/dots")
    assert (done.returncode, done.stdout) in ((2, ""), (4, ""))
    assert re.search(sentence, done.stderr), done.stderr
    assert one_sentence(done)
    assert not [path for _, path in requests(hub, begun) if "safetensors" in path or "/cdn/" in path]


def test_a_config_that_is_too_large_is_not_even_downloaded(zoo, hub, owner, model):
    put(owner, model, **{"config.json": edited(model, CONFIGS["more than a config"][0])})
    begun = len(hub.log)
    zoo("pull", "hub:owner/dots")
    assert {method for method, path in requests(hub, begun) if "/owner/dots/" in path} == {"HEAD"}


def test_weights_other_than_the_config_says_are_refused(zoo, owner, model, tmp_path):
    other = make_model(tmp_path / "other", 8)
    put(owner, model, **{"model.safetensors": (other / "model.safetensors").read_bytes()})
    done = zoo("pull", "hub:owner/dots")
    assert (done.returncode, done.stdout) == (4, "")
    assert re.search(PINNED, done.stderr), done.stderr


def test_what_lies_beside_the_weights_is_no_more_than_it_may_be(zoo, hub, owner, model):
    put(owner, model, **{"README.md": b"x" * 20_100_000})
    done = zoo("pull", "hub:owner/dots")
    assert (done.returncode, done.stdout) == (4, "")
    assert re.search("README.md of .* has 20,100,000 bytes, more than 20,000,000", done.stderr)
    assert zoo("sample", "hub:owner/dots", "-n", "1").returncode == 0  # which needs no README


def test_the_store_that_several_repositories_share_is_no_other_content(zoo, owner, model, tmp_path):
    register(zoo, model, put(owner, model))
    folder = Path(zoo("pull", "dots").stdout.strip())
    blob = (folder / "model.safetensors").resolve()
    shared = tmp_path / "cache" / "hub" / "blobs" / "ab" / ("ab" * 32)
    shared.parent.mkdir(parents=True)
    shared.write_bytes(blob.read_bytes())
    blob.unlink()
    blob.symlink_to(shared)
    for source in ("dots", f"hub:owner/dots@{folder.name}"):
        assert zoo("pull", source).returncode == 0
        done = zoo("pull", source, "--offline")
        assert done.returncode == 0, done.stderr


def test_only_known_files_are_ever_downloaded(zoo, hub, owner, model):
    put(owner, model, **{"evil.py": b"raise SystemExit", "setup.py": b"", "samples.png": b"a picture"})
    done = zoo("pull", "hub:owner/dots")
    assert names(done.stdout.strip()) == [
        "config.json",
        "model.safetensors",
        "samples.png",
    ]
    assert not [path for _, path in requests(hub) if path.endswith(".py") and "/resolve/" in path]
