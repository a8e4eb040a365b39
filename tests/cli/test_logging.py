"""Messages of the package: a command prints them on standard error, and leaves logging as it was."""

import logging

import pytest

from ganzoo.cli import terminal


@pytest.fixture
def logger():
    return logging.getLogger("ganzoo")


@pytest.fixture
def speaking(monkeypatch):
    """Listing logs one message of each level."""

    def speak(registry):
        inside = logging.getLogger("ganzoo.zoo.hub")
        inside.debug("not shown")
        inside.info("%s is %s", "hub:owner/dots", "at \x1b[31mabc")
        inside.warning("two\nlines")
        return []

    monkeypatch.setattr("ganzoo.cli.listing.things", speak)


def test_messages_go_to_standard_error_as_they_are(typed, speaking):
    code, out, err = typed("list", "--json")
    assert (code, out.strip()) == (0, "[]")
    assert err == "hub:owner/dots is at  [31mabc\ntwo lines\n"


def test_of_several_processes_the_others_only_warn(typed, speaking, monkeypatch):
    monkeypatch.setenv("TORCHELASTIC_RUN_ID", "none")
    monkeypatch.setenv("RANK", "1")
    assert typed("list", "--json")[2] == "two lines\n"


def test_logging_is_afterwards_as_before(typed, speaking, logger):
    before = list(logger.handlers), logger.level
    typed("list", "--json")
    typed("list", "nothing")
    assert (list(logger.handlers), logger.level) == before


def test_a_progress_bar_can_tell_the_handler(logger):
    with terminal.log_on_terminal():
        assert [handler.is_terminal for handler in logger.handlers if hasattr(handler, "is_terminal")] == [True]
