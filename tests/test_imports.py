"""The house: imports run one way, and the core knows no plugin by name."""

import ast
from pathlib import Path

import pytest

import ganzoo

PACKAGE = Path(ganzoo.__file__).parent
FOLDERS = (PACKAGE, PACKAGE / "conformance", PACKAGE / "evaluation")
MODULES = {path.relative_to(PACKAGE).with_suffix("").as_posix(): path for f in FOLDERS for path in f.glob("*.py")}
"""Every module of the core by its path, as "engine" and "conformance/games"."""
PLUGINS = sorted((PACKAGE.parent / "plugins").glob("*/*/*.py"))
LEAVES = {"contract": {"errors"}, "settings": {"errors"}, "hookspecs": set(), "errors": set(), "seeds": set()}
JOINERS = {"__init__", "__main__", "cli", "plugin_commands", "testing", "training"}


def imported(path: Path) -> set[str]:
    """Dotted names of all modules that a file imports, anywhere in it."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def ours(module: str) -> set[str]:
    """The modules of the core that one of them imports."""
    paths = [name.split(".")[1:] for name in imported(MODULES[module]) if name.startswith("ganzoo.")]
    known = {"/".join(path[:depth]) for path in paths for depth in (1, 2)}
    return {name if name in MODULES else f"{name}/__init__" for name in known} & set(MODULES)


def reachable(module: str) -> set[str]:
    found, waiting = set(), [module]
    while waiting:
        new = ours(waiting.pop()) - found
        found |= new
        waiting += new
    return found


@pytest.mark.parametrize("module", LEAVES)
def test_what_everybody_reads_imports_next_to_nothing_of_ours(module):
    assert ours(module) <= LEAVES[module]


def test_the_engine_reaches_neither_plugins_nor_files_nor_the_command_line():
    assert reachable("engine") == {
        "batches",
        "checks",
        "contract",
        "device",
        "errors",
        "ledger",
        "processes",
        "scheduled",
        "seeds",
        "settings",
        "side",
    }


@pytest.mark.parametrize("module", [name for name in MODULES if name not in JOINERS])
def test_imports_run_one_way(module):
    assert module not in reachable(module)
    assert not reachable(module) & JOINERS


@pytest.mark.parametrize("path", PLUGINS, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_a_plugin_imports_only_the_top_level_of_ganzoo(path):
    assert not [name for name in imported(path) if name.startswith("ganzoo.") and name[7:] not in ganzoo.__all__]


@pytest.mark.parametrize("module", MODULES)
def test_the_core_names_no_plugin(module):
    words = MODULES[module].read_text()
    packages = {path.parent.name for path in PLUGINS if path.name == "__init__.py"}
    assert len(packages) > 5
    assert not [name for name in packages if name in words]


def test_every_public_name_is_there_and_listed():
    assert all(hasattr(ganzoo, name) for name in ganzoo.__all__)
    assert set(ganzoo.__all__) <= set(dir(ganzoo))
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        _ = ganzoo.nonsense
