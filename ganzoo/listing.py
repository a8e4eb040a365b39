"""What there is to use, and what one thing is, as rows and text. Torch is imported only where a class is shown."""

from pathlib import Path
from typing import Any

import ganzoo
from ganzoo.datasets import NAMES
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
    line = Path(thing.targets["file"]).read_text(encoding="utf-8").partition("\n")[0]
    return line.lstrip("# ") if line.startswith("#") else ""


def describe(name: str) -> str:
    """All that is known of a name or folder, as text. Raises `BadInput` for an unknown one, with the nearest."""
    if Path(name).is_dir():
        return describe_folder(Path(name))
    found = [thing for thing in catalog().provided if name in (thing.name, thing.full_name)]
    texts = [describe_provided(thing) for thing in found]
    texts += [f"data set '{name}': {text}" for key, text in NAMES.items() if key == name]
    texts += [f"model '{name}':\n{entry}" for key, entry in entries().items() if key == name]
    if not texts:
        raise BadInput(f"nothing is called '{name}'; {choices(name, (thing['name'] for thing in things()))}")
    return "\n\n".join(texts)


def describe_provided(thing: Provided) -> str:
    """What a plugin's thing is: a recipe's content, or each class's docstring and options."""
    head = f"{thing.kind} '{thing.name}' from {thing.distribution} {thing.version}"
    if thing.kind == "recipe":
        path = Path(thing.targets["file"])
        return f"{head}\n{path}\n\n{path.read_text(encoding='utf-8').rstrip()}"
    return "\n\n".join([head, *(describe_class(part, thing.resolve(part)) for part in thing.targets)])


def describe_class(part: str, cls: type) -> str:
    """A class's docstring and its options with type and default."""
    import inspect

    from ganzoo.build import option_schema

    lines = [f"{part}: {cls.__module__}.{cls.__qualname__}", indented(inspect.getdoc(cls) or "")]
    fields = option_schema(cls).model_fields
    lines += ["  options:" if fields else "  no options"]
    lines += [f"    {name} = {describe_default(field)}" for name, field in fields.items()]
    return "\n".join(lines)


def describe_default(field: Any) -> str:
    """An option's default and its type."""
    annotation = field.annotation
    kind = annotation.__name__ if isinstance(annotation, type) else str(annotation).replace("typing.", "")
    return f"{'(required)' if field.is_required() else repr(field.default)}   ({kind})"


def describe_folder(path: Path) -> str:
    """What a run or model folder holds."""
    import json

    from ganzoo.model import find_model, read_config

    return f"model in {find_model(path)}\n{json.dumps(read_config(find_model(path)), indent=2)}"


def indented(text: str) -> str:
    """Every line moved to the right."""
    return "\n".join(f"  {line}".rstrip() for line in text.splitlines())
