"""The model card shows what strangers wrote as it is: no link, no picture, no heading of theirs."""

import re

import pytest
from huggingface_hub import ModelCard
from markdown_it import MarkdownIt

import hubserver
from ganzoo._names import printable
from ganzoo.plugins.datasets import list_names
from ganzoo.zoo.publishing.card import HUB_DATA_SETS, escape, make_card

EVIL = "x](javascript:1)\n# Owned\n---\n<img src=x> ![a](b) `c` | d\x1b[2J"


def config(evil):
    return {
        "architecture": {"name": "dots", "distribution": "ganzoo-dots", "version": "1.0", "options": {evil: [evil]}},
        "latent": {evil: [4]},
        "data": {"name": evil, "kind": "image", "shape": [1, 4, 4], "classes": [evil, "b"]},
        "weights": {"file": "model.safetensors", "sha256": "0" * 64, "size": 1},
        "training": {evil: evil, "init": f"hub:{evil}"},
        "ganzoo": evil,
    }


def tags_of(evil):
    """The card's metadata, and the HTML tags of its page."""
    card = ModelCard(make_card("hub:me/it", "mit", config(evil), {evil: 1.0, "protocol": {evil: evil}}))
    page = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"]).render(card.text)
    return card.data, re.findall("<[^>]*>", page)


def test_what_strangers_wrote_is_shown_as_it_is():
    about, tags = tags_of(EVIL)
    assert tags == tags_of("word")[1]
    assert tags.count("<h1>") == 1
    assert about.base_model is None
    assert about.eval_results[0].dataset_name == printable(EVIL)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("mnist-10k", "mnist-10k"),
        ("latent_size (8,)", "latent_size (8,)"),
        ("__init__", r"\_\_init\_\_"),
        ("a|b\nc", r"a\|b c"),
        ("[a](b)<i>&amp;`c`", r"\[a\](b)\<i\>\&amp;\`c\`"),
        (3, "3"),
    ],
)
def test_marks_of_markdown_are_escaped(value, shown):
    assert escape(value) == shown


def card_of(data, distribution="ganzoo-dcgan", reference="hub:me/it", picture=True):
    about = {**config("x"), "data": {"kind": "image", "shape": [1, 4, 4], "classes": [], **data}}
    about["architecture"]["distribution"] = distribution
    return ModelCard(make_card(reference, "mit", about, {"fd": 1.0}, picture))


@pytest.mark.parametrize(
    ("data", "known", "text"),
    [
        ({"name": "mnist", "opened_as": "data set"}, "ylecun/mnist", 'the data set "mnist"'),
        ({"name": "mnist-10k"}, "ylecun/mnist", 'the data set "mnist-10k"'),
        ({"name": "fashion-mnist"}, "zalando-datasets/fashion_mnist", "fashion-mnist"),
        ({"name": "cifar10"}, "uoft-cs/cifar10", "cifar10"),
        ({"name": "celeba"}, None, 'the data set "celeba"'),
        ({"name": "ring8"}, None, 'the data set "ring8"'),
        ({"name": "mnist", "opened_as": "folder"}, None, 'the folder of images "mnist"'),
        ({"name": "batches", "opened_as": "batches"}, None, "data that a program gave it"),
        ({"name": "me/private"}, None, 'the data set "me/private"'),
        ({}, None, 'the data set "unknown"'),
    ],
)
def test_only_data_sets_that_the_hub_has_stand_in_the_metadata(data, known, text):
    card = card_of(data)
    assert card.data.datasets == ([known] if known else None)
    assert text in card.text
    kind = "imagefolder" if data.get("opened_as") == "folder" else data.get("name", "unknown")
    assert card.data.eval_results[0].dataset_type == known or kind


def test_every_data_set_of_the_metadata_is_known_by_name():
    assert set(HUB_DATA_SETS) <= set(list_names())
    assert set(HUB_DATA_SETS.values()) == set(hubserver.DATA_SETS)


def test_the_card_says_how_to_install_what_the_model_needs():
    ours, theirs = card_of({}).text, card_of({}, "ganzoo-theirs").text
    assert "brings the plugin `ganzoo-dcgan`" in ours and "ganzoo install" not in ours
    assert "ganzoo install ganzoo-theirs    # if you trust its authors" in theirs
    for text in (ours, theirs):
        assert "\npip install .    # in a checkout of ganzoo\n" in text
        assert "pip install ganzoo" not in text  # that name on the index is not ours


def test_the_thumbnail_is_the_picture_in_the_repository():
    assert card_of({}).data.thumbnail.endswith("/me/it/resolve/main/samples.png")
    assert "thumbnail" not in card_of({}, reference="it").data
    without = card_of({}, picture=False)
    assert "samples.png" not in without.content


@pytest.mark.parametrize(
    ("values", "asked"),
    [
        ({"hair": ["long", "short"], "eyes": ["round"], "mood": ["glad"]}, "--set hair=short,eyes=round"),
        ({"hair": ["$(rm x)"], "eyes": ["a b"], "-n": ["3"], "mood": ["glad"]}, "--set mood=glad"),
        ({"hair": [EVIL], EVIL: ["round"]}, None),
        ({"options": ["few", "many"]}, "--set options=many"),  # a label that is called like a row of the card
    ],
)
def test_the_card_says_what_can_be_asked_for(values, asked):
    about = config("x") | {"latent": {"z": [4], **{key: [] for key in values}}}
    specs = {key: {"kind": "label", "classes": classes} for key, classes in values.items()}
    about["data"] |= {"classes": [], "specs": {"z": {"classes": []}, **specs}}
    text = make_card("me", "mit", about, {})
    for key, classes in values.items():
        assert f"| {escape(key)} | {escape(', '.join(classes))} |" in text
    assert (f"\nganzoo sample me {asked}\n" if asked else "") in text
    assert ("--set" in text) == bool(asked)
    assert f"| options | x {escape(['x'])} |" in text
