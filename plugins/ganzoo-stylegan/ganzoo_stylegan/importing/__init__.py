"""StyleGAN2 as two widely used programs write it: files of weights become what this plugin's networks load.

The names and shapes of both layouts are known from their public descriptions. Nothing of a file is executed.
"""

from pathlib import Path

import ganzoo
from ganzoo_stylegan.importing import nvidia, rosinality
from ganzoo_stylegan.importing.pickles import BadPickle
from ganzoo_stylegan.importing.tensors import open_container

LAYOUTS = "files of rosinality's stylegan2-pytorch (.pt) and of NVIDIA's PyTorch versions (.pkl) are read"


def read(path: Path) -> ganzoo.Imported:
    """Read a file with a trained StyleGAN2: .pt of rosinality's stylegan2-pytorch, or .pkl of NVIDIA's PyTorch code.

    Taken are the averaged generator, and the discriminator where there is one of the same kind. Which of the two
    layouts it is, the file says itself. Raises `ValueError` for any other file, and for networks that are no StyleGAN2.
    """
    try:
        container = open_container(path)
    except BadPickle as error:
        raise ValueError(f"{error}; {LAYOUTS}") from error
    if nvidia.is_layout(container.content):
        return nvidia.read(container)
    if rosinality.is_layout(container.content):
        return rosinality.read(container)
    raise ValueError(f"it is {describe(container.content)}, not a StyleGAN2; {LAYOUTS}")


def describe(content: object) -> str:
    """Return what a file holds, in words."""
    if nvidia.is_tensorflow(content):
        return "a pickle of the TensorFlow version, which has another layout"
    if not isinstance(content, dict):
        return "a pickle of something else"
    return f"a table of {', '.join(map(repr, list(content)[:5])) or 'nothing'}"
