"""Which model is meant: a registered name, `hub:owner/name[@revision]`, or a folder. No torch here."""

import re
from dataclasses import dataclass
from pathlib import Path

from ganzoo._io import exists, expand_user
from ganzoo.errors import BadInput, suggest
from ganzoo.plugins.entries import Entry
from ganzoo.zoo import registry

HUB = re.compile(r"(?P<repository>[\w-][\w.-]*/[\w-][\w.-]*)(@(?P<revision>[\w-][\w./-]*))?")


@dataclass(frozen=True)
class OnHub:
    """A repository on the Hub, at a branch, tag or commit."""

    repository: str
    revision: str | None = None


def parse(source: str | Path) -> Entry | OnHub | Path:
    """What a reference means. A name goes before a folder of the same name, which is reached as "./name".

    Raises `BadInput` where it could mean two things or nothing.
    """
    text, path = str(source), expand_user(Path(source))
    spelt_as_path = isinstance(source, Path) or text.startswith((".", "~", "/")) or path.is_absolute()
    if not spelt_as_path and text.startswith("hub:"):
        return on_hub(text)
    if not spelt_as_path and "/" not in text and (entry := registry.find(text)):
        return entry
    if exists(path):
        return path
    if not spelt_as_path and HUB.fullmatch(text):
        both = f"a repository on the Hub is said as hub:{text}, a folder as ./{text}"
        raise BadInput(f"there is no run or model '{text}' here; {both}")
    if spelt_as_path or "/" in text:
        raise BadInput(f"there is no run or model '{text}'")
    names = [entry.name for entry in registry.entries()]
    raise BadInput(f"there is no registered model, run or folder '{text}'; {suggest(text, names)}")


def on_hub(text: str) -> OnHub:
    """The repository that `hub:owner/name[@revision]` names."""
    found = HUB.fullmatch(text.removeprefix("hub:"))
    if not found:
        raise BadInput(f"'{text}' is not hub:owner/name or hub:owner/name@revision")
    return OnHub(found["repository"], found["revision"])


def model_folder(path: Path) -> Path:
    """The model folder that a path names: itself, or the one in a run. Raises `BadInput` where there is none."""
    for folder in (path, path / "model"):
        if exists(folder / "config.json"):
            return folder
    raise BadInput(f"'{path}' is neither a run with a saved model nor a model folder: it has no config.json")
