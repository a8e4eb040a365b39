"""Mutated files: what accidents and strangers make of a sound one. Each is decided by its random generator alone."""

import json
import pickle
import re
import zlib
from collections.abc import Callable
from pathlib import Path
from random import Random

NUMBERS = [
    "0",
    "-1",
    "1e999",
    "-0.5",
    "9" * 30,
    "9" * 6000,
    "2000000000",
    "nan",
    "NaN",
    "1_0",
    "0xfff",
    "1e-400",
]
TEXTS = [
    "",
    "a" * 5000,
    "../../../etc/passwd",
    "/dev/zero",
    "hub:a/b@" + "0" * 40,
    "http://127.0.0.1:1/x",
    "os:system",
    "\\u001b[2J",
    "\\u0000",
    "\\ud800",
    "~nobody/x",
    "漢" * 300,
    "__class__",
    "{0.__init__}",
    "%s%n",
    "ganzoo-dcgan:dcgan",
]
VALUES = ["null", "true", "[]", "{}", "[" * 3000 + "]" * 3000, '{"a":' * 900 + "1" + "}" * 900, '{"name": 3}', "[[1]]"]


class Canary:
    """Unpickled, it leaves a trace: code of the file was run."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Callable[..., object], tuple[object, ...]]:
        return (Path.touch, (self.path,))


def mutate(content: bytes, rng: Random, canary: Path) -> bytes:
    """Return a mutated copy of a file's content."""
    if rng.random() < 0.04:
        return replace_all(rng, canary)
    text = is_text(content)
    for _ in range(rng.choice([1, 1, 1, 2, 3, 8])):
        kinds = [change_number, change_text, change_value, repeat_line, drop_word] if text else []
        content = rng.choice([flip, cut, drop, insert, repeat, fill, *kinds, *kinds])(content, rng)
    return content


def is_text(content: bytes) -> bool:
    """Say whether a content is text."""
    try:
        return "\0" not in content.decode()
    except UnicodeDecodeError:
        return False


def replace_all(rng: Random, canary: Path) -> bytes:
    """Return a whole other content."""
    others = [
        b"",
        b"\0" * 5000,
        pickle.dumps(Canary(canary)),
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n(canary) (w) file closefile\n",
        zlib.compress(b"\0" * 10**7),
        b"\xef\xbb\xbf{}",
        "{}".encode("utf-16"),
        json.dumps({"__proto__": [[]] * 1000}).encode(),
        b"[" * 200_000,
        rng.randbytes(3000),
        b"P6 99999 99999 255\n",
        b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n",
    ]
    return rng.choice(others)


def place(content: bytes, rng: Random) -> tuple[int, int]:
    """Return the start and end of a short part; headers are hit more often than what follows."""
    most = min(len(content), rng.choice([64, 1024, len(content)]))
    start = rng.randrange(most + 1)
    return start, min(len(content), start + rng.choice([1, 1, 2, 4, 8, 64]))


def flip(content: bytes, rng: Random) -> bytes:
    """Change one byte."""
    start, _ = place(content, rng)
    return content[:start] + bytes([rng.randrange(256)]) + content[start + 1 :]


def cut(content: bytes, rng: Random) -> bytes:
    """Lose the end."""
    return content[: place(content, rng)[0]]


def drop(content: bytes, rng: Random) -> bytes:
    """Lose a part."""
    start, end = place(content, rng)
    return content[:start] + content[end:]


def insert(content: bytes, rng: Random) -> bytes:
    """Add bytes."""
    start, _ = place(content, rng)
    return content[:start] + rng.randbytes(rng.choice([1, 4, 100])) + content[start:]


def repeat(content: bytes, rng: Random) -> bytes:
    """Add a part once more, or a thousand times."""
    start, end = place(content, rng)
    return content[:end] + content[start:end] * rng.choice([1, 3, 1000]) + content[end:]


def fill(content: bytes, rng: Random) -> bytes:
    """Set a part to 0 or 255, as lengths in headers."""
    start, end = place(content, rng)
    return content[:start] + rng.choice([b"\0", b"\xff", b"\x7f"]) * (end - start) + content[end:]


def exchange(pattern: str, content: bytes, rng: Random, others: list[str]) -> bytes:
    """Put another text in the place of one that a pattern finds."""
    text = content.decode(errors="surrogateescape")
    found = list(re.finditer(pattern, text))
    if not found:
        return content
    one = rng.choice(found)
    return (text[: one.start()] + rng.choice(others) + text[one.end() :]).encode(errors="surrogateescape")


def change_number(content: bytes, rng: Random) -> bytes:
    """Put another number in the place of one."""
    return exchange(r"(?<![\w.])-?\d[\d.e+-]*(?!\w)", content, rng, NUMBERS + VALUES)


def change_text(content: bytes, rng: Random) -> bytes:
    """Put another text in the place of one in quotes."""
    return exchange(r'"[^"\n]*"', content, rng, [f'"{text}"' for text in TEXTS] + VALUES + NUMBERS)


def change_value(content: bytes, rng: Random) -> bytes:
    """Put a value of another type in the place of a table, a list or a word."""
    return exchange(r"\[[^\[\]]*\]|\{[^{}]*\}|\b(true|false|null)\b", content, rng, VALUES + NUMBERS)


def drop_word(content: bytes, rng: Random) -> bytes:
    """Lose or rename a key."""
    return exchange(
        r'"?[\w.-]+"?(?=\s*[:=])', content, rng, ['""', "name", '"name"', "x", "", "a.b.c", '"format"', "__init__"]
    )


def repeat_line(content: bytes, rng: Random) -> bytes:
    """Add a line of it somewhere else."""
    lines = content.split(b"\n")
    lines.insert(rng.randrange(len(lines) + 1), rng.choice(lines))
    return b"\n".join(lines)
