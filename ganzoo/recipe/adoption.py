"""Make a plugin of code that no plugin brings: of a file with classes, or of a run that was trained with such files.

The files go into the package unchanged, so that a model which was trained with one of them is the plugin's at once: a
plugin with the very same code builds it.
"""

import keyword
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import tomlkit

from ganzoo._io import exists, read_bytes, sha256
from ganzoo._names import normalize_name
from ganzoo.engine.settings import SIDES
from ganzoo.errors import BadInput
from ganzoo.plugins.files import load_file, own_classes, split_reference
from ganzoo.plugins.scaffold import check_free, placeholders, scaffold
from ganzoo.recipe.given import BASES
from ganzoo.recipe.lookup import is_fit
from ganzoo.recipe.names import is_given, is_in_file, list_names_in, rename
from ganzoo.recipe.recipe import Recipe

HOOKS = {
    "architecture": ("register_architectures", "RegisterArchitecture", "each architecture and where its networks are"),
    "loss": ("register_losses", "RegisterLoss", "each loss and where its class is"),
    "callback": ("register_callbacks", "RegisterCallback", "each callback and where its class is"),
}
"""The hook of each kind, the type of its `register`, and what it names."""
DEFAULT_RECIPE: Mapping[str, Any] = {"data": {"name": "mnist-10k"}, "train": {"steps": 2000}}
"""The data and the length of a recipe for classes that no run has used yet."""


@dataclass
class Adoption:
    """The code of a new plugin: modules with their content, what is registered in them, and a recipe."""

    package: str
    short: str
    modules: dict[str, bytes] = field(default_factory=dict)
    things: dict[tuple[str, str], dict[str, str]] = field(default_factory=dict)
    """Import strings by the kind and name under which the plugin registers them, and then by part."""
    recipe: dict[str, Any] = field(default_factory=dict)

    def add_module(self, file: Path, content: bytes) -> str:
        """Add the content of a file as a module, once; return its import path."""
        known = next((name for name, there in self.modules.items() if there == content), None)
        name = known or unused_module(file.stem, self.modules)
        self.modules[name] = content
        return f"{self.package}.{name}"

    def name_classes(self, kind: str, classes: Iterable[str]) -> dict[str, str]:
        """Return a name to register for each class of a kind: the plugin's own if there is just one."""
        several = list(dict.fromkeys(classes))
        if len(several) == 1 and (kind == "architecture" or not self.things):
            return {several[0]: self.short}
        return {each: with_prefix(hyphenate(each), self.short) for each in several}

    @property
    def files(self) -> dict[str, bytes]:
        """The files of the package by their names."""
        head = f"# {self.summary}.\n"
        return {
            "__init__.py": write_hooks(self.summary, self.things).encode(),
            f"recipes/{self.short}.toml": (head + tomlkit.dumps(self.recipe)).encode(),
            **{f"{name}.py": content for name, content in self.modules.items()},
        }

    @property
    def summary(self) -> str:
        """What the plugin registers, in words."""
        return "The " + " and the ".join(f"{kind} {name}" for kind, name in self.things)


def adopt(name: str, source: Path, parent: Path = Path()) -> tuple[Path, str, list[str]]:
    """Write a plugin with the code of a run or of a file; return its folder, its short name, and what it registers.

    Raises `BadInput` as `scaffold` does, and where there is no such code or it is not complete.
    """
    words = placeholders(name)
    check_free(words, "code", parent)  # before the code is read, which takes a while
    adoption = Adoption(words["PACKAGE"], words["NAME"])
    if source.suffix == ".py":
        adopt_file(adoption, source)
    elif exists(source / "recipe.toml"):
        adopt_run(adoption, source)
    else:
        raise BadInput(f"'{source}' is neither a run, which has a recipe.toml, nor a Python file")
    folder, short = scaffold(name, "code", parent, adoption.summary, adoption.files)
    return folder, short, [f"{kind} '{thing}'" for kind, thing in adoption.things]


