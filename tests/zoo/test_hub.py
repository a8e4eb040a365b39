"""The zoo over real HTTP: the genuine client talks to a Hub on loopback, which fails on demand."""

import http.server
import json
import re
import resource
import signal
import subprocess
import sys
import threading
import time
import tomllib
from pathlib import Path

import numpy as np
import pytest
from huggingface_hub import CommitOperationAdd, HfApi

import count_reads
import hubserver
from ganzoo._io import sha256
from ganzoo.recipe.build import resolve_architecture
from ganzoo.recipe.sections import Architecture
from ganzoo.zoo.model import save_model

SHAPE = (1, 12, 12)
DATA = {"name": "dots", "kind": "image", "shape": list(SHAPE), "range": [-1, 1], "classes": []}


def make_model(folder, *widths):
    """A small untrained generator as a model folder."""
    part = resolve_architecture(Architecture(name="vanilla", generator={"widths": list(widths)}))["generator"]
    save_model(folder, part.make(image=SHAPE), part, DATA, training={"recipe": "vanilla", "steps": 1, "seed": 0})
    return folder


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return make_model(tmp_path_factory.mktemp("model") / "dots", 8)


@pytest.fixture
def hub(tmp_path):
    server = hubserver.serve(str(tmp_path / "hub"))
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def owner(hub):
    """The client of the owner, for what a test finds on the Hub."""
    return HfApi(endpoint=hub.url, token="hf_owner_write")


@pytest.fixture
def zoo(command, hub, tmp_path):
    """`ganzoo` with an empty cache of its own, logged in to that Hub as its owner."""
    for key in [key for key in command.environment if key.startswith("HF_")]:
        del command.environment[key]
    command.environment |= {
        "HF_ENDPOINT": hub.url,
        "HF_HOME": str(tmp_path / "cache"),
        "HF_TOKEN": "hf_owner_write",
        "HF_HUB_DISABLE_XET": "1",
        "HF_HUB_DISABLE_PROGRESS_BARS": "1",
        "GANZOO_REGISTRY": str(tmp_path / "settings" / "registry.toml"),
    }
    return command


def put(owner, folder, repository="owner/dots", private=False, **instead):
    """Publish a folder's files as they are, some of them replaced; the commit."""
    files = {path.name: path.read_bytes() for path in folder.iterdir()} | instead
    owner.create_repo(repository, private=private, exist_ok=True)
    operations = [CommitOperationAdd(name, content) for name, content in files.items() if content is not None]
    return owner.create_commit(repository, operations, commit_message="as it is").oid


def register(zoo, folder, commit, name="dots", repository="owner/dots", **files):
    """Name a published model in the user's registry."""
    pins = {
        path.name: {"sha256": sha256(path.read_bytes()), "size": path.stat().st_size} for path in folder.iterdir()
    } | files
    about = {"architecture": "vanilla", "distribution": "ganzoo-vanilla", "data": "dots", "license": "mit"}
    lines = [f"[{name}]", f'source = "hub:{repository}@{commit}"', *(f'{k} = "{v}"' for k, v in about.items())]
    lines += [f'files."{n}" = {{ sha256 = "{pin["sha256"]}", size = {pin["size"]} }}' for n, pin in pins.items()]
    path = Path(zoo.environment["GANZOO_REGISTRY"])
    path.parent.mkdir(exist_ok=True)
    path.write_text("\n".join(lines) + "\n")


def same(folder, pulled):
    """Whether a pull left exactly these files."""
    return {path.name: sha256(path.read_bytes()) for path in Path(pulled).iterdir()} == {
        path.name: sha256(path.read_bytes()) for path in folder.iterdir()
    }


def names(folder):
    return sorted(path.name for path in Path(folder).iterdir())


def requests(hub, since=0):
    return [(one["method"], one["path"]) for one in hub.log[since:]]


# The whole path.


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


# Faults of the network and the Hub: the right bytes, or one sentence and exit code 4.

