"""Pillow images of samples that are tensors."""

from collections.abc import Mapping
from typing import Any

import torch
from PIL import Image
from torch import Tensor

from ganzoo.errors import BadInput
from ganzoo.pictures.grid import to_bytes, to_picture
from ganzoo.pictures.layout import why_not_shown
from ganzoo.pictures.points import draw_scatter

SHAPES = "(n, 1 to 4, height, width), or one of them, or points (n, 2)"


def to_pil(samples: Tensor | Mapping[str, Any]) -> Image.Image | list[Image.Image]:
    """Turn samples, as `Model.sample` returns them, into Pillow images of their size.

    Images (n, 1 to 4, height, width) in [0, 1] become a list, a single one (1 to 4, height, width) becomes an image: of
    mode "L", "LA", "RGB" or "RGBA", where a second or fourth channel is the opacity. Points (n, 2) become one plot of
    all. Of a dict of outputs its "image" or "point" is taken. `Model.sample_grid` draws many samples as one picture.
    Raises `BadInput` for samples that no picture can show.
    """
    kind, tensor = pick_output(samples)
    if kind == "point":
        check_shown("point", tensor.shape[1:])
    if kind != "image" and tensor.dim() == 2 and tensor.shape[1] == 2:
        return draw_scatter(tensor.detach().cpu().numpy(), "")
    if tensor.dim() not in (3, 4):
        raise BadInput(f"to_pil takes images {SHAPES}, and this tensor is {tuple(tensor.shape)}")
    images = tensor if tensor.dim() == 4 else tensor[None]
    check_shown("image", images.shape[1:])
    pictures = [to_picture(image) for image in to_bytes(images.detach().float())]
    return pictures if tensor.dim() == 4 else pictures[0]


def pick_output(samples: Tensor | Mapping[str, Any]) -> tuple[str, Tensor]:
    """Return what a picture shows of samples, with its kind; "" where only the shape tells it."""
    if not isinstance(samples, Mapping):
        return "", as_tensor(samples)
    for kind in ("image", "point"):
        if kind in samples:
            return kind, as_tensor(samples[kind])
    raise BadInput(f"to_pil takes samples with an 'image' or a 'point', and these have {', '.join(map(str, samples))}")


def as_tensor(samples: Any) -> Tensor:
    """Return samples as a tensor. Raises `BadInput` for what cannot be one."""
    try:
        return torch.as_tensor(samples)
    except (TypeError, ValueError, RuntimeError) as error:
        raise BadInput(f"to_pil takes images {SHAPES} as a tensor, not {type(samples).__name__}") from error


def check_shown(kind: str, shape: torch.Size) -> None:
    """Raise `BadInput` if a picture cannot show samples of that kind and shape."""
    if reason := why_not_shown(kind, shape):
        raise BadInput(reason)
