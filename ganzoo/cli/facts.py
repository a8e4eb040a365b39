"""The facts that 'ganzoo info' shows, as plain values. Torch is imported only to describe a class."""

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ganzoo._reading import read_json, read_toml
from ganzoo.cli.listing import first_line, is_here, on_request, shown_name, things
from ganzoo.errors import BadInput
from ganzoo.plugins.catalog import catalog
from ganzoo.plugins.datasets import list_names, split_name
from ganzoo.plugins.entries import Entry
from ganzoo.plugins.registration import ON_REQUEST, Registration
from ganzoo.zoo.registry import Registry

if TYPE_CHECKING:
    import inspect

    from ganzoo.zoo.local import LocalModel

Facts = dict[str, Any]
"""What is known of one thing: its "kind" and "name", and more by kind; "not_available" is why there is no more."""


def collect_facts(name: str) -> list[Facts]:
    """Return the facts of everything of that name, or of the model in a folder.

    Raises `BadInput` for an unknown name, and where nothing of that name can be described.
    """
    registry = Registry()
    # A registry describes the models that plugins provide.
    provided = [thing for thing in catalog().provided if thing.kind not in ("model", *ON_REQUEST)]
    told = [thing for thing in catalog().provided if thing.kind in ON_REQUEST]
    found: list[Callable[[], Facts]] = [
        *(
            partial(provided_facts, thing)
            for thing in provided
            if thing.kind != "data" and name in (thing.name, thing.full_name)
        ),
        *(partial(data_facts, thing, name) for thing in provided if thing.kind == "data" and is_named(thing, name)),
        *(partial(told_facts, thing) for thing in told if name in (thing.name, thing.full_name)),
        *(partial(entry_facts, entry) for entry in registry.entries if name in (entry.name, entry.full_name)),
    ]
    facts = get_each(found) or key_facts(name)
    if not facts and (name.startswith("hub:") or is_folder(name)):
        facts = model_facts(name)
    if not facts and is_file_class(name):
        facts = file_facts(name)
    if not facts:
        advice, too_many, _ = catalog().suggest(name, all_names(registry)).partition("allowed: ")
        shown = "'ganzoo list' and 'ganzoo list keys' show all names" if too_many else ""
        raise BadInput(f"nothing is called '{name}'; {advice}{shown}")
    return facts


def is_file_class(name: str) -> bool:
    """Say whether a name is that of a class in a file."""
    from ganzoo.recipe.names import is_in_file  # slow to import

    return is_in_file(name)


def all_names(registry: Registry) -> list[str]:
    """Return every name that can be described."""
    from ganzoo.recipe.keys import list_keys

    named = [*things(registry), *(each for kind in ON_REQUEST for each in on_request(kind))]
    return [*list_names(), *(thing["name"] for thing in named), *(key.path for key in list_keys())]


def get_each(getters: Iterable[Callable[[], Facts]]) -> list[Facts]:
    """Return the facts of each, or why there are none. Raises the first error if nothing is available."""
    facts, errors = list[Facts](), []
    for get in getters:
        try:
            facts.append(get())
        except BadInput as error:
            facts.append({"not_available": str(error)})
            errors.append(error)
    if errors and len(errors) == len(facts):
        raise errors[0]
    return facts


def is_named(thing: Registration, name: str) -> bool:
    """Return whether a name is that of a data set, or of a part of it, such as `lsun:bedroom`."""
    return name in (thing.full_name, shown_name(thing)) or (name in list_names() and split_name(name)[0] == thing.name)


def data_facts(thing: Registration, name: str) -> Facts:
    """Return the facts of a data set: its line, its docstring and its options, without loading what these need."""
    facts = {key: getattr(thing, key) for key in ("kind", "distribution", "version")}
    return {**facts, "name": name, "summary": first_line(thing), "parts": {"dataset": signature_facts(thing)}}


def signature_facts(thing: Registration) -> Facts:
    """Return the name, docstring and options of a class as its constructor writes them."""
    import inspect

    cls = thing.resolve("dataset")
    if not isinstance(cls, type):
        raise BadInput(f"data set '{thing.name}' of {thing.distribution}: '{thing.targets['dataset']}' is not a class")
    options = [parameter_facts(each) for each in inspect.signature(cls).parameters.values()]
    return {"class": f"{cls.__module__}.{cls.__qualname__}", "doc": own_doc(cls), "options": options}


def parameter_facts(parameter: "inspect.Parameter") -> Facts:
    """Return a parameter's name, type and default; a default that JSON does not have is given as text."""
    required, default = parameter.default is parameter.empty, parameter.default
    annotation = parameter.annotation
    kind = "Any" if annotation is parameter.empty else describe_annotation(annotation)
    shown = None if required else default if is_json(default) else repr(default)
    return {"name": parameter.name, "type": kind, "required": required, "default": shown}


def describe_annotation(annotation: Any) -> str:
    """Return an annotation as code writes it."""
    text = annotation.__name__ if type(annotation) is type else str(annotation)
    return text.replace("typing.", "").replace("pathlib.", "")


def is_json(value: Any) -> bool:
    """Return whether JSON has such a value."""
    return isinstance(value, bool | int | float | str | list | tuple | dict | None)


def key_facts(name: str) -> list[Facts]:
    """Return the facts of the recipe's key of that path, or of all keys below it."""
    from ganzoo.recipe.keys import find_keys

    return [
        {"kind": "key", "name": key.path, "type": key.type, "default": key.default, "meaning": key.meaning}
        for key in find_keys(name)
    ]


