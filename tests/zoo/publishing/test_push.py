"""`push_to_hub` and `from_pretrained`, the names that users of the Hub know, with the genuine client."""

import pytest
from huggingface_hub import CommitOperationAdd, ModelCard

from repositories import make_model

PUSH = """
import sys, ganzoo

run = ganzoo.Run.open(sys.argv[1])
reference = run.push_to_hub("owner/digits", "mit", tag="v1")
print(reference)
model = ganzoo.Model.from_pretrained(reference, "cpu")
assert model.sample(2).equal(run.sample(2))
print(run.model.push_to_hub("owner/digits", "mit"))
print(ganzoo.load(sys.argv[2], "cpu").push_to_hub("owner/dots"))
"""


def test_a_run_and_a_model_are_pushed_and_come_back(zoo, hub, owner, run, tmp_path):
    dots = make_model(tmp_path / "dots", 8)
    done = zoo.python("-c", PUSH, run.path, dots)
    assert done.returncode == 0, done.stderr
    first, again, other = done.stdout.split()
    head = owner.model_info("owner/digits", revision="v1").sha
    assert first == again == f"hub:owner/digits@{head}"
    assert other == f"hub:owner/dots@{owner.model_info('owner/dots').sha}"
    assert "no license given, such as mit or cc-by-4.0; using 'other'" in done.stderr
    card = ModelCard.load(owner.hf_hub_download("owner/digits", "README.md", cache_dir=tmp_path))
    assert (card.data.license, card.data.datasets) == ("mit", ["ylecun/mnist"])
    assert card.data.thumbnail == f"{hub.url}/owner/digits/resolve/main/samples.png"
    answers = [one for one in hub.log if one["path"] == "/api/validate-yaml"]
    assert {one["status"] for one in answers} == {200}


REFUSED = """
import shutil, sys, ganzoo

ours, one, other = ganzoo.load("dcgan-mnist", "cpu"), sys.argv[1], sys.argv[2]
model = ganzoo.load(one, "cpu")
shutil.rmtree(one), shutil.copytree(other, one)
for push in (
    lambda: ours.push_to_hub("owner/dots"),
    lambda: ganzoo.Run("nothing").push_to_hub("owner/dots"),
    lambda: ganzoo.Model.from_pretrained("owner/dots"),
    lambda: ganzoo.Model(ours.generator, ours.config, "cpu").push_to_hub("owner/dots"),
    lambda: model.push_to_hub("owner/dots"),
    lambda: ganzoo.Run(other).push_to_hub(None),
):
    try:
        push()
    except ganzoo.BadInput as error:
        print(error)
"""


def test_what_cannot_be_pushed_sends_nothing(zoo, hub, tmp_path):
    done = zoo.python("-c", REFUSED, make_model(tmp_path / "one", 8), make_model(tmp_path / "other", 9))
    sentences = [
        "'dcgan-mnist' comes with ",
        "there is no run or model 'nothing'",
        "write hub:owner/dots for a repository on the Hub",
        "this model was not loaded from anywhere",
        "has other weights by now; load it again",
        "'None' is not owner/name",
    ]
    for said, sentence in zip(done.stdout.splitlines(), sentences, strict=True):
        assert sentence in said
    assert hub.log == []


def test_a_data_set_that_the_hub_does_not_have_would_be_refused(owner):
    owner.create_repo("owner/dots")
    card = b"---\nlicense: mit\ndatasets:\n- dots\n---\n"
    with pytest.raises(ValueError, match=r"\"datasets\[0\]\" with value \"dots\" is not valid"):
        owner.create_commit("owner/dots", [CommitOperationAdd("README.md", card)], commit_message="a card")
