"""Names of things and of distributions, and errors in a line."""

import re

NAME = re.compile(r"[a-z0-9]+([._-][a-z0-9]+)*")


def normalize_name(name: str) -> str:
    """A distribution's name as the package index compares it."""
    return re.sub(r"[-_.]+", "-", name.strip()).lower()


def one_line(error: BaseException) -> str:
    """An error's type and text without line breaks."""
    return " ".join(f"{type(error).__name__}: {error}".split())