def is_folder(name: str) -> bool:
    """Say whether there is a folder of that name; the file system may refuse a name that is too long."""
    try:
        return Path(name).is_dir()
    except OSError:
        return False


def provided_facts(thing: Registration) -> Facts:
    """Return the facts of what a plugin provides: a recipe's content, anything else's classes with their options."""
    facts = {key: getattr(thing, key) for key in ("kind", "name", "distribution", "version")}
    if thing.kind == "recipe":
        return facts | recipe_facts(thing)
    return facts | {"parts": {part: class_facts(class_of(thing, part)) for part in thing.targets}}


def told_facts(thing: Registration) -> Facts:
    """Return the facts of what is listed on request: what its plugin says of it, and its class or function."""
    facts = {key: getattr(thing, key) for key in ("kind", "name", "distribution", "version")}
    ((part, _),) = thing.targets.items()
    cls = thing.resolve(part)
    if not callable(cls):
        where = f"{thing.kind} '{thing.name}' of {thing.distribution}"
        raise BadInput(f"{where}: '{thing.targets[part]}' is neither a class nor a function")
    about = {"class": f"{cls.__module__}.{cls.__qualname__}", "doc": own_doc(cls), "options": []}
    return {**facts, "summary": thing.about["about"], "parts": {part: about}}


def own_doc(cls: Any) -> str:
    """Return the docstring of a function or of a class itself; that of its base says nothing of it."""
    import inspect

    doc = cls.__doc__ if inspect.isroutine(cls) else getattr(cls, "__dict__", {}).get("__doc__")
    return inspect.cleandoc(doc or "")


def class_of(thing: Registration, part: str) -> Callable[..., object]:
    """Import one class of a registration. Raises `BadInput` where it is not what it was registered as."""
    from ganzoo.recipe.build import resolve_registered
    from ganzoo.recipe.given import BASES

    if thing.kind == "callback":
        from ganzoo.training.callbacks import Callback

        return resolve_registered(thing.kind, thing.full_name, part, Callback).cls
    return resolve_registered(thing.kind, thing.full_name, part, BASES[part]).cls


def file_facts(name: str) -> list[Facts]:
    """Return the facts of a class in a file, which is run for it."""
    from ganzoo.plugins.files import find_in_file, make_absolute
    from ganzoo.recipe.given import BASES
    from ganzoo.recipe.lookup import is_fit

    found = find_in_file("class", "class", make_absolute(name, Path()), lambda cls: True)
    cls = found.resolve("class")
    part = next((part for part, base in BASES.items() if is_fit(cls, part, base)), "")
    if not part and not isinstance(cls, type):
        raise BadInput(f"'{found.full_name}' is not a class")
    facts = {"kind": part or "class", "name": found.name, "distribution": found.distribution, "version": found.version}
    return [facts | {"parts": {part or "class": class_facts(cls)}}]


def recipe_facts(thing: Registration) -> Facts:
    """Return the summary, file and content of a recipe. Raises `BadInput` where it cannot be read or is not TOML."""
    path = Path(thing.targets["file"])
    content = read_toml(path)
    text = path.read_text(encoding="utf-8-sig").rstrip()
    return {"summary": first_line(thing), "file": str(path), "recipe": content, "text": text}


def class_facts(cls: Callable[..., object]) -> Facts:
    """Return a class's name, docstring and options. Raises `BadInput` for invalid annotations."""
    from ganzoo.recipe.options import make_option_schema

    options = [option_facts(name, field) for name, field in make_option_schema(cls).model_fields.items()]
    doc = own_doc(cls)
    # Constructors may state more.
    stated = {use: getattr(cls, use, None) for use in ("needs", "takes")}
    keys = {use: [*value] for use, value in stated.items() if value and isinstance(value, tuple | list | Mapping)}
    return {"class": f"{cls.__module__}.{cls.__qualname__}", "doc": doc, "options": options, **keys}


def option_facts(name: str, field: Any) -> Facts:
    """Return an option's name, type and default; a default that JSON does not have is given as text."""
    annotation, default = field.annotation, field.default
    kind = describe_annotation(annotation)
    if field.is_required():
        return {"name": name, "type": kind, "required": True, "default": None}
    return {"name": name, "type": kind, "required": False, "default": default if is_json(default) else repr(default)}


def entry_facts(entry: Entry) -> Facts:
    """Return what a registry says about a model, with its config where it is on this machine."""
    keys = ("name", "origin", "summary", "architecture", "distribution", "data", "license", "source", "scores", "size")
    facts = {"kind": "model", **{key: getattr(entry, key) for key in keys}, "here": is_here(entry)}
    facts |= {"missing": how} if (how := catalog().how_to_get(entry.distribution)) else {}
    if not facts["here"]:
        return facts
    from ganzoo.zoo.resolve import resolve_model

    folder = resolve_model(entry, offline=True).folder
    # Not checked again: it is the file that the registry pins.
    return facts | {"folder": str(folder), "config": read_json(folder / "config.json")}


def model_facts(source: str) -> list[Facts]:
    """Return the facts of the model in a folder or in a repository on the Hub; none for a folder without a model."""
    from ganzoo.zoo.references import parse
    from ganzoo.zoo.resolve import resolve_model

    try:
        local = resolve_model(parse(source))
    except BadInput:
        if source.startswith("hub:"):
            raise
        return []
    return [{"kind": "model", "name": source, **config_facts(local)}]


def config_facts(local: "LocalModel") -> Facts:
    """Return a model's folder and config."""
    return {"folder": str(local.folder), "config": dict(local.config.table)}
