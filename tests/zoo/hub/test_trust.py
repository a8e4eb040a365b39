"""Whose word is taken: the Hub's for the commit that was asked for, remembered where nobody else can write."""

import shutil
from pathlib import Path

import pytest

from repositories import make_model, one_sentence, put, register, requests, same

FILES = ("config.json", "model.safetensors")
NAMED = ("dots", "hub:owner/dots")
SLOW = pytest.mark.slow


@pytest.fixture
def pulled(zoo, owner, model):
    """A model that was pulled, as hub:owner/dots@COMMIT, and its folder in the cache."""
    source = f"hub:owner/dots@{put(owner, model)}"
    for words in (source, "hub:owner/dots"):
        done = zoo("pull", words)
    return source, Path(done.stdout.strip())


def replace_files(cached, other, link):
    """Put the files of another model, which fit each other, into a folder of the cache."""
    for name in FILES:
        content = (other / name).read_bytes()
        target = (cached / name).resolve() if link else cached / name
        if not link:
            target.unlink()
        target.write_bytes(content)


@pytest.mark.parametrize(
    ("link", "named"), [(True, True), (False, False)], ids=["blob, branch", "in its place, commit"]
)
def test_a_pair_that_others_put_into_the_cache_is_not_taken(zoo, model, pulled, tmp_path, link, named):
    (commit, cached), other = pulled, make_model(tmp_path / "other", 16)
    source = "hub:owner/dots" if named else commit
    replace_files(cached, other, link)
    refused = zoo("pull", source, "--offline")
    assert (refused.returncode, refused.stdout) == (4, "")
    assert "is not what it should be: expected sha1" in refused.stderr
    assert same(model, zoo("pull", source).stdout.strip())


def test_who_never_asked_the_hub_asks_it_now_or_is_told(zoo, hub, model, pulled, tmp_path):
    (source, cached), other = pulled, make_model(tmp_path / "other", 16)
    replace_files(cached, other, link=False)
    elsewhere = {"XDG_CACHE_HOME": str(tmp_path / "somebody-else")}
    offline = zoo("pull", source, "--offline", **elsewhere)
    assert same(other, offline.stdout.strip()), offline.stderr
    assert "config.json of hub:owner/dots@" in offline.stderr
    assert "is taken from the cache as it is: the Hub was never asked for its hash (offline)" in offline.stderr
    hub.faults.append({"match": "", "kind": "status", "code": 503, "times": 99, "headers": {"Retry-After": "0"}})
    down = zoo("info", source, **elsewhere)
    assert str(cached) in down.stdout
    assert "is taken from the cache as it is" in down.stderr
    assert "try again later (503)" in down.stderr
    hub.faults.clear()
    online = zoo("pull", source, **elsewhere)
    assert (online.returncode, online.stderr) == (0, "")
    assert same(model, online.stdout.strip())


def test_what_another_hub_said_is_not_what_this_one_says(zoo, hub, pulled):
    source, _ = pulled
    begun = len(hub.log)
    assert zoo("pull", source, HF_ENDPOINT=hub.url.replace("127.0.0.1", "localhost")).returncode == 0
    assert {method for method, path in requests(hub, begun) if "/owner/dots/" in path} == {"HEAD"}


def test_a_cache_that_cannot_be_written_to_is_read(zoo, hub, pulled, tmp_path):
    source, cached = pulled
    shutil.rmtree(tmp_path / "user" / "ganzoo")
    (tmp_path / "user" / "ganzoo").touch()  # the hashes cannot be remembered
    assert zoo("pull", source).stdout.strip() == str(cached)


@pytest.mark.parametrize("source", ["hub:owner/dots@{commit}", *(pytest.param(each, marks=SLOW) for each in NAMED)])
@pytest.mark.parametrize("method", ["HEAD", "GET"])
@pytest.mark.parametrize("file", FILES)
def test_a_file_of_another_commit_is_refused(zoo, hub, owner, model, source, method, file):
    commit, other = put(owner, model), "ab" * 20
    register(zoo, model, commit)
    fault = {"match": f"/resolve/.*{file}", "method": method, "kind": "header", "times": 99}
    hub.faults.append({**fault, "name": "X-Repo-Commit", "value": other})
    done = zoo("pull", source.format(commit=commit))
    if source == "hub:owner/dots" and (method, file) == ("HEAD", "config.json"):
        assert f"is at {other[:12]}" in done.stderr  # that is where the branch is, as far as anybody can tell
        return
    assert (done.returncode, done.stdout) == (4, ""), done.stderr
    assert f"answers from another commit, {other[:12]}" in done.stderr
    assert one_sentence(done)


def test_an_expired_token_is_called_that_and_what_was_pulled_is_taken(zoo, hub, pulled):
    _, cached = pulled
    done = zoo("pull", "hub:owner/dots", HF_TOKEN="hf_expired")
    assert done.stdout.strip() == str(cached)
    assert "does not know this token, which may have expired" in done.stderr
    assert "cannot be reached now" not in done.stderr


@pytest.mark.parametrize("match", ["config.json", "/cdn/"])
def test_a_wait_of_a_day_is_told_and_not_slept(zoo, hub, owner, model, match):
    commit = put(owner, model)
    headers = {"RateLimit": '"resolvers";r=0;t=86400', "RateLimit-Policy": '"fixed window";"resolvers";q=5;w=86400'}
    hub.faults.append({"match": match, "kind": "status", "code": 429, "headers": headers, "times": 99})
    done = zoo("pull", f"hub:owner/dots@{commit}")
    assert (done.returncode, done.stdout) == (4, ""), done.stderr
    assert "refuses so many requests; wait for 1 day, 0:00:00" in done.stderr
    assert one_sentence(done)


def test_a_revision_that_leads_out_of_the_cache_is_none(zoo, hub):
    done = zoo("pull", "hub:owner/dots@a/../../../../../victim")
    assert (done.returncode, hub.log) == (2, [])
    assert "is not hub:owner/name or hub:owner/name@revision" in done.stderr


def test_a_branch_that_moves_meanwhile_is_noted_at_the_commit_that_was_pulled(zoo, hub, owner, model):
    commit = put(owner, model)
    assert zoo("pull", "hub:owner/dots").returncode == 0
    asked = [path for _, path in requests(hub) if "/resolve/main/" in path]
    assert len(asked) == 1
    put(owner, model, **{"README.md": b"another"})
    assert zoo("pull", "hub:owner/dots", "--offline").stdout.strip().endswith(commit)
