"""Faults of the network and the Hub: the right bytes, or one sentence and exit code 4."""

import http.server
import re
import resource
import subprocess
import sys
import threading

import pytest

from repositories import PINNED, make_model, names, one_sentence, put, register, same

WEIGHTS, CONFIG = "/cdn/", "/resolve/.*config.json"


FAULTS = {
    "the connection ends in mid-file": ({"match": WEIGHTS, "kind": "drop", "after": 900}, ""),
    "the connection ends before the first byte": ({"match": WEIGHTS, "kind": "drop", "after": 0}, ""),
    "the connection ends again and again": (
        {"match": WEIGHTS, "kind": "drop", "after": 900, "times": 99},
        "the connection to the Hub|cannot download|cannot reach",
    ),
    "the connection is reset": (
        {"match": WEIGHTS, "kind": "reset", "after": 900},
        "",
    ),
    "too many requests, once": ({"match": CONFIG, "kind": "status", "code": 429, "headers": {"Retry-After": "0"}}, ""),
    "too many requests, for ever": (
        {"match": "", "kind": "status", "code": 429, "headers": {"Retry-After": "0"}, "times": 99},
        r"refuses so many requests; wait, and try again \(429\)",
    ),
    "a server error in mid-pull": ({"match": WEIGHTS, "kind": "status", "code": 500}, ""),
    "a server error for ever": ({"match": "", "kind": "status", "code": 500, "times": 99}, r"try again later \(500\)"),
    "a slow server": ({"match": WEIGHTS, "kind": "slow", "delay": 1.5}, ""),
    "a truncated file": ({"match": CONFIG, "kind": "drop", "after": 50, "method": "GET"}, ""),
    "a flipped byte, once": ({"match": WEIGHTS, "kind": "corrupt", "at": 700}, ""),
    "a flipped byte, always": ({"match": WEIGHTS, "kind": "corrupt", "at": 700, "times": 99}, PINNED),
    "a flipped byte in the config, once": ({"match": CONFIG, "kind": "corrupt", "at": 9, "method": "GET"}, ""),
    "a flipped byte in the config, always": (
        {"match": CONFIG, "kind": "corrupt", "at": 9, "method": "GET", "times": 99},
        "config.json of hub:owner/dots@.* is not what it should be: expected",
    ),
    "a hash that is a path": (
        {"match": CONFIG, "kind": "header", "name": "ETag", "value": '"../../../../../victim"', "times": 99},
        "sent an invalid ETag '../../../../../victim'",
    ),
    "a hash that is none": (
        {"match": CONFIG, "kind": "header", "name": "ETag", "value": '"weird"', "times": 99},
        "sent an invalid ETag 'weird'",
    ),
    "a commit that is a path": (
        {"match": CONFIG, "kind": "header", "name": "X-Repo-Commit", "value": "../../../../escape", "times": 99},
        "sent an invalid commit '../../../../escape'",
    ),
    "no hash": ({"match": CONFIG, "kind": "noheader", "name": "ETag", "times": 99}, "config.json of hub:owner/dots"),
    "a size that is none": (
        {"match": CONFIG, "kind": "header", "name": "X-Linked-Size", "value": "many", "times": 99},
        "",
    ),
    "a size beyond the pin": (
        {"match": "/resolve/.*safetensors", "kind": "header", "name": "X-Linked-Size", "value": "99999999999"},
        r"has 99,999,999,999 bytes, more than",
    ),
    "a gated repository": (
        {"match": "/resolve/", "kind": "status", "code": 403, "headers": {"X-Error-Code": "GatedRepo"}, "times": 99},
        "is gated: accept its terms there and log in",
    ),
}


@pytest.mark.parametrize("pinned", [pytest.param(True, marks=pytest.mark.slow), False], ids=["registered", "unpinned"])
@pytest.mark.parametrize(
    ("fault", "sentence"),
    # What fails for ever is asked for again and again, with longer and longer pauses.
    [pytest.param(*row, id=name, marks=[pytest.mark.slow] * ("for ever" in name)) for name, row in FAULTS.items()],
)
def test_a_fault_leaves_the_right_bytes_or_one_sentence(zoo, hub, owner, model, fault, sentence, pinned):
    commit = put(owner, model)
    register(zoo, model, commit)
    source = "dots" if pinned else "hub:owner/dots"
    hub.faults.append(dict(fault))
    done = zoo("pull", source)
    assert any("fault" in one for one in hub.log)
    if done.returncode == 0 and not sentence:
        assert same(model, done.stdout.strip())
    else:
        assert (done.returncode, done.stdout) == (4, ""), done.stderr
        assert re.search(sentence, done.stderr), done.stderr
        assert one_sentence(done)
    hub.faults.clear()
    assert same(model, zoo("pull", source).stdout.strip())


