"""The conformance kit's checks of callbacks."""

import textwrap

import pytest

import ganzoo
from tinyplugin import failed, results

PLUGIN = """
    import ganzoo

    @ganzoo.hookimpl
    def register_callbacks(register):
        register("bell", "tiny_bell.callbacks:Bell")
"""
SOUND = """
    from typing import Literal

    import ganzoo

    class Bell(ganzoo.Callback):
        def __init__(self, tone: Literal["high", "low"] = "high", loud: bool = False):
            self.frequency = {"high": 440, "low": 220}[tone]
"""


def check(site, *changes):
    """The outcome of the checks of a callback, with some of its text replaced."""
    site.install("tiny-bell", PLUGIN)
    text = textwrap.dedent(SOUND)
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    (site.folder / "tiny_bell" / "callbacks.py").write_text(text)
    return results("callback", name="tiny-bell")


def test_a_sound_callback_passes(site):
    assert check(site) == {"bell-is-a-callback-class": ("ok", ""), "bell-builds-with-every-option": ("ok", "")}


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("(ganzoo.Callback)", "", "'tiny_bell.callbacks:Bell' is not a subclass of ganzoo.Callback"),
        (
            "class Bell(ganzoo.Callback)",
            "class Ball(ganzoo.Callback)",
            "cannot be loaded from 'tiny_bell.callbacks:Bell'",
        ),
    ],
)
def test_what_is_not_a_callback_fails(site, old, new, sentence):
    outcome = failed(check(site, (old, new)))
    assert set(outcome) == {"bell-is-a-callback-class", "bell-builds-with-every-option"}
    assert sentence in outcome["bell-is-a-callback-class"]


def test_an_option_with_which_it_cannot_be_built_is_named(site):
    outcome = failed(check(site, ('"low": 220', '"deep": 220')))
    assert list(outcome) == ["bell-builds-with-every-option"]
    assert outcome["bell-builds-with-every-option"].startswith(
        "with tone = 'low': callback 'bell' failed: KeyError: 'low'"
    )


def test_a_callback_with_a_required_option_is_not_built(site):
    outcome = check(site, ("loud: bool = False", "*, address: str"))
    reason = "it has options without a default (address), which no recipe gives: "
    advice = "give checks(..., options={'bell': {'address': ...}})"
    assert outcome["bell-builds-with-every-option"] == ("skipped", reason + advice)
    found = ganzoo.testing.checks_of("tiny-bell", options={"bell": {"address": "here"}})
    assert {check.result() for check in found if check.name == "bell"} == {("ok", "")}
