"""Every page that people read: what is to be typed is understood, and every link leads somewhere."""

import ast
import re
from contextlib import suppress

import click
import pytest

from ganzoo.cli.main import commands as group
from ganzoo.cli.params import parse_options
from ganzoo.errors import BadInput
from ganzoo.plugins.catalog import catalog
from ganzoo.recipe.recipe import Recipe
from ganzoo.zoo.registry import Registry
from pages import LINK, PAGES, ROOT, anchors, blocks, commands, commands_in, name_of, prose

NOT_HERE = re.compile(r"[./:]|^mine(-|$)|^digits$|^[A-Z]+$|^you")
"""What readers have and we do not: runs, folders, models on the Hub, names that stand for others."""
every_page = pytest.mark.parametrize("page", PAGES, ids=name_of)


def read(words):
    """What click makes of the words after `ganzoo`: the command, and its parameters."""
    with click.Context(group, info_name="ganzoo") as top:
        name, command, rest = group.resolve_command(top, list(words))
        return name, command.make_context(name, rest, parent=top).params


@every_page
def test_every_command_is_one_with_words_that_it_knows(page):
    for words in commands(page.read_text()):
        if words and not words[0].startswith("-"):
            check_names(*read(words))


def check_names(command, params):
    """Refuse recipes, models and keys that do not exist, where they are first-party ones."""
    if command == "train" and params["recipe"] and not NOT_HERE.search(params["recipe"]):
        changes = {key: value for key, value in parse_options(params["options"]).items() if "./" not in str(value)}
        Recipe.load(params["recipe"], **changes)
    if command == "import" and not NOT_HERE.search(params["format"]):
        catalog().find("importer", params["format"])
    models = params.get("models") or [params["model"]] if command in ("sample", "evaluate", "compare", "pull") else []
    known = {entry.name for entry in Registry().entries}
    assert not [model for model in models if not NOT_HERE.search(model) and model not in known]


@every_page
def test_commands_in_the_text_exist(page):
    """Those may be unfinished, as `ganzoo info`, or have words for values, as `--scale N`."""
    known = {thing.name for thing in catalog().provided}
    assert known
    for text in re.findall(r"`ganzoo ((?:[a-z][^`|\n]*))`", prose(page.read_text())):
        for words in commands_in(f"ganzoo {text}"):
            with suppress(click.MissingParameter, click.BadOptionUsage, BadInput):
                read(words)


@every_page
def test_python_can_be_parsed(page):
    for code in [*blocks(page.read_text(), "python"), *blocks(page.read_text(), "py")]:  # the latter is never run
        ast.parse(code)


@every_page
def test_every_link_leads_to_a_file_and_a_heading_of_it(page):
    wrong = []
    for link in LINK.findall(prose(page.read_text())):
        path, _, anchor = link.partition("#")
        target = (page.parent / path) if path else page
        found = target.exists() and (not anchor or anchor in anchors(target.read_text()))
        wrong += [] if found else [link]
    assert not wrong


def test_the_pages_are_those_that_we_mean():
    assert {"README.md", "docs/plugins.md", "plugins/ganzoo-dcgan/README.md"} <= {name_of(page) for page in PAGES}
    assert ROOT / "README.md" in PAGES
