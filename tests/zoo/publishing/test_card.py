"""The model card shows what strangers wrote as it is: no link, no picture, no heading of theirs."""

import re

import pytest
from huggingface_hub import ModelCard
from markdown_it import MarkdownIt

from ganzoo._names import printable
from ganzoo.zoo.publishing.card import escape, make_card

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
