"""Messages of the package: a command prints them on standard error, and leaves logging as it was."""

import logging
import warnings

import pytest
from PIL import Image

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


def test_python_s_warnings_are_messages_of_one_line(typed, monkeypatch):
    def warn(registry):
        warnings.warn("of\ntwo \x1b[31mlines", UserWarning, stacklevel=1)
        return []

    monkeypatch.setattr("ganzoo.cli.listing.things", warn)
    before = warnings.showwarning
    assert typed("list", "--json")[2] == "UserWarning: of two  [31mlines\n"
    assert warnings.showwarning is before


def test_pillow_s_warnings_of_pictures_are_not_shown(command):
    Image.new("1", (9000, 11_500)).save(command.folder / "large.png")
    Image.new("L", (8, 8)).save(command.folder / "broken.jpg", exif=b"Exif\0\0II*\0\x08\0\0\0\xff\xff\x12\x01")
    look = "open_picture('large.png'), open_picture('broken.jpg').getexif()"
    assert command.python("-c", f"from PIL.Image import open as open_picture; {look}").stderr.count("Warning: ") == 2
    done = command.python("-c", f"from ganzoo.pictures.formats import open_picture; {look}")
    assert (done.returncode, done.stderr) == (0, "")


def test_logging_is_afterwards_as_before(typed, speaking, logger):
    before = list(logger.handlers), logger.level
    typed("list", "--json")
    typed("list", "nothing")
    assert (list(logger.handlers), logger.level) == before


def test_a_progress_bar_can_tell_the_handler(logger):
    with terminal.log_on_terminal():
        assert [handler.is_terminal for handler in logger.handlers if hasattr(handler, "is_terminal")] == [True]