def adopt_file(adoption: Adoption, path: Path) -> None:
    """Take all classes of a file, which is run for it, and begin a recipe for them."""
    if not path.is_file():
        raise BadInput(f"there is no file '{path}'")
    content = read_bytes(path)
    classes = own_classes(load_file(path.resolve(), content))
    found = {part: [name for name, cls in classes.items() if is_fit(cls, part, base)] for part, base in BASES.items()}
    if not found["generator"] and not found["loss"]:
        raise BadInput(f"'{path}' has neither a ganzoo.Generator nor a ganzoo.Loss")
    module = adoption.add_module(path, content)
    if found["generator"]:
        sides = {side: f"{module}:{only_one(path, side, found[side])}" for side in SIDES}
        adoption.things["architecture", adoption.short] = sides
    for cls, name in adoption.name_classes("loss", found["loss"]).items():
        adoption.things["loss", name] = {"loss": f"{module}:{cls}"}
    losses = [{"name": name} for kind, name in adoption.things if kind == "loss"]
    architecture = adoption.short if found["generator"] else "vanilla"
    loss = losses or [{"name": "non-saturating"}]
    adoption.recipe = {"architecture": {"name": architecture}, "loss": loss, **DEFAULT_RECIPE}


def only_one(path: Path, side: str, classes: list[str]) -> str:
    """Return the one class of a file for a side of the architecture. Raises `BadInput` if there is not just one."""
    if len(classes) != 1:
        found = f"has several: {', '.join(classes)}; call the others _{classes[0]} and so on" if classes else "has none"
        raise BadInput(f"an architecture has one {side}, and '{path}' {found}, or give a run that was trained with it")
    return classes[0]


def adopt_run(adoption: Adoption, run: Path) -> None:
    """Take the classes of files that a run was trained with, and its recipe."""
    recipe = Recipe.load(run / "recipe.toml")
    check_adoptable(run, recipe)
    own = [(kind, name) for kind, name in list_names_in(recipe.written_out()) if is_in_file(name)]
    new: dict[tuple[str, str], str] = {}
    for kind in HOOKS:
        names = [name for each, name in own if each == kind]
        if names and kind == "architecture":
            sides = {side: recipe.architecture.side_name(side) for side in SIDES}
            adoption.things[kind, adoption.short] = {side: target(adoption, run, sides[side]) for side in SIDES}
            new |= {(kind, name): adoption.short for name in names}
        elif names:
            for name, short in adoption.name_classes(kind, names).items():
                adoption.things[kind, short] = {kind: target(adoption, run, name)}
                new[kind, name] = short
    table = rename(portable(recipe), lambda kind, name: new.get((kind, name), name))
    adoption.recipe = tidy(table)


def check_adoptable(run: Path, recipe: Recipe) -> None:
    """Raise `BadInput` for a run whose code is not in files, is a plugin's already, or is one side alone."""
    names = [name for kind, name in list_names_in(recipe.written_out()) if kind in HOOKS]
    if given := [name for name in names if is_given(name)]:
        way = "which left no file: put it into one, and give that with --from FILE.py"
        raise BadInput(f"{given[0]} of '{run}' was given by Python code, {way}")
    if not any(map(is_in_file, names)):
        raise BadInput(f"'{run}' was trained with nothing but plugins: {', '.join(dict.fromkeys(names))}")
    networks = [recipe.architecture.side_name(side) for side in SIDES]
    if any(map(is_in_file, networks)) and not all(map(is_in_file, networks)):
        other = next(name for name in networks if not is_in_file(name))
        way = "train with one of your own in its place"
        raise BadInput(f"a plugin's architecture has both sides, and one side of '{run}' is {other}: {way}")


def target(adoption: Adoption, run: Path, name: str) -> str:
    """Return the import string of a class in the new package, and add its file, as it was when it was trained with."""
    path, cls = split_reference(name)
    defines = re.compile(rf"^class {re.escape(cls)}\b".encode(), re.MULTILINE)
    for each in [*newest_copies(path, run), path]:
        if each.is_file() and defines.search(content := read_bytes(each)):
            return f"{adoption.add_module(path, content)}:{cls}"
    raise BadInput(f"neither {path} nor a copy of it in '{run}/code' is there with the class '{cls}'")


