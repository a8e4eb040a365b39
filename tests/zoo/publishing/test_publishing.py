"""Publishing that fails says why and registers nothing; words that name nothing send nothing."""

import json
import re
import tomllib
from pathlib import Path

import pytest

from repositories import make_model, one_sentence, put, register

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
    "no Hub": ({"HF_ENDPOINT": "http://127.0.0.1:9"}, None, "cannot reach the Hub at http://127.0.0.1:9"),
    "an upload that is not allowed": (
        {},
        {"match": "/lfs/", "method": "PUT", "kind": "status", "code": 403},
        r"Error while uploading 'model.safetensors'.*does not allow it \(injected fault\).*\(403\)",
    ),
    "an upload that has expired": (
        {},
        {"match": "/lfs/", "method": "PUT", "kind": "status", "code": 400},
        r"Error while uploading 'model.safetensors'.*refuses this: injected fault \(400\)",
    ),
    "an upload that fails": (
        {},
        {"match": "/lfs/", "method": "PUT", "kind": "status", "code": 500},
        r"Error while uploading 'model.safetensors'.*try again later \(500\)",
    ),
    "large files that the Hub does not take": (
        {},
        {"match": "/objects/batch", "kind": "status", "code": 413},
        r"refuses this: injected fault \(413\)",
    ),
    "nothing may be sent": ({"HF_HUB_OFFLINE": "1"}, None, "error: HF_HUB_OFFLINE is set: nothing can be published"),
    "a card that the Hub does not take": (
        {},
        {
            "match": "/validate-yaml",
            "kind": "status",
            "code": 400,
            "body": {"errors": [{"message": '"license" must be x'}]},
        },
        r'the Hub refuses this: Invalid metadata in README.md. - "license" must be x',
    ),
}


QUICK = (
    "nobody is logged in",
    "nothing may be sent",
    "a head that moved",
    "an upload that is not allowed",
    "a card that the Hub does not take",
)


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
