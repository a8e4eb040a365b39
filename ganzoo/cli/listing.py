"""Rows for 'ganzoo list' and text for 'ganzoo info'. Torch is imported only to describe a class."""

from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ganzoo._reading import read_toml
from ganzoo._version import __version__
from ganzoo.data.named import DATA_SETS, list_names
from ganzoo.errors import BadInput, suggest
from ganzoo.plugins.catalog import catalog
from ganzoo.plugins.entries import Entry
from ganzoo.plugins.registration import Registration
from ganzoo.zoo.registry import Registry
from ganzoo.zoo.scores import figures, format_protocol, is_figure

if TYPE_CHECKING:
    from ganzoo.zoo.local import LocalModel

RATIOS = ("fd", "fid")
"""Metrics that mean something only relative to real samples."""
HEADLINE = ("classifier-score", "coverage", "label-accuracy", "cas", "modes", "high-quality", "reverse-kl")
"""Further metrics in the one line of a model."""


def things(registry: Registry) -> list[dict[str, str]]:
    """Return a row for each architecture, loss, callback, recipe, data set and model."""
    provided = [
        row(thing.kind, thing.name, thing.distribution, thing.version, first_line(thing))
        for thing in catalog().provided
        if thing.kind != "model"
    ]
    data = [row("data", name, "ganzoo", __version__, text) for name, text in DATA_SETS.items()]
    pretrained = [row("model", entry.name, entry.origin, "", entry.summary) for entry in registry.entries]
    return provided + data + pretrained


def models(registry: Registry) -> list[dict[str, str]]:
    """Return a row for each registered model: what it is, how good, how large, and whether it is on this machine."""
    return [
        {
            "kind": "model",
            "name": entry.name,
            "registry": entry.origin,
            "architecture": entry.architecture,
            "data": entry.data,
            "size": f"{entry.size / 1e6:.1f} MB",
            "scores": headline(entry.scores),
            "source": entry.source,
            "here": "yes" if is_here(entry) else "no",
        }
        for entry in registry.entries
    ]


def headline(scores: dict[str, Any]) -> str:
    """Return the most important scores in one line; of a distance, its ratio to that of real samples."""
    tables = {name: score for name, score in scores.items() if isinstance(score, dict)}
    ratios = {f"{name} ratio": tables[name].get("ratio") for name in RATIOS if name in tables}
    rest = {name: value for name, value in figures(scores).items() if name not in tables or name in HEADLINE}
    shown = {name: value for name, value in (ratios | rest).items() if is_figure(value)}
    return ", ".join(f"{name.replace('-', ' ')} {value:.3g}" for name, value in shown.items())


def score_lines(scores: dict[str, Any]) -> list[str]:
    """Return a line for each score, beside that of real samples, and one for the protocol."""
    lines = [
        f"    {name}: " + ", ".join(f"{key} {value:.4g}" for key, value in figures(score).items())
        for name, score in scores.items()
        if isinstance(score, dict) and "generated" in score
    ]
    protocol = scores.get("protocol")
    return lines + ([f"    measured with {format_protocol(protocol)}"] if isinstance(protocol, dict) else [])


def is_here(entry: Entry) -> bool:
    """Say whether every file of a model is on this machine."""
    if entry.folder:
        return all((entry.folder / file).is_file() for file in entry.files)
    from ganzoo.zoo.hub.cache import is_cached

    return all(is_cached(entry.repository, file, entry.commit) for file in entry.files)


def row(kind: str, name: str, distribution: str, version: str, summary: str) -> dict[str, str]:
    """Return one row of a listing."""
    return {"kind": kind, "name": name, "distribution": distribution, "version": version, "summary": summary}


def first_line(thing: Registration) -> str:
    """Return the comment in the first line of a recipe file; nothing for other kinds."""
    if thing.kind != "recipe":
        return ""
    try:
        with Path(thing.targets["file"]).open(encoding="utf-8-sig", errors="replace") as file:
            line = file.readline().rstrip()
    except OSError as error:
        return f"(cannot be read: {error.strerror})"
    return line.lstrip("# ") if line.startswith("#") else ""


def describe(name: str) -> str:
    """Describe everything of that name, or the model in a folder.

    Raises `BadInput` for an unknown name, and where nothing of that name can be described.
    """
    registry = Registry()
    # A registry describes the models that plugins provide.
    provided = [thing for thing in catalog().provided if thing.kind != "model"]
    tellers = [partial(describe_provided, thing) for thing in provided if name in (thing.name, thing.full_name)]
    tellers += [partial(describe_entry, entry) for entry in registry.entries if name in (entry.name, entry.full_name)]
    data = [f"data set '{name}': {text}" for key, text in DATA_SETS.items() if is_data(name, key)]
    texts = tell_each(tellers, bool(data)) + data
    if not texts and (name.startswith("hub:") or is_folder(name)):
        texts = describe_model(name)
    if not texts:
        names = list_names() + [thing["name"] for thing in things(registry)]
        raise BadInput(f"nothing is called '{name}'; {suggest(name, names)}")
    return "\n\n".join(texts)


