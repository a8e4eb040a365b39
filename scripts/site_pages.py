"""What the site has beside docs/: pages of the checkout's root, and tables made from the code while it is built.

mkdocs calls the functions that begin with `on_`. A page of docs/ asks for a table with a line like
`<!-- table: recipes -->`, so that its text can be read without the site too.
"""

import json
import posixpath
import re
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
COPIES = {
    "README.md": "index.md",
    "README.zh-CN.md": "zh-CN.md",
    "CHANGELOG.md": "changelog.md",
    "CONTRIBUTING.md": "contributing.md",
    "SECURITY.md": "security.md",
    "benchmarks/README.md": "benchmarks.md",
    "LICENSE": "LICENSE.txt",
    "ganzoo/zoo/config.schema.json": "config.schema.json",
    **{
        f"ganzoo/pretrained/{picture.parent.name}/samples.png": f"models/{picture.parent.name}.png"
        for picture in sorted(ROOT.glob("ganzoo/pretrained/*/samples.png"))
    },
}
"""Files outside docs/, by their path from the root, and their path on the site."""
SOURCES = {page: source for source, page in COPIES.items()}
TABLE = re.compile(r"^<!-- table: ([a-z-]+) -->$", re.MULTILINE)
NAME = re.compile(r"^### `ganzoo\.(\w+)`$", re.MULTILINE)
LINK = re.compile(r"(?<=\]\()(?![a-z]+:|#)([^)\s#]+)")


def on_config(config: Any) -> None:
    """Let mkdocs watch what the pages are made of, for `mkdocs serve`."""
    config.watch += [str(ROOT / path) for path in COPIES if (ROOT / path).exists()]


def on_files(files: Any, config: Any) -> None:
    """Add the pages and files that lie outside docs/."""
    from mkdocs.structure.files import File

    for source, page in COPIES.items():
        if (ROOT / source).exists():
            files.append(File.generated(config, page, abs_src_path=str(ROOT / source)))


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Return a page with its links as they are on the site, its tables, and the docstrings of public names."""
    path = page.file.src_uri
    text = LINK.sub(lambda found: relink(found[1], path), markdown)
    text = TABLE.sub(lambda found: TABLES[found[1]](), text)
    return add_docstrings(text) if path in ("api.md", "contract.md") else text


def relink(target: str, page: str) -> str:
    """Return a link of a page, which counts from where the page lies in the checkout, as it is on the site."""
    source = SOURCES.get(page, f"docs/{page}")
    path = posixpath.normpath(posixpath.join(posixpath.dirname(source), target))
    found = COPIES.get(path) or path.removeprefix("docs/")
    return posixpath.relpath(found, posixpath.dirname(page) or ".")


def add_docstrings(text: str) -> str:
    """Put below the paragraph of each public name the docstrings of its source."""
    import ganzoo

    parts = NAME.split(text)
    pairs = zip(parts[1::2], parts[2::2], strict=True)
    return parts[0] + "".join(f"### `ganzoo.{name}`\n{insert_docstring(name, body, ganzoo)}" for name, body in pairs)


def insert_docstring(name: str, body: str, package: Any) -> str:
    """Return a section with the directive for a name before the next heading of a higher level."""
    home = package._HOMES.get(name)
    if home is None:
        return body
    own, heading, rest = body.partition("\n## ")
    names = getattr(getattr(package, name), "__all__", None)  # of the modules among the public names
    path = f"ganzoo.{home}" if names else f"ganzoo.{home}.{name}"
    # Of a class, what its paragraph names: the rest may change.
    options = {"heading": f"ganzoo.{name}", "members": list(names or re.findall(r"`(\w+)", own))}
    return f"{own.rstrip()}\n\n::: {path}\n    options: {json.dumps(options)}\n\n{heading}{rest}"


def make_table(heads: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    """Return a Markdown table."""
    lines = [heads, ("---",) * len(heads), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


def plugin_folders() -> list[Path]:
    """Return the folders of the plugins in this checkout."""
    return sorted(path.parent for path in (ROOT / "plugins").glob("*/pyproject.toml"))


def package_of(folder: Path) -> Path:
    """Return the folder of a plugin's Python package."""
    return folder / folder.name.replace("-", "_")


def plugins() -> str:
    """Return the table of the plugins that this checkout brings."""
    from ganzoo.plugins.catalog import catalog

    rows = []
    for folder in plugin_folders():
        project = tomllib.loads((folder / "pyproject.toml").read_text())["project"]
        given = catalog().provided
        kinds = dict.fromkeys(thing.kind for thing in given)
        provides = [
            f"{kind}: " + ", ".join(f"`{thing.name}`" for thing in given if thing.kind == kind and is_of(thing, folder))
            for kind in kinds
            if any(thing.kind == kind and is_of(thing, folder) for thing in given)
        ]
        rows.append((f"`{folder.name}`", project["description"].rstrip("."), "<br>".join(provides)))
    return make_table(("plugin", "what it is", "what it brings"), rows)


def is_of(thing: Any, folder: Path) -> bool:
    """Say whether a plugin brings a thing."""
    return bool(thing.distribution == folder.name)


def recipes() -> str:
    """Return the table of the recipes that this checkout brings, with what their files say of time."""
    rows = []
    for folder in plugin_folders():
        for path in sorted((package_of(folder) / "recipes").glob("*.toml")):
            comment = [line.lstrip("# ").rstrip() for line in leading_comment(path)]
            table = tomllib.loads(path.read_text(encoding="utf-8"))
            steps = f"{table.get('train', {}).get('steps', 2000):,}"
            rows.append((f"`{path.stem}`", comment[0], steps, " ".join(comment[1:])))
    heads = ("recipe", "what it trains", "steps", "how long it takes")
    width = 4 if any(row[3] for row in rows) else 3
    return make_table(heads[:width], [row[:width] for row in rows])


def leading_comment(path: Path) -> list[str]:
    """Return the lines of the comment that a recipe's file begins with."""
    lines = path.read_text(encoding="utf-8").splitlines()
    end = next((place for place, line in enumerate(lines) if not line.startswith("#")), len(lines))
    return lines[:end]


def commands() -> str:
    """Return the help of every command."""
    import click

    from ganzoo.cli.main import commands as group

    top = click.Context(group, info_name="ganzoo", terminal_width=100)
    texts = [f"```text\n{group.get_help(top)}\n```"]
    for name in group.list_commands(top):
        command = group.commands[name]
        own = click.Context(command, info_name=name, parent=top, terminal_width=100)
        texts.append(f"## `ganzoo {name}`\n\n```text\n{command.get_help(own)}\n```")
    return "\n\n".join(texts)


def keys() -> str:
    """Return a table for each section of a recipe: its keys with type, default and meaning."""
    from ganzoo.recipe.keys import PLACES, Key, list_keys

    def place(key: Key) -> str:
        return key.path.rpartition(".")[0]

    parts = []
    for name in ("", *PLACES):
        rows = [
            (f"`{key.path}`", key.type, f"`{key.default_text}`" if key.default_text else "", key.meaning)
            for key in list_keys()
            if place(key) == name
        ]
        heading = f"## `{name}`" if name else "## At the top"
        parts.append(f"{heading}\n\n{make_table(('key', 'type', 'default', 'meaning'), rows)}")
    return "\n\n".join(parts)


TABLES: dict[str, Callable[[], str]] = {
    "commands": commands,
    "keys": keys,
    "plugins": plugins,
    "recipes": recipes,
}
