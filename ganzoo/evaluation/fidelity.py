"""Measures images by the networks of torch-fidelity beside Inception: DINOv2 and CLIP, which are downloaded."""

import contextlib
import io
from collections.abc import Mapping
from functools import cached_property
from typing import Any

import torch
from torch import Tensor, nn

from ganzoo.errors import Error, Unavailable, needs_package
from ganzoo.evaluation.features import FeatureSuite
from ganzoo.evaluation.pixels import check_visible, to_rgb_bytes
from ganzoo.pictures.decode import WITH_ALPHA

IMAGES_PER_FORWARD = 32
"""Images that go through the network at once."""


class FidelitySuite(FeatureSuite):
    """The metrics of `FeatureSuite` by a network of torch-fidelity, whose name there is `name`.

    torch-fidelity downloads the weights, about 90 MB for DINOv2 and 340 MB for CLIP, and for DINOv2 also the code of
    facebookresearch/dinov2 from GitHub, which it runs.
    """

    on_request = "they need the package torch-fidelity"

    def extract(self, samples: Tensor) -> Tensor:
        """Return the features of images in [0, 1]."""
        parts = torch.split(to_rgb_bytes(samples), IMAGES_PER_FORWARD)
        found = [self._network(part.to(self._device))[0] for part in parts]
        return torch.cat(found)

    def check_data(self, data: Mapping[str, Any]) -> None:
        """Raise `BadInput` for images that have another shape than the data's, or that the network cannot see."""
        super().check_data(data)
        check_visible(self.name, data)

    def describe(self) -> dict[str, Any]:
        """Return whose network it is, and how images become what it sees."""
        import torch_fidelity

        return {
            "weights": "torch-fidelity's own",
            "torch_fidelity": torch_fidelity.__version__,
            "rounded_to": 256,
            **({"transparent": "white"} if next(iter(self.real.kind.spec.shape), 0) in WITH_ALPHA else {}),
            "resize": "to 224 x 224 as TensorFlow 1 does",
        }

    @property
    def _device(self) -> torch.device:
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")

    @cached_property
    def _network(self) -> nn.Module:
        return load_extractor(self.name, self.prefix).to(self._device)


class DinoSuite(FidelitySuite):
    """By DINOv2 (Oquab et al. 2023), whose features follow what people see as good (Stein et al. 2023)."""

    name, prefix, uses_pretrained = "dinov2-vit-s-14", "dinov2", ("dinov2",)


class ClipSuite(FidelitySuite):
    """By CLIP (Radford et al. 2021)."""

    name, prefix, uses_pretrained = "clip-vit-b-32", "clip", ("clip",)


def load_extractor(name: str, feature: str) -> nn.Module:
    """Load a network of torch-fidelity, in `eval()`; it returns a tuple with one tensor of features.

    Raises `BadInput` if torch-fidelity is not installed, `Unavailable` if the network cannot be downloaded.
    """
    try:
        from torch_fidelity.registry import FEATURE_EXTRACTORS_REGISTRY
    except ImportError as error:
        raise needs_package(f"'{name}'", "torch-fidelity") from error
    try:
        # The progress of a download goes to standard error.
        with contextlib.redirect_stderr(io.StringIO()), contextlib.redirect_stdout(io.StringIO()):
            network: nn.Module = FEATURE_EXTRACTORS_REGISTRY[name](name, [feature])
    except Error:
        raise
    except Exception as error:  # urllib, torch.hub, the code from GitHub each have their own
        reason = " ".join(str(error).split())[:200]
        raise Unavailable(f"the network '{name}' of torch-fidelity cannot be downloaded ({reason})") from error
    return network.eval()