WEIGHTS, CONFIG = "/cdn/", "/resolve/.*config.json"
PINNED = r"expected sha256 [0-9a-f]{64}, found [0-9a-f]{64}"
FAULTS = {
    "the connection ends in mid-file": ({"match": WEIGHTS, "kind": "drop", "after": 900}, ""),
    "the connection ends before the first byte": ({"match": WEIGHTS, "kind": "drop", "after": 0}, ""),
    "the connection ends again and again": (
        {"match": WEIGHTS, "kind": "drop", "after": 900, "times": 99},
        "the connection to the Hub|cannot download|cannot reach",
    ),
    "the connection is reset": (
        {"match": WEIGHTS, "kind": "reset", "after": 900},
        "the connection to the Hub .* broke",
    ),
    "too many requests, once": ({"match": CONFIG, "kind": "status", "code": 429, "headers": {"Retry-After": "0"}}, ""),
    "too many requests, for ever": (
        {"match": "", "kind": "status", "code": 429, "headers": {"Retry-After": "0"}, "times": 99},
        r"refuses so many requests; wait, and try again \(429\)",
    ),
    "a server error in mid-pull": ({"match": WEIGHTS, "kind": "status", "code": 500}, r"try again later \(500\)"),
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
        "the server .* does not answer like a Hub",
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
    # The client asks again and again, with longer and longer pauses.
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


def one_sentence(done):
    lines = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    return len(lines) == 1 and "Traceback" not in done.stderr


@pytest.mark.slow
def test_nobody_at_the_other_end(zoo, owner, model):
    register(zoo, model, put(owner, model))
    for endpoint in ("http://127.0.0.1:9", "http://no-such-host.invalid"):
        for source in ("dots", "hub:owner/dots"):
            done = zoo("pull", source, HF_ENDPOINT=endpoint)
            assert (done.returncode, done.stdout) == (4, "")
            assert f"cannot reach the Hub at {endpoint}" in done.stderr, done.stderr


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


# Repositories that lie.


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
    assert "README.md has 20,100,000 bytes, more than 20,000,000" in done.stderr
    assert zoo("sample", "hub:owner/dots", "-n", "1").returncode == 0  # which needs no README


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


# Publishing that fails.

DENIED = {
    "nobody is logged in": ({"HF_TOKEN": ""}, None, r"'hf auth login'"),
    "an invalid token": ({"HF_TOKEN": "hf_invalid"}, None, r"does not know this token.* 'hf auth login' \(401\)"),
    "a token that may only read": ({"HF_TOKEN": "hf_owner_read"}, None, r"does not allow it.*\(403\)"),
    "somebody else's name": ({"HF_TOKEN": "hf_other_write"}, None, r"does not allow it.*\(403\)"),
    "a commit in conflict": ({}, {"match": "/commit/", "kind": "status", "code": 409}, r"conflict.*\(409\)"),
    "a head that moved": (
        {},
        {"match": "/commit/", "kind": "status", "code": 412},
        r"changed meanwhile.*\(412\)",
    ),
    "a server error": ({}, {"match": "/commit/", "kind": "status", "code": 500}, r"try again later \(500\)"),
    "no Hub": ({"HF_ENDPOINT": "http://127.0.0.1:9"}, None, "the connection to the Hub at http://127.0.0.1:9 broke"),
}
QUICK = ("nobody is logged in", "a token that may only read", "a head that moved")


@pytest.mark.parametrize(
    ("environment", "fault", "sentence"),
    [pytest.param(*row, id=name, marks=[] if name in QUICK else pytest.mark.slow) for name, row in DENIED.items()],
)
def test_publishing_that_is_refused_says_why_and_registers_nothing(zoo, hub, model, environment, fault, sentence):
    if fault:
        hub.faults.append({"method": "POST", "times": 9, **fault})
    done = zoo("publish", model, "owner/dots", "--license", "mit", "--register", **environment)
    assert (done.returncode, done.stdout) == (4, ""), done.stderr
    assert re.search(sentence, done.stderr), done.stderr
    assert one_sentence(done)
    assert not Path(zoo.environment["GANZOO_REGISTRY"]).exists()


def test_a_commit_whose_answer_was_lost_has_been_made(zoo, hub, owner, model):
    hub.faults.append({"method": "POST", "match": "/commit/", "kind": "drop", "after": 0})
    done = zoo("publish", model, "owner/dots", "--license", "mit", "--tag", "v1")
    assert done.returncode == 0, done.stderr
    assert len(owner.list_repo_commits("owner/dots")) == 2  # the repository's own first one, and this
    assert tomllib.loads(done.stdout)["dots"]["source"].endswith(owner.model_info("owner/dots", revision="v1").sha)


def test_a_tag_is_never_moved(zoo, owner, model, tmp_path):
    assert zoo("publish", model, "owner/dots", "--license", "mit", "--tag", "v1").returncode == 0
    head = owner.model_info("owner/dots").sha
    done = zoo("publish", make_model(tmp_path / "b", 9), "owner/dots", "--license", "mit", "--tag", "v1")
    assert done.returncode == 2
    assert "has the tag 'v1' already" in done.stderr
    assert owner.model_info("owner/dots").sha == head


def test_a_public_repository_is_not_taken_for_a_private_one(zoo, owner, model):
    owner.create_repo("owner/dots")
    done = zoo("publish", model, "owner/dots", "--license", "mit", "--private")
    assert done.returncode == 2
    assert "exists already and is public" in done.stderr


def test_a_name_in_the_users_registry_is_not_taken_over(zoo, owner, model):
    register(zoo, model, put(owner, model, "owner/others"), repository="owner/others")
    before = Path(zoo.environment["GANZOO_REGISTRY"]).read_text()
    done = zoo("publish", model, "owner/dots", "--license", "mit", "--register")
    assert done.returncode == 2
    assert "the registry of user has a model 'dots' already, from hub:owner/others@" in done.stderr
    assert Path(zoo.environment["GANZOO_REGISTRY"]).read_text() == before


WRONG = [
    (["publish", "nothing", "owner/dots"], "there is no registered model, run or folder 'nothing'"),
    (["publish", "hub:owner/dots", "owner/dots"], "is published already"),
    (["publish", ".", "dots"], "'dots' is not owner/name"),
    (["publish", ".", "owner/dots@v1"], "'owner/dots@v1' is not owner/name"),
    (["publish", ".", "owner/dots", "--tag", "v1.0+cpu"], "'v1.0+cpu' is not a tag"),
    (["publish", ".", "owner/dots", "--tag", "main"], "'main' is not a tag"),
    (["publish", ".", "owner/dots", "--tag", ""], "'' is not a tag"),
    (["publish", ".", "owner/dots", "--message", " "], "a commit needs a message"),
    (["sample", "~nosuchuser/x"], "cannot read ~nosuchuser/x"),
    (["pull"], "give the models to pull"),
    (["pull", "owner/dots"], "write hub:owner/dots for a repository on the Hub, ./owner/dots for a folder"),
    (["pull", "hub:dots"], "'hub:dots' is not hub:owner/name or hub:owner/name@revision"),
    (["pull", "hub:../../etc"], "is not hub:owner/name"),
    (["pull", "hub:owner/dots@../main"], "is not hub:owner/name"),
    (["pull", "dotz"], "there is no registered model, run or folder 'dotz'"),
]
TYPED = """
import contextlib, io, json, sys
from ganzoo.cli.main import main

came = []
for words in json.loads(sys.argv[1]):
    out, err = io.StringIO(), io.StringIO()
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            main(words)
    except SystemExit as done:
        came.append([done.code, out.getvalue(), err.getvalue()])
print(json.dumps(came))
"""


def test_words_that_name_nothing_send_nothing(zoo, hub):
    done = zoo.python("-c", TYPED, json.dumps([words for words, _ in WRONG]))
    for (words, sentence), (code, out, err) in zip(WRONG, json.loads(done.stdout), strict=True):
        assert (code, out) == (2, ""), words
        assert sentence in err, words
    assert hub.log == []
