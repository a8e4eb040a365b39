"""Scores of generated samples beside those of real ones, with the protocol of the measurement."""

import math
import reprlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ganzoo._io import check_writable, exists, write_json
from ganzoo._reading import read_json
from ganzoo.errors import BadInput

if TYPE_CHECKING:
    from PIL.Image import Image

SCORES_FILE = "scores.json"
COLUMNS = ("generated", "real", "ratio")
MAX_METRICS, MAX_NAME = 100, 100
"""The most metrics in a file, and characters in the name of one: a page has a row for each."""


@dataclass
class Scores:
    """Metrics by name, each as {"generated": .., "real": .., "ratio": ..}, and the `protocol` of the measurement.

    A number that could not be computed is None, and "why" gives the reason.
    """

    metrics: dict[str, dict[str, Any]]
    protocol: dict[str, Any]
    labels: dict[str, str] = field(default_factory=dict)
    """The names of metrics in tables."""
    pictures: dict[str, "Image"] = field(default_factory=dict)
    """What suites show of what they measured, by the name of the suite; not saved with the scores."""

    def __getitem__(self, name: str) -> dict[str, Any]:
        return self.metrics[name]

    @property
    def plain(self) -> dict[str, Any]:
        """The content of `scores.json`."""
        return {**self.metrics, "protocol": self.protocol}

    def rows(self) -> list[dict[str, str]]:
        """Return a row of a table for each metric."""
        return [
            {"name": self.labels.get(name, name)}
            | {key: format_number(score[key]) for key in COLUMNS}
            | {"note": score.get("why", "")}
            for name, score in self.metrics.items()
        ]

    def conditions(self) -> str:
        """Return the protocol in one line."""
        return format_protocol(self.protocol)

    def save(self, path: Path) -> None:
        """Write the scores as JSON; scores of other metrics stay in the file if their protocol is the same."""
        before = read_scores(path) if exists(path) else {}
        protocol = before.pop("protocol", None)
        same = isinstance(protocol, dict) and all(
            # Only a suite that has not measured yet may be missing.
            protocol.get(key, value if isinstance(value, dict) else None) == value
            for key, value in self.protocol.items()
        )
        write_json(path, before | self.metrics | {"protocol": protocol | self.protocol} if same else self.plain)


def score(generated: Any, real: float | None) -> dict[str, Any]:
    """Return one metric's entry; `generated` is a number, or the reason why there is none."""
    if isinstance(generated, str) or not math.isfinite(generated):
        why = generated if isinstance(generated, str) else "it is not a finite number"
        return {"generated": None, "real": real, "ratio": None, "why": why}
    ratio = generated / real if real is not None and real > 0 else None
    return {"generated": generated, "real": real, "ratio": ratio}


def read_scores(path: Path) -> dict[str, Any]:
    """Read a file of scores, which anybody may have written. Raises `BadInput` where it is not valid."""
    scores = read_json(path)
    if len(scores) > MAX_METRICS or any(len(name) > MAX_NAME for name in scores):
        limits = f"up to {MAX_METRICS} metrics with names of up to {MAX_NAME} characters are read"
        raise BadInput(f"{path} is not a file of scores: {limits}")
    for name, value in scores.items():
        if not (is_protocol(value) if name == "protocol" else is_score(value)):
            raise BadInput(f"{path} is not a file of scores: '{name}' is {reprlib.repr(value)}")
    return scores


def check_scores_file(path: Path) -> None:
    """Raise `BadInput` where scores cannot be written, or the file exists and does not hold scores."""
    check_writable(path)
    if exists(path):
        read_scores(path)


def is_score(value: Any) -> bool:
    """Say whether a value is a number, or a table with the numbers of generated and real samples."""
    if not isinstance(value, dict):
        return is_figure(value)
    numbers = [value.get(key) for key in COLUMNS]
    return "generated" in value and all(number is None or is_figure(number) for number in numbers)


def is_protocol(value: Any) -> bool:
    """Say whether a registry can hold a value: text, a number, or a table or list of them."""
    if isinstance(value, dict | list):
        return all(map(is_protocol, value.values() if isinstance(value, dict) else value))
    return isinstance(value, str | bool) or is_figure(value)


def format_number(value: float | None) -> str:
    """Return a number with four digits, or a dash for None."""
    return "-" if value is None else f"{value:.4g}"


MAX_SCORE = 1e300
"""Scores lie far below. An integer beyond the largest float could not be formatted."""


def figures(scores: Mapping[str, Any]) -> dict[str, int | float]:
    """Return the number of each metric, that of generated samples, without what is not a number."""
    found: dict[str, Any] = {
        name: value.get("generated") if isinstance(value, dict) else value for name, value in scores.items()
    }
    return {name: value for name, value in found.items() if is_figure(value)}


def is_figure(value: Any) -> bool:
    """Say whether a value is a finite number; a file of scores may hold anything."""
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < MAX_SCORE


def format_protocol(protocol: Mapping[str, Any]) -> str:
    """Return a protocol in one line, with short hashes."""
    parts = []
    for key, value in protocol.items():
        if isinstance(value, Mapping):
            parts.append(f"{key} ({format_protocol(value)})")
            continue
        text = value[:12] if isinstance(value, str) and len(value) == 64 else value
        parts.append(f"{key.replace('_', ' ')} {text}")
    return ", ".join(parts)
