"""What there is to use, and what one thing is, as rows and text. Torch is imported only where a class is shown."""

from pathlib import Path
from typing import Any

import ganzoo
from ganzoo.datasets import NAMES, plain_names
from ganzoo.errors import BadInput, choices
from ganzoo.plugins import Provided, catalog
from ganzoo.registry import entries


def things() -> list[dict[str, str]]:
    """A row for each architecture, loss, recipe, data set and model."""
    provided = [
        row(thing.kind, thing.name, thing.distribution, thing.version, first_line(thing))
        for thing in catalog().provided
    ]
    data = [row("data", name, "ganzoo", ganzoo.__version__, text) for name, text in NAMES.items()]
    models = [
        row("model", name, "ganzoo", ganzoo.__version__, str(e.get("summary", ""))) for name, e in entries().items()
    ]
    return provided + data + models


def row(kind: str, name: str, distribution: str, version: str, summary: str) -> dict[str, str]:
    """One row of a listing."""
    return {"kind": kind, "name": name, "distribution": distribution, "version": version, "summary": summary}


def first_line(thing: Provided) -> str:
    """The sentence in the first line of a recipe file; other things say theirs in 'ganzoo info'."""
    if thing.kind != "recipe":
        return ""
    try:
        with Path(thing.targets["file"]).open(encoding="utf-8-sig", errors="replace") as file:
            line = file.readline().rstrip()
    except OSError as error:
        return f"(cannot be read: {error.strerror})"
    return line.lstrip("# ") if line.startswith("#") else ""


def describe(name: str) -> str:
    """All that is known of a name or folder, as text. Raises `BadInput` for an unknown one, with the nearest."""
    found = [thing for thing in catalog().provided if name in (thing.name, thing.full_name)]
    texts = [describe_provided(thing) for thing in found]
    texts += [f"data set '{name}': {text}" for key, text in NAMES.items() if is_data(name, key)]
    texts += [f"model '{name}':\n{entry}" for key, entry in entries().items() if key == name]
    if not texts and is_folder(name):
        texts = describe_folder(Path(name))
    if not texts:
        names = plain_names() + [thing["name"] for thing in things()]
        raise BadInput(f"nothing is called '{name}'; {choices(name, names)}")
    return "\n\n".join(texts)


def is_data(name: str, key: str) -> bool:
    """Whether a name is that key of `NAMES`, or one of several that the key stands for (`lsun:<category>`)."""
    return name == key or (name in plain_names() and name.partition(":")[0] == key.partition(":")[0])


def is_folder(name: str) -> bool:
    """Whether there is a folder of that name; what is too long for a name is none."""
    try:
        return Path(name).is_dir()
    except OSError:
        return False


def describe_provided(thing: Provided) -> str:
    """What a plugin's thing is: a recipe's content, or each class's docstring and options."""
    head = f"{thing.kind} '{thing.name}' from {thing.distribution} {thing.version}"
    if thing.kind == "recipe":
        return f"{head}\n{describe_recipe(Path(thing.targets['file']))}"
    from ganzoo.build import find

    return "\n\n".join([head, *(describe_class(p, find(thing.kind, thing.full_name, p).cls) for p in thing.targets)])


def describe_recipe(path: Path) -> str:
    """A recipe file and its content. Raises `BadInput` where it cannot be read or is not TOML."""
    from ganzoo.recipe import read_toml

    read_toml(path)
    return f"{path}\n\n{path.read_text(encoding='utf-8-sig').rstrip()}"


def describe_class(part: str, cls: type) -> str:
    """A class's docstring and its options with type and default. Raises `BadInput` where these are not to be had."""
    import inspect

    from ganzoo.build import option_schema

    fields = option_schema(cls).model_fields
    lines = [f"{part}: {cls.__module__}.{cls.__qualname__}", indented(inspect.cleandoc(vars(cls).get("__doc__") or ""))]
    lines += ["  options:" if fields else "  no options"]
    lines += [f"    {option} = {describe_default(field)}" for option, field in fields.items()]
    return "\n".join(lines)


def describe_default(field: Any) -> str:
    """An option's default and its type."""
    annotation = field.annotation
    kind = annotation.__name__ if isinstance(annotation, type) else str(annotation).replace("typing.", "")
    return f"{'(required)' if field.is_required() else repr(field.default)}   ({kind})"


def describe_folder(path: Path) -> list[str]:
    """What a run or model folder holds; of any other folder there is nothing to say."""
    import json

    from ganzoo.config import read_config
    from ganzoo.model import find_model

    try:
        folder = find_model(path)
    except (BadInput, OSError):
        return []
    return [f"model in {folder}\n{json.dumps(read_config(folder), indent=2)}"]


def indented(text: str) -> str:
    """Every line moved to the right."""
    return "\n".join(f"  {line}".rstrip() for line in text.splitlines())
