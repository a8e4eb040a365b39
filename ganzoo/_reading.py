"""The readers of JSON and TOML: whatever a stranger wrote becomes a table of plain values, or one sentence."""

import json
import re
import tomllib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ganzoo._io import is_utf8, read_bytes
from ganzoo._numbers import MAX_DIGITS, TOO_LARGE
from ganzoo.errors import BadInput

if TYPE_CHECKING:
    from tomlkit import TOMLDocument

MAX_BYTES = 2_000_000
"""The largest file that is read: longer ones would take seconds and are no configuration."""
MAX_DEPTH = 32
"""The most levels of tables and lists in each other."""
TOO_DEEP = f"its values are nested more than {MAX_DEPTH} levels deep"
TOO_MANY_DIGITS = f"an integer in it has more than {MAX_DIGITS} digits"
WORD = r"""(?:[\w-]++|"[^"\n]*+"|'[^'\n]*+')"""
LONG_KEY = re.compile(rf"(?<![\w-]){WORD}(?:[ \t]*+\.[ \t]*+{WORD}){{{MAX_DEPTH}}}")
"""A dotted key of too many words, for which tomllib needs minutes."""


def read_json(path: Path, limit: int = MAX_BYTES) -> dict[str, Any]:
    """Read a JSON file that holds a table. Raises `BadInput` that names it and says why it cannot be read."""
    return parse_json(read_bytes(path, limit), path)


def read_toml(path: Path) -> dict[str, Any]:
    """Read a TOML file. Raises `BadInput` that names it and says why it cannot be read, with the line."""
    return parse_toml(read_bytes(path, MAX_BYTES), path)


def read_document(path: Path) -> "TOMLDocument":
    """Read a TOML file with its comments and layout, to change and write it. Raises `BadInput` as `read_toml` does."""
    import tomlkit

    content = read_bytes(path, MAX_BYTES)
    parse_toml(content, path)
    return tomlkit.parse(content.decode("utf-8-sig"))


def parse_json(content: bytes, origin: object) -> dict[str, Any]:
    """Return the table that JSON text holds. Raises `BadInput` that begins with `origin`."""
    with one_sentence(origin, "JSON"):
        text = content.decode("utf-8-sig")
        table = JSON.decode(text)
        if not isinstance(table, dict):
            raise ValueError("it must be a table, in curly brackets")
        if text.count("[") + text.count("{") > MAX_DEPTH:
            check_values(table)
        if "\\u" in text:  # half of a character that needs two: it could not be written again
            json.dumps(table, ensure_ascii=False).encode()
        return table


def parse_toml(content: bytes, origin: object) -> dict[str, Any]:
    """Return the table that TOML text holds. Raises `BadInput` that begins with `origin`."""
    with one_sentence(origin, "TOML"):
        return loads_toml(content.decode("utf-8-sig"))


def loads_toml(text: str) -> dict[str, Any]:
    """Return the table that TOML text holds.

    Raises `tomllib.TOMLDecodeError` for what is not TOML, and any other `ValueError` for what is too deep or too large.
    """
    if LONG_KEY.search(text):
        raise ValueError(TOO_DEEP)
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        raise
    except RecursionError as error:
        raise ValueError(TOO_DEEP) from error
    except ValueError as error:  # Python converts no number of thousands of digits
        raise ValueError(TOO_MANY_DIGITS) from error
    check_values(table)
    return table


@contextmanager
def one_sentence(origin: object, language: str) -> Iterator[None]:
    """Turn every error of a parser inside into a `BadInput` that begins with `origin`."""
    try:
        yield
    except (UnicodeDecodeError, UnicodeEncodeError) as error:
        raise BadInput(f"{origin} is not valid {language}: it is not UTF-8 ({error.reason})") from error
    except RecursionError as error:
        raise BadInput(f"{origin} is not valid {language}: {TOO_DEEP}") from error
    except ValueError as error:
        raise BadInput(f"{origin} is not valid {language}: {error}") from error


def check_values(table: Mapping[str, Any]) -> None:
    """Raise `ValueError` where values are nested too deeply, such as one in itself, or no file could hold one."""
    level: list[Any] = [table]
    for _ in range(MAX_DEPTH + 1):
        # Once each: a table of Python may hold another many times.
        level = list({id(item): item for value in level for item in items(value)}.values())
        if any(isinstance(value, int) and abs(value) >= TOO_LARGE for value in level):
            raise ValueError(TOO_MANY_DIGITS)
        if odd := [value for value in level if isinstance(value, str) and not is_utf8(value)]:
            raise ValueError(f"{odd[0]!a} is not UTF-8")
        if not level:
            return
    raise ValueError(TOO_DEEP)


def items(value: Any) -> Sequence[Any]:
    """Return what a table, its keys included, or a list holds; nothing for other values."""
    if isinstance(value, Mapping):
        return [*value.keys(), *value.values()]
    return value if isinstance(value, list | tuple) else ()


def parse_integer(digits: str) -> int:
    """Return an integer of JSON. Raises `ValueError` for one with too many digits."""
    if len(digits) > MAX_DIGITS:
        raise ValueError(TOO_MANY_DIGITS)
    return int(digits)


def table_without_repetition(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return a table of JSON. Raises `ValueError` for a key that is there twice: one value would be lost silently."""
    table = dict(pairs)
    if len(table) < len(pairs):
        twice, _ = Counter(key for key, _ in pairs).most_common(1)[0]
        raise ValueError(f"the key '{twice}' is there twice")
    return table


JSON = json.JSONDecoder(object_pairs_hook=table_without_repetition, parse_int=parse_integer)
