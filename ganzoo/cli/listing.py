"""The rows of 'ganzoo list', as plain values. No torch here."""

from pathlib import Path
from typing import Any

from ganzoo.plugins.catalog import catalog
from ganzoo.plugins.entries import Entry
from ganzoo.plugins.registration import ON_REQUEST, Registration
from ganzoo.zoo.registry import Registry
from ganzoo.zoo.scores import figures, is_figure

RATIOS = ("fd", "fid")
"""Metrics that mean something only relative to real samples."""
HEADLINE = ("classifier-score", "coverage", "label-accuracy", "cas", "modes", "high-quality", "reverse-kl")
"""Further metrics in the one line of a model."""

Row = dict[str, Any]


def things(registry: Registry) -> list[Row]:
    """Return a row for each architecture, loss, callback, recipe, data set and model."""
    provided = [
        row(thing.kind, shown_name(thing), thing.distribution, thing.version, first_line(thing))
        for thing in catalog().provided
        if thing.kind not in ("model", *ON_REQUEST)
    ]
    pretrained = [row("model", entry.name, entry.origin, "", entry.summary) for entry in registry.entries]
    return provided + pretrained


def models(registry: Registry) -> list[Row]:
    """Return a row for each registered model: what it is, how good, its size in bytes, and whether it is here."""
    return [
        {
            "kind": "model",
            "name": entry.name,
            "registry": entry.origin,
            "architecture": entry.architecture,
            "data": entry.data,
            "size": entry.size,
            "scores": {name: score for name, score in entry.scores.items() if name != "protocol"},
            "source": entry.source,
            "here": is_here(entry),
            "license": entry.license,
            "summary": entry.summary,
        }
        for entry in registry.entries
    ]


def on_request(kind: str) -> list[Row]:
    """Return a row for each thing of a kind that is listed on request, such as the kinds of samples themselves."""
    return [
        row(kind, shown_name(thing), thing.distribution, thing.version, thing.about["about"]) | measures(thing)
        for thing in catalog().provided
        if thing.kind == kind
    ]


def measures(thing: Registration) -> dict[str, str]:
    """Return what a suite of metrics measures: data sets by name, or a kind of samples; nothing for other things."""
    about = thing.about
    return {"measures": ", ".join(about["data"]) or f"any {about['kind']}"} if thing.kind == "metrics" else {}


def keys() -> list[Row]:
    """Return a row for each key of a recipe."""
    from ganzoo.recipe.keys import list_keys

    return [
        {"kind": "key", "name": key.path, "type": key.type, "default": key.default, "meaning": key.meaning}
        for key in list_keys()
    ]


def headline(scores: dict[str, Any]) -> str:
    """Return the most important scores in one line; of a distance, its ratio to that of real samples."""
    tables = {name: score for name, score in scores.items() if isinstance(score, dict)}
    ratios = {f"{name} ratio": tables[name].get("ratio") for name in RATIOS if name in tables}
    rest = {name: value for name, value in figures(scores).items() if name not in tables or name in HEADLINE}
    shown = {name: value for name, value in (ratios | rest).items() if is_figure(value)}
    return ", ".join(f"{name.replace('-', ' ')} {value:.3g}" for name, value in shown.items())


def is_here(entry: Entry) -> bool:
    """Say whether every file of a model is on this machine."""
    if entry.folder:
        return all((entry.folder / file).is_file() for file in entry.files)
    from ganzoo.zoo.hub.cache import is_cached

    return all(is_cached(entry.repository, file, entry.commit) for file in entry.files)


def row(kind: str, name: str, distribution: str, version: str, summary: str) -> Row:
    """Return one row of a listing."""
    return {"kind": kind, "name": name, "distribution": distribution, "version": version, "summary": summary}


def shown_name(thing: Registration) -> str:
    """Return the name as users write it, with what stands for the part behind a colon."""
    part = thing.about["part"] if thing.kind == "data" else ""
    return f"{thing.name}:<{part}>" if part else thing.name


def first_line(thing: Registration) -> str:
    """Return what a data set is, the comment in the first line of a recipe file; nothing for other kinds."""
    if thing.kind == "data":
        return str(thing.about.get("about", ""))
    if thing.kind != "recipe":
        return ""
    try:
        with Path(thing.targets["file"]).open(encoding="utf-8-sig", errors="replace") as file:
            line = file.readline().rstrip()
    except OSError as error:
        return f"(cannot be read: {error.strerror})"
    return line.lstrip("# ") if line.startswith("#") else ""
