"""Draw one avatar: the same style, seed, index and size always give the same picture and the same attributes."""

from collections.abc import Mapping
from typing import Any

ABSENT = "none"
"""The value of an attribute that a picture does not have, such as the hat of a bare head."""


def draw(style: Any, seed: int, index: int, side: int) -> tuple[bytes, dict[str, str]]:
    """Draw one picture of `side` x `side` pixels. Returns it as PNG, with its opacity, and its attributes.

    Letters are left out, since they would be those of the fonts of this machine.
    """
    import resvg_py
    from dicebear import Avatar

    avatar = Avatar(style, {"seed": f"{seed}-{index}"})
    png = resvg_py.svg_to_bytes(svg_string=avatar.to_string(), width=side, height=side, skip_system_fonts=True)
    return bytes(png), find_attributes(style, avatar.to_json()["options"])


def find_attributes(style: Any, chosen: Mapping[str, Any]) -> dict[str, str]:
    """Return what was chosen for one picture: the variant of each component, and each colour, such as "bodyColor"."""
    variants = {name: chosen.get(f"{name}Variant", ABSENT) for name in style.components()}
    colours = {f"{name}Color": chosen.get(f"{name}Color", [ABSENT])[0] for name in style.colors()}
    return variants | colours
