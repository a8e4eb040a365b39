"""Bytes are counted: what has no length, is compressed or never ends stops at the limit, and nothing of it stays."""

import gzip
import json
import re
import zlib

import pytest

from repositories import one_sentence, put

CONFIG, WEIGHTS = "/resolve/.*config.json", "/cdn/"
ZEROS = b"\0" * 50_000_000
BODIES = {
    "endless": ({"kind": "endless"}, "has more than 1,000,000 bytes"),
    "gzip": ({"kind": "coded", "coding": "gzip", "data": gzip.compress(ZEROS)}, "has more than 1,000,000 bytes"),
    "deflate": ({"kind": "coded", "coding": "deflate", "data": zlib.compress(ZEROS)}, "has more than 1,000,000 bytes"),
    "gzip twice": (
        {"kind": "coded", "coding": "gzip, gzip", "data": gzip.compress(gzip.compress(ZEROS))},
        "answers in the coding 'gzip, gzip', which was not asked for",
    ),
    "another coding": ({"kind": "coded", "coding": "br", "data": b"x"}, "answers in the coding 'br'"),
    "a longer answer than was said": (
        {"kind": "header", "name": "Content-Length", "value": "99999999999"},
        "has 99,999,999,999 bytes, more than 1,000,000",
    ),
}


def largest_file(folder):
    return max((path.stat().st_size for path in folder.rglob("*") if path.is_file()), default=0)


@pytest.mark.parametrize(("fault", "sentence"), BODIES.values(), ids=BODIES)
def test_a_config_stops_at_its_limit(zoo, hub, owner, model, tmp_path, fault, sentence):
    commit = put(owner, model)
    hub.faults.append({"match": CONFIG, "method": "GET", "times": 99, **fault})
    done = zoo("pull", f"hub:owner/dots@{commit}")
    assert (done.returncode, done.stdout) == (4, ""), done.stderr
    assert sentence in done.stderr
    assert one_sentence(done)
    assert largest_file(tmp_path / "cache") < 1_100_000
    assert max(one.get("sent", 0) for one in hub.log) < 10_000_000
    hub.faults.clear()
    assert zoo("pull", f"hub:owner/dots@{commit}").returncode == 0


@pytest.mark.parametrize("kind", ["endless", "coded"])
def test_weights_stop_at_their_size(zoo, hub, owner, model, tmp_path, kind):
    size = (model / "model.safetensors").stat().st_size
    fault = {"kind": kind, "coding": "gzip", "data": gzip.compress(ZEROS)}
    hub.faults.append({"match": WEIGHTS, "method": "GET", "times": 99, **fault})
    done = zoo("pull", f"hub:owner/dots@{put(owner, model)}")
    assert (done.returncode, done.stdout) == (4, ""), done.stderr
    assert re.search(f"has (more than|[0-9,]+ bytes, more than) {size:,}", done.stderr)
    assert largest_file(tmp_path / "cache") < 1_000_000


def test_a_file_that_a_proxy_compresses_is_the_same_file(zoo, hub, owner, model):
    commit = put(owner, model)
    data = gzip.compress((model / "config.json").read_bytes())
    hub.faults.append({"match": CONFIG, "method": "GET", "kind": "coded", "coding": "gzip", "data": data})
    assert zoo("pull", f"hub:owner/dots@{commit}").returncode == 0


@pytest.mark.parametrize(
    ("fault", "sentence"),
    [
        (None, "has [0-9,]+ bytes, not the 1,000,000,000,000,000 that it is said to have"),
        ({"kind": "header", "name": "X-Linked-Size", "value": str(10**15)}, "bytes, and only [0-9,]+ are free"),
        ({"kind": "noheader", "name": "X-Linked-Size"}, "bytes, and only [0-9,]+ are free"),
    ],
)
def test_a_config_that_promises_a_thousand_terabytes_is_not_believed(zoo, hub, owner, model, fault, sentence):
    config = json.loads((model / "config.json").read_text())
    config["weights"]["size"] = 10**15
    put(owner, model, **{"config.json": json.dumps(config).encode()})
    if fault:
        hub.faults.append({"match": "/resolve/.*safetensors", "times": 99, **fault})
    done = zoo("pull", "hub:owner/dots")
    assert (done.returncode, done.stdout) == (4, ""), done.stderr
    assert re.search(sentence, done.stderr), done.stderr
    assert one_sentence(done)
    assert not [one for one in hub.log if one["path"].startswith("/cdn/")]
