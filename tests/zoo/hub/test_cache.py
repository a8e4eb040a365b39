"""The cache of the Hub's client: what is in it is not downloaded again, and several processes share it."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from filelock import FileLock

from repositories import put, requests, same

WITHOUT_LINKS = """
import pathlib, sys
def refuse(*words): raise OSError(95, "no links")
pathlib.Path.symlink_to = refuse
from ganzoo.cli.main import main
main(sys.argv[1:])
"""


def downloads(hub, since):
    return [
        path for method, path in requests(hub, since) if method == "GET" and ("/cdn/" in path or "/resolve/" in path)
    ]


@pytest.mark.parametrize("links", [True, False], ids=["links", "copies"])
def test_what_another_commit_has_as_well_is_not_downloaded_again(zoo, hub, owner, model, links):
    put(owner, model)
    first = Path(zoo("pull", "hub:owner/dots").stdout.strip())
    put(owner, model, **{"README.md": b"another"})
    begun = len(hub.log)
    done = zoo("pull", "hub:owner/dots") if links else zoo.python("-c", WITHOUT_LINKS, "pull", "hub:owner/dots")
    second = Path(done.stdout.strip())
    assert second != first
    assert [path.rpartition("/")[2] for path in downloads(hub, begun)] == ["README.md"]
    weights = second / "model.safetensors"
    assert (weights.is_symlink(), weights.read_bytes()) == (links, (model / "model.safetensors").read_bytes())


@pytest.mark.parametrize("sound", [True, pytest.param(False, marks=pytest.mark.slow)], ids=["sound", "damaged"])
def test_contents_without_their_commits_are_taken_if_they_are_sound(zoo, hub, owner, model, sound):
    commit = put(owner, model)
    pulled = Path(zoo("pull", f"hub:owner/dots@{commit}").stdout.strip())
    weights = (pulled / "model.safetensors").resolve()
    if not sound:
        weights.write_bytes(weights.read_bytes()[:-1] + b"x")
    shutil.rmtree(pulled.parent)
    begun = len(hub.log)
    assert same(model, zoo("pull", f"hub:owner/dots@{commit}").stdout.strip())
    assert len([path for path in downloads(hub, begun) if "config" not in path]) == (0 if sound else 2)


PATIENT = """
import sys
from ganzoo.zoo.hub import cache
cache.PATIENCE_SECONDS = 0.2
from ganzoo.cli.main import main
main(sys.argv[1:])
"""


def test_who_waits_for_another_process_says_so(zoo, owner, model, tmp_path):
    commit = put(owner, model)
    pulled = Path(zoo("pull", f"hub:owner/dots@{commit}").stdout.strip())
    weights = pulled / "model.safetensors"
    lock = next(tmp_path.glob(f"cache/hub/.locks/*/{weights.readlink().name}.lock"))
    assert lock.stat().st_mode & 0o777 == 0o664
    weights.unlink()
    words = [sys.executable, "-c", PATIENT, "pull", f"hub:owner/dots@{commit}"]
    with FileLock(lock):
        process = subprocess.Popen(
            words, env=zoo.environment, cwd=zoo.folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        said = process.stderr.readline()
    out, _ = process.communicate(timeout=60)
    assert f"waiting for another process that downloads model.safetensors of hub:owner/dots@{commit[:12]}" in said
    assert same(model, out.strip())


@pytest.mark.parametrize("asked", [True, False], ids=["asked for the weights alone", "never asked"])
def test_a_hub_that_is_down_leaves_a_model_without_its_card(zoo, hub, owner, model, tmp_path, asked):
    source = f"hub:owner/dots@{put(owner, model)}"
    assert zoo("info", source).returncode == 0
    if not asked:
        shutil.rmtree(tmp_path / "user")
    hub.faults.append({"match": "", "kind": "status", "code": 503, "times": 99, "headers": {"Retry-After": "0"}})
    done = zoo("pull", source)
    assert same(model, done.stdout.strip()), done.stderr
    assert f"{source[:27]} may lack files, such as its card: recipe.toml of hub:owner/dots@" in done.stderr
    assert ("config.json" in done.stderr) is not asked
    assert len(done.stderr.splitlines()) == (1 if asked else 2)
