"""Writing an entry of a `registry.toml`; reading one is in `ganzoo.plugins.entries`."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import tomlkit

from ganzoo._io import exists, locked, sha256, write_bytes, write_errors
from ganzoo._reading import parse_json, read_document
from ganzoo.errors import BadInput
from ganzoo.plugins.entries import MODEL_FILES
from ganzoo.zoo.registry import Registry, user_file
from ganzoo.zoo.scores import SCORES_FILE, figures


def entry_table(source: str, files: Mapping[str, bytes], license_id: str) -> dict[str, Any]:
    """Return what a registry says about a model, from the content of its files."""
    config = parse_json(files["config.json"], "config.json")
    scores = parse_json(files.get(SCORES_FILE, b"{}"), SCORES_FILE)
    # The card alone shows samples that are files of their own.
    pinned = {name: content for name, content in files.items() if name in MODEL_FILES}
    return {
        "source": source,
        "architecture": config["architecture"]["name"],
        "distribution": config["architecture"]["distribution"],
        "data": config["data"].get("name", "unknown"),
        "license": license_id,
        **({"scores": score_tables(scores)} if scores else {}),
        "files": {name: {"sha256": sha256(content), "size": len(content)} for name, content in pinned.items()},
    }


def score_tables(scores: Mapping[str, Any]) -> dict[str, Any]:
    """Return scores as a registry holds them: a line for each metric, with the numbers that could be computed."""
    found = {}
    for name, value in scores.items():
        if isinstance(value, dict) and "generated" in value:
            line = tomlkit.inline_table()
            line.update({key: float(f"{number:.6g}") for key, number in figures(value).items()})
            found[name] = line
        else:
            found[name] = value
    return found


def check_name_free(name: str, repository: str) -> None:
    """Raise `BadInput` where a registry has another model of that name, or the user's registry cannot be read."""
    registry = Registry()
    for entry in registry.entries:
        if entry.name == name and (entry.folder or entry.repository != repository):
            there = f"the registry of {entry.origin} has a model '{name}' already, from {entry.source}"
            raise BadInput(f"{there}; leave out --register, or give one of them another name")
    if fault := registry.faults.get("user") or registry.faults.get(f"user:{name}"):
        raise fault


def add_entry(text: str) -> Path:
    """Add an entry to the user's registry, whose other content stays as it is; return the registry's path.

    Raises `BadInput` where a registry has another model of that name.
    """
    path, added = user_file().resolve(), tomlkit.parse(text)  # resolved, so that a link stays one
    with write_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
    with locked(path):
        for name, table in added.items():  # another process may have taken the name since the command began
            check_name_free(name, table["source"].removeprefix("hub:").partition("@")[0])
        document = read_document(path) if exists(path) else tomlkit.document()
        document.update(added)
        write_bytes(path, tomlkit.dumps(document).encode())
    return path
