"""The styles of pictures that the DiceBear packages draw, of which only those in the public domain are used."""

import json
from functools import cache
from importlib import import_module, resources
from typing import Any

from ganzoo.errors import BadInput, needs_package, suggest

PACKAGES = {"dicebear_styles": "dicebear-styles", "dicebear": "dicebear-core", "resvg_py": "resvg-py"}
"""What draws avatars: the modules, and the distributions that bring them."""
CC0 = "https://creativecommons.org/publicdomain/zero/1.0/"
"""The address by which a style says that it is in the public domain."""


def check_packages() -> None:
    """Raise `BadInput` if packages that draw avatars are not installed."""
    missing = [package for module, package in PACKAGES.items() if not is_installed(module)]
    if missing:
        raise needs_package("avatars", *missing)


def is_installed(module: str) -> bool:
    """Return whether a module can be imported."""
    try:
        import_module(module)
    except ImportError:
        return False
    return True


@cache
def list_styles() -> tuple[str, ...]:
    """List the styles that are in the public domain, as their own metadata say."""
    folder = resources.files("dicebear_styles")
    names = sorted(file.name.removesuffix(".json") for file in folder.iterdir() if file.name.endswith(".json"))
    return tuple(name for name in names if is_free(read_style(name)))


def read_style(name: str) -> dict[str, Any]:
    """Read the definition of a style, as its package has it."""
    text = (resources.files("dicebear_styles") / f"{name}.json").read_text("utf-8")
    definition: dict[str, Any] = json.loads(text)
    return definition


def is_free(definition: dict[str, Any]) -> bool:
    """Return whether a style is in the public domain."""
    return bool(definition["meta"].get("license", {}).get("url") == CC0)


def check_style(name: str) -> None:
    """Raise `BadInput` for a style that is not there or not in the public domain, and without the packages."""
    check_packages()
    file = resources.files("dicebear_styles") / f"{name}.json"
    if not name.replace("-", "").isalnum() or not file.is_file():
        raise BadInput(f"there is no style '{name}' of avatars; {suggest(name, list_styles())}")
    definition = read_style(name)
    if not is_free(definition):
        said = " ".join(str(definition["meta"].get("license", {}).get("name", "none")).split()).rstrip(".")
        raise BadInput(
            f"the style '{name}' of avatars is not in the public domain (its licence: {said}); "
            f"only styles under CC0 are drawn; {suggest(name, list_styles())}"
        )


@cache
def open_style(name: str) -> Any:
    """Return a style, which draws. To check its definition takes up to a second. Raises `BadInput`."""
    check_style(name)
    from dicebear import Style

    return Style(read_style(name))
