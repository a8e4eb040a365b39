"""The facts of 'ganzoo info' as text."""

import json
import textwrap
from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any

from ganzoo.cli.facts import Facts, collect_facts
from ganzoo.cli.listing import headline
from ganzoo.zoo.scores import figures, format_protocol


def describe(name: str, width: int | None = None) -> str:
    """Describe everything of that name, as `collect_facts` finds it and `write_facts` writes it."""
    return write_facts(collect_facts(name), width)


def write_facts(found: Sequence[Facts], width: int | None = None) -> str:
    """Return the facts of several things as text; docstrings are wrapped to `width` characters, if it is given."""
    keys = [facts for facts in found if facts.get("kind") == "key"]
    texts = [write_one(facts, width) for facts in found if facts.get("kind") != "key"]
    return "\n\n".join([*texts, *map(write_key, keys)])


def write_one(facts: Mapping[str, Any], width: int | None) -> str:
    """Return the facts of one thing as text."""
    if "not_available" in facts:
        return f"not available: {facts['not_available']}"
    if facts["kind"] == "data":
        head = f"data set '{facts['name']}': {facts['summary'] or 'its plugin says no more'}"
        about = f"from {facts['distribution']} {facts['version']}"
        return "\n\n".join([f"{head}\n{about}", write_class("dataset", facts["parts"]["dataset"], width)])
    if facts["kind"] == "model":
        return write_model(facts)
    head = f"{facts['kind']} '{facts['name']}' from {facts['distribution']} {facts['version']}"
    if facts["kind"] == "recipe":
        return f"{head}\n{facts['file']}\n\n{facts['text']}"
    return "\n\n".join([head, *(write_class(part, about, width) for part, about in facts["parts"].items())])


def write_key(facts: Mapping[str, Any]) -> str:
    """Return a recipe's key as text: how it is set, and what it means."""
    default = "" if facts["default"] is None else f", by default {json.dumps(facts['default'])}"
    return f"key '{facts['name']}' of a recipe: {facts['type']}{default}\n  {facts['meaning']}"


def write_class(part: str, about: Mapping[str, Any], width: int | None) -> str:
    """Return a class's docstring and its options with default and type."""
    doc = reflow(about["doc"], width - 2) if width else about["doc"]
    lines = [f"{part}: {about['class']}", textwrap.indent(doc, "  ")]
    uses = {"needs": "needs", "takes": "may take"}
    lines += [f"  {words} {', '.join(about[use])}" for use, words in uses.items() if use in about]
    lines += ["  options:" if about["options"] else "  no options"]
    needed = "from the data, or required" if part in ("generator", "discriminator") else "required"
    return "\n".join([*lines, *(write_option(option, needed) for option in about["options"])])


def write_option(option: Mapping[str, Any], needed: str = "required") -> str:
    """Return an option's default, or that it is `needed`, and its type."""
    default = f"({needed})" if option["required"] else repr(option["default"])
    return f"    {option['name']} = {default}   ({option['type']})"


def write_model(facts: Mapping[str, Any]) -> str:
    """Return what a registry and a config say about a model."""
    config = [json.dumps(facts["config"], indent=2)] if "config" in facts else []
    inputs = input_lines(facts.get("config", {}))
    if "origin" not in facts:
        return "\n".join([f"model in {facts['folder']}", *inputs, *config])
    about = {key: facts[key] for key in ("summary", "architecture", "distribution", "data", "license", "source")}
    about |= {"scores": headline(facts["scores"]), "size": f"{facts['size']:,} bytes"}
    lines = [f"model '{facts['name']}' of {facts['origin']}"]
    lines += [f"  {key}: {value}" for key, value in about.items() if value]
    lines += [*inputs, *score_lines(facts["scores"])]
    lines += [f"  missing: {facts['missing']}"] if "missing" in facts else []
    away = [] if facts["here"] else [f"  not on this machine yet: ganzoo pull {facts['name']}"]
    return "\n".join([*lines, *away, *([""] if config else []), *config])


def input_lines(config: Mapping[str, Any]) -> list[str]:
    """Return a line for each input of a model, and one for the real inputs that come with it."""
    lines = [
        f"  {'needs' if about['needed'] else 'may take'} {key}"
        + (
            f": {about['kind']} {' x '.join(map(str, about['shape']))}".rstrip()
            if about.get("shape") is not None
            else ""
        )
        for key, about in config.get("inputs", {}).items()
    ]
    return lines + (
        [f"  {kept['count']:,} real inputs in {kept['file']}"] if (kept := config.get("kept_inputs")) else []
    )


def score_lines(scores: Mapping[str, Any]) -> list[str]:
    """Return a line for each score, beside that of real samples, and one for the protocol."""
    lines = [
        f"    {name}: " + ", ".join(f"{key} {value:.4g}" for key, value in figures(score).items())
        for name, score in scores.items()
        if isinstance(score, dict) and "generated" in score
    ]
    protocol = scores.get("protocol")
    return lines + ([f"    measured with {format_protocol(protocol)}"] if isinstance(protocol, dict) else [])


def is_prose(line: str) -> bool:
    """Return True for a line of a paragraph: neither empty nor indented, and no item of a list."""
    return bool(line) and not line[0].isspace() and not line.startswith(("- ", "* "))


def reflow(text: str, width: int) -> str:
    """Wrap the paragraphs of a text to a width; lists and indented lines stay as they are."""
    groups = groupby(text.splitlines(), key=is_prose)
    parts = [textwrap.wrap(" ".join(lines), width) if prose else list(lines) for prose, lines in groups]
    return "\n".join(line for part in parts for line in part)