def test_nobody_at_the_other_end(zoo, owner, model):
    register(zoo, model, put(owner, model))
    for endpoint in ("http://127.0.0.1:9", "http://no-such-host.invalid"):
        for source in ("dots", "hub:owner/dots"):
            done = zoo("pull", source, HF_ENDPOINT=endpoint)
            assert (done.returncode, done.stdout) == (4, "")
            assert f"cannot reach the Hub at {endpoint}" in done.stderr, done.stderr
            assert len(done.stderr.splitlines()) == 1


class NoHub(http.server.BaseHTTPRequestHandler):
    """Answers everything with a page."""

    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", "13")
        self.end_headers()
        self.wfile.write(b"<html></html>" if self.command == "GET" else b"")

    do_HEAD = do_GET

    def log_message(self, *words):
        pass


def test_what_answers_is_no_hub(zoo, owner, model):
    register(zoo, model, put(owner, model))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), NoHub)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    for source in ("dots", "hub:owner/dots"):
        done = zoo("pull", source, HF_ENDPOINT=f"http://127.0.0.1:{server.server_port}")
        assert (done.returncode, done.stdout) == (4, ""), done.stderr
        assert one_sentence(done), done.stderr
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize(
    ("source", "environment", "sentence"),
    [
        ("hub:owner/nothing", {}, "there is no repository owner/nothing"),
        ("hub:owner/secret", {"HF_TOKEN": "hf_other_write"}, "there is no repository owner/secret .* or it is private"),
        ("hub:owner/secret", {"HF_TOKEN": ""}, "there is no repository owner/secret .* or it is private"),
        ("hub:owner/dots", {"HF_TOKEN": "hf_invalid"}, r"log in with 'hf auth login' \(401\)"),
        ("hub:owner/dots@v9", {}, "there is no such revision: config.json of hub:owner/dots@v9"),
        (
            "hub:owner/pickle",
            {},
            "there is no config.json of hub:owner/pickle.*: a repository with a model of ganzoo has",
        ),
        ("hub:owner/half", {}, "there is no model.safetensors of hub:owner/half"),
    ],
)
def test_what_is_not_there_or_not_allowed(zoo, owner, model, source, environment, sentence):
    put(owner, model)
    put(owner, model, "owner/secret", private=True)
    put(
        owner,
        model,
        "owner/pickle",
        **dict.fromkeys(names(model)),
        **{"pytorch_model.bin": b"pickle"},
    )
    put(owner, model, "owner/half", **{"model.safetensors": None})
    done = zoo("pull", source, **environment)
    assert (done.returncode, done.stdout) == (4, "")
    assert re.search(sentence, done.stderr), done.stderr
    assert one_sentence(done)


def test_a_full_disk_is_said_and_forgotten(zoo, owner, tmp_path):
    large = make_model(tmp_path / "large", 800, 800)
    register(zoo, large, put(owner, large))
    small = lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (500_000, 500_000))  # noqa: E731
    words = [sys.executable, "-m", "ganzoo", "pull", "dots"]
    done = subprocess.run(
        words, env=zoo.environment, cwd=zoo.folder, capture_output=True, text=True, preexec_fn=small, check=False
    )
    assert (done.returncode, done.stdout) == (4, ""), done.stderr
    assert "model.safetensors of hub:owner/dots" in done.stderr
    assert "File too large" in done.stderr
    assert same(large, zoo("pull", "dots").stdout.strip())


def test_a_hub_that_serves_other_bytes_for_a_pinned_commit_is_refused(zoo, owner, model, tmp_path):
    put(owner, make_model(tmp_path / "first", 8))
    commit = put(owner, make_model(tmp_path / "newest", 8))
    register(zoo, model, commit)
    done = zoo("pull", "dots")
    assert (done.returncode, done.stdout) == (4, "")
    assert re.search(PINNED, done.stderr), done.stderr
