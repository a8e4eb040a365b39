"""The house: plugins import public names alone, and the core knows no plugin. import-linter checks the layers."""

import ast
import sys
from pathlib import Path

import pytest

import ganzoo

PACKAGE = Path(ganzoo.__file__).parent
MODULES = {path.relative_to(PACKAGE).as_posix(): path for path in PACKAGE.rglob("*.py") if "template" not in path.parts}
"""Every module of the core by its path, as "engine/loop.py"."""
PLUGINS = sorted((PACKAGE.parent / "plugins").glob("*/*/*.py"))


def imported(path: Path) -> set[str]:
    """Dotted names of all modules that a file imports, anywhere in it."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return names


@pytest.mark.parametrize("path", PLUGINS, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_a_plugin_imports_only_the_public_names_of_ganzoo(path):
    public = {*ganzoo.__all__, *(f"layers.{name}" for name in ganzoo.layers.__all__)}
    assert not [name for name in imported(path) if name.startswith("ganzoo.") and name[7:] not in public]


@pytest.mark.parametrize("module", MODULES)
def test_the_core_names_no_plugin(module):
    words = MODULES[module].read_text()
    packages = {path.parent.name for path in PLUGINS if path.name == "__init__.py"}
    assert len(packages) > 5
    assert not [name for name in packages if name in words]


def test_layers_need_nothing_but_torch_and_the_standard_library():
    modules = [name for name in MODULES if name.startswith("layers/") and name != "layers/lite0_weights.py"]
    found = {name for module in modules for name in imported(MODULES[module])}
    others = {name.split(".")[0] for name in found} - {"torch", *sys.stdlib_module_names}
    assert others == {"ganzoo"}
    assert all(name.startswith("ganzoo.layers") for name in found if name.startswith("ganzoo"))


def test_every_public_name_is_there_and_listed():
    assert all(hasattr(ganzoo, name) for name in ganzoo.__all__)
    assert set(ganzoo.__all__) <= set(dir(ganzoo))
    assert all(hasattr(ganzoo.layers, name) for name in ganzoo.layers.__all__)
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        _ = ganzoo.nonsense