def tell_each(tellers: Iterable[Callable[[], str]], has_other: bool) -> list[str]:
    """Return the text of each, or why there is none. Raises the first error if there is no text and no other one."""
    texts, errors = [], []
    for tell in tellers:
        try:
            texts.append(tell())
        except BadInput as error:
            texts.append(f"not available: {error}")
            errors.append(error)
    if errors and len(errors) == len(texts) and not has_other:
        raise errors[0]
    return texts


def is_data(name: str, key: str) -> bool:
    """Say whether a name is this key of `DATA_SETS`, or one that the key stands for (`lsun:<category>`)."""
    return name == key or (name in list_names() and name.partition(":")[0] == key.partition(":")[0])


def is_folder(name: str) -> bool:
    """Say whether there is a folder of that name; the file system may refuse a name that is too long."""
    try:
        return Path(name).is_dir()
    except OSError:
        return False


def describe_provided(thing: Registration) -> str:
    """Describe what a plugin brings: a recipe by its content, anything else by its classes' docstrings and options."""
    head = f"{thing.kind} '{thing.name}' from {thing.distribution} {thing.version}"
    if thing.kind == "recipe":
        return f"{head}\n{describe_recipe(Path(thing.targets['file']))}"
    return "\n\n".join([head, *(describe_class(part, class_of(thing, part)) for part in thing.targets)])


def class_of(thing: Registration, part: str) -> Callable[..., object]:
    """Import one class of a registration. Raises `BadInput` where it is not what it was registered as."""
    from ganzoo.recipe.build import BASES, resolve_class
    from ganzoo.training.callbacks import Callback

    base = Callback if thing.kind == "callback" else BASES[part]
    return resolve_class(thing.kind, thing.full_name, part, base).cls


def describe_recipe(path: Path) -> str:
    """Return the path and content of a recipe. Raises `BadInput` where it cannot be read or is not TOML."""
    read_toml(path)
    return f"{path}\n\n{path.read_text(encoding='utf-8-sig').rstrip()}"


def describe_class(part: str, cls: Callable[..., object]) -> str:
    """Return a class's docstring and its options with type and default. Raises `BadInput` for invalid annotations."""
    import inspect

    from ganzoo.recipe.build import make_option_schema

    fields = make_option_schema(cls).model_fields
    lines = [f"{part}: {cls.__module__}.{cls.__qualname__}", indent(inspect.cleandoc(vars(cls).get("__doc__") or ""))]
    lines += ["  options:" if fields else "  no options"]
    lines += [f"    {option} = {describe_default(field)}" for option, field in fields.items()]
    return "\n".join(lines)


def describe_default(field: Any) -> str:
    """Return an option's default and its type."""
    annotation = field.annotation
    kind = annotation.__name__ if isinstance(annotation, type) else str(annotation).replace("typing.", "")
    return f"{'(required)' if field.is_required() else repr(field.default)}   ({kind})"


def describe_entry(entry: Entry) -> str:
    """Describe what a registry says about a model, with its config where it is on this machine."""
    facts = {key: getattr(entry, key) for key in ("summary", "architecture", "distribution", "data", "license")}
    facts |= {"source": entry.source, "scores": headline(entry.scores), "size": f"{entry.size:,} bytes"}
    lines = [f"model '{entry.name}' of {entry.origin}", *(f"  {key}: {value}" for key, value in facts.items() if value)]
    lines += score_lines(entry.scores)
    if not is_here(entry):
        return "\n".join([*lines, f"  not on this machine yet: ganzoo pull {entry.name}"])
    from ganzoo.zoo.resolve import resolve_model

    return "\n".join([*lines, "", describe_config(resolve_model(entry, offline=True))])


def describe_model(source: str) -> list[str]:
    """Describe the model in a folder or in a repository on the Hub; return nothing for a folder without a model."""
    from ganzoo.zoo.references import parse
    from ganzoo.zoo.resolve import resolve_model

    try:
        local = resolve_model(parse(source))
    except BadInput:
        if source.startswith("hub:"):
            raise
        return []
    return [f"model in {local.folder}\n{describe_config(local)}"]


def describe_config(local: "LocalModel") -> str:
    """Return a model's config as JSON."""
    import json

    return json.dumps(local.config.table, indent=2)


def indent(text: str) -> str:
    """Indent every line."""
    return "\n".join(f"  {line}".rstrip() for line in text.splitlines())