def newest_copies(path: Path, run: Path) -> list[Path]:
    """Return the copies of a file in a run, the newest first; none if one of them is what the file is now."""
    copies = sorted((run / "code").glob(f"{path.stem}-*.py"), key=lambda copy: copy.stat().st_mtime, reverse=True)
    now = path.is_file() and f"{path.stem}-{sha256(read_bytes(path))[:8]}.py"
    return [] if now in [copy.name for copy in copies] else copies


def portable(recipe: Recipe) -> dict[str, Any]:
    """Return what a recipe sets, without what only this machine has: paths, and a precision that it has chosen."""
    table: dict[str, Any] = recipe.model_dump(mode="json", exclude_none=True, exclude_defaults=True)
    for section, keys in {"data": ("root",), "train": ("precision", "init")}.items():
        table[section] = {key: value for key, value in table.get(section, {}).items() if key not in keys}
    table["data"] = {key: value for key, value in table["data"].items() if key == "name" or not is_path(value)}
    if Path(recipe.data.name).is_absolute():
        table["data"]["name"] = Path(recipe.data.name).name
    return table


def is_path(value: Any) -> bool:
    """Return whether a value is a path from the root, which only this machine has."""
    return isinstance(value, str) and Path(value).is_absolute()


def tidy(table: Mapping[str, Any]) -> dict[str, Any]:
    """Return a recipe whose architecture is named once, where its sides have one name; empty sections are left out."""
    architecture = dict(table["architecture"])
    names = {str(architecture[side].get("name")) for side in SIDES if isinstance(architecture.get(side), Mapping)}
    if len(names) == 1 and names != {"None"}:
        for side in SIDES:
            own = {key: value for key, value in architecture.pop(side).items() if key != "name"}
            architecture |= {side: own} if own else {}
        architecture = {"name": names.pop(), **architecture}
    rest = {key: value for key, value in table.items() if value and key not in ("name", "architecture")}
    return {"architecture": architecture, **rest}


def unused_module(stem: str, taken: Iterable[str]) -> str:
    """Return a name for a module that no other one in the package has, made of the stem of a file."""
    name = re.sub(r"\W", "_", stem)
    name = name if name.isidentifier() and not keyword.iskeyword(name) else f"code_{name}"
    numbered = (f"{name}_{number}" if number > 1 else name for number in range(1, 1000))
    return next(each for each in numbered if each not in {*taken, "recipes", "__init__"})


def with_prefix(name: str, short: str) -> str:
    """Return a name that begins with the short name of its plugin, so that no other plugin has it."""
    return name if name == short or name.startswith(f"{short}-") else f"{short}-{name}"


def hyphenate(name: str) -> str:
    """Return the name of a class as plugins register names: "MyLoss" is "my-loss"."""
    cls = name.rpartition(":")[2]
    return (
        normalize_name(re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", re.sub(r"\W", "", cls, flags=re.ASCII))).strip("-")
        or "own"
    )


def write_hooks(summary: str, things: Mapping[tuple[str, str], Mapping[str, str]]) -> str:
    """Return the code of a package that registers these things."""
    lines = [f'"""{summary}. Nothing here imports torch, so that listing stays quick."""', "", "import ganzoo"]
    for kind, (hook, register, what) in HOOKS.items():
        own = {name: targets for (each, name), targets in things.items() if each == kind}
        if own:
            lines += ["", "", "@ganzoo.hookimpl", f"def {hook}(register: ganzoo.{register}) -> None:"]
            lines += [f'    """Name {what}."""', *write_registrations(own, named=kind == "architecture")]
    return "\n".join(lines) + "\n"


def write_registrations(things: Mapping[str, Mapping[str, str]], named: bool) -> Iterator[str]:
    """Yield the lines that register things, with the names of their parts if they are `named`."""
    for name, targets in things.items():
        yield "    register("
        yield f'        "{name}",'
        for part, target in sorted(targets.items(), reverse=True):
            yield f'        {part}="{target}",' if named else f'        "{target}",'
        yield "    )"
