"""The pattern and order of names, names of distributions, errors on one line, and text that a terminal may show."""

import re
import unicodedata

NAME_PATTERN = re.compile(r"[a-z0-9]+([._-][a-z0-9]+)*")
"""A valid name: lower-case letters and digits, with single dots, underscores or hyphens between them."""
NAME_RULE = "use lower-case letters and digits, joined by . _ or -"
"""The pattern in words, for messages."""


def normalize_name(name: str) -> str:
    """Return a distribution's name as package indexes compare it (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name.strip()).lower()


def one_line(error: BaseException) -> str:
    """Return an error's type and text without line breaks."""
    return " ".join(f"{type(error).__name__}: {error}".split())


def printable(text: str, kept: str = "") -> str:
    """Replace control characters, on which a terminal acts, except those that are `kept`: text may come from anybody.

    Invisible characters and those that reverse the direction of writing go too.
    """
    return "".join(letter if letter.isprintable() or letter in kept else " " for letter in text)


def composed(name: str) -> str:
    """Return a name in the composed form of Unicode (NFC), in which "é" is one character; macOS may write it as two."""
    return unicodedata.normalize("NFC", name)


def natural_key(name: str) -> tuple[list[str | tuple[int, str]], str]:
    """Return a key that sorts names with numbers as people do: 1, 2, 10."""
    parts = re.split(r"([0-9]+)", name)
    return [by_size(part) if number % 2 else part for number, part in enumerate(parts)], name


def by_size(digits: str) -> tuple[int, str]:
    """Return a key that sorts whole numbers by their size, however many digits they have."""
    digits = digits.lstrip("0")
    return len(digits), digits
