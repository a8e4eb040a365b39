"""EfficientNet-Lite0, a small network that learned to see on photographs; its weights come from `load_lite0`.

Tan and Le 2019 (EfficientNet), table 1, in the Lite variant of TensorFlow: no squeeze and excitation, ReLU6 for swish,
the first and the last stage of a fixed size.
"""

from collections.abc import Iterator

import torch
from torch import Tensor, nn
from torch.nn.functional import pad

STEM, WIDTH = 32, 1280
"""Channels after the first convolution, and of the pooled features."""
STAGES = (
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
)
"""Blocks, kernel, stride of the first block, expansion and channels of each stage."""
MAPPED = {1: 4, 2: 8, 4: 16, 6: 32}
"""The stages whose output `Lite0.maps` returns, with the stride of each."""
EPSILON = 1e-3
"""What batch norm adds to a variance."""


class Lite0(nn.Module):
    """EfficientNet-Lite0 without its classifier, frozen: always in `eval()`, and nothing in it is trained.

    Its weights are neither parameters nor part of the state: no checkpoint and no model carries them. Images are
    (n, 3, height, width) in [-1, 1] of any size; grey ones (n, 1, height, width) are repeated. `channels` are those of
    the four `maps`, `width` is that of `pooled`. It computes in float32 also under autocast: in bf16 its features are
    wrong by 5 %, gradients through them by 80 %, and it is no faster on CPUs.
    """

    pretrained = True
    """Whether a module's buffers never change, so that no checkpoint needs them."""
    uses_pretrained = ("lite0",)
    sha256 = "8200c64479231665779f62bd669c09f6e4dde8a4ceefceeec84d343fbb9ed59c"
    """sha256 of its weights, by their names."""
    channels = tuple(STAGES[stage][-1] for stage in MAPPED)
    width = WIDTH

    def __init__(self) -> None:
        super().__init__()
        self.stem = make_convolution(3, STEM, 3, stride=2)
        self.stages, inputs = nn.ModuleList(), STEM
        for blocks, kernel, stride, expansion, outputs in STAGES:
            first = Block(inputs, outputs, kernel, stride, expansion)
            others = [Block(outputs, outputs, kernel, 1, expansion) for _ in range(blocks - 1)]
            self.stages.append(nn.Sequential(first, *others))
            inputs = outputs
        self.head = make_convolution(inputs, WIDTH, 1)
        self.eval()

    def train(self, mode: bool = True) -> "Lite0":
        """Stay in `eval()`: the statistics of batch norm belong to the weights."""
        return super().train(False)

    def maps(self, images: Tensor) -> list[Tensor]:
        """Return four feature maps of images, with strides 4, 8, 16 and 32 and the numbers of `channels`.

        Sides are those of the image divided by the stride, rounded up.
        """
        with torch.autocast(images.device.type, enabled=False):
            return [features for stage, features in enumerate(self._stages(images)) if stage in MAPPED]

    def pooled(self, images: Tensor) -> Tensor:
        """Return the features (n, 1280) before the classifier, averaged over the picture; never negative."""
        with torch.autocast(images.device.type, enabled=False):
            *_, last = self._stages(images)
            features: Tensor = self.head(last)
        return features.mean((2, 3))

    def forward(self, images: Tensor) -> Tensor:
        """Return `pooled`."""
        return self.pooled(images)

    def freeze(self) -> "Lite0":
        """Make all weights buffers that no state contains."""
        for module in self.modules():
            held = [*module.named_parameters(recurse=False), *module.named_buffers(recurse=False)]
            for name, value in held:
                delattr(module, name)
                module.register_buffer(name, value.detach(), persistent=False)
            if isinstance(module, nn.BatchNorm2d):
                module.track_running_stats = False  # else torch expects a count when it loads what this is a part of
        return self

    def _stages(self, images: Tensor) -> Iterator[Tensor]:
        is_half = images.dtype in (torch.float16, torch.bfloat16)
        features = self.stem(normalise(images.float() if is_half else images))
        for stage in self.stages:
            features = stage(features)
            yield features


class Block(nn.Module):
    """Inverted residual block (Sandler et al. 2018, MobileNetV2, table 1): widen, one filter per channel, narrow."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int, expansion: int) -> None:
        super().__init__()
        middle = inputs * expansion
        widen = [make_convolution(inputs, middle, 1)] if expansion > 1 else []
        filters = make_convolution(middle, middle, kernel, stride, groups=middle)
        self.body = nn.Sequential(*widen, filters, *make_convolution(middle, outputs, 1)[:-1])
        self.residual = stride == 1 and inputs == outputs

    def forward(self, features: Tensor) -> Tensor:
        """Return the features of the next block."""
        result: Tensor = self.body(features)
        return features + result if self.residual else result


class SameConv2d(nn.Conv2d):
    """Convolution whose output is its input's size divided by the stride, rounded up, padded as in TensorFlow.

    What cannot be padded alike on both sides is padded at the right and below.
    """

    def forward(self, images: Tensor) -> Tensor:
        """Return the padded images' convolution."""
        (kernel, stride), sides = (self.kernel_size[0], self.stride[0]), images.shape[2:]
        missing = [max(0, (side - 1) // stride * stride + kernel - side) for side in reversed(sides)]
        return super().forward(pad(images, [part for all_ in missing for part in (all_ // 2, all_ - all_ // 2)]))


def make_convolution(inputs: int, outputs: int, kernel: int, stride: int = 1, groups: int = 1) -> nn.Sequential:
    """Make a convolution with batch norm and ReLU6."""
    convolution = SameConv2d(inputs, outputs, kernel, stride, groups=groups, bias=False)
    return nn.Sequential(convolution, nn.BatchNorm2d(outputs, eps=EPSILON), nn.ReLU6())


def normalise(images: Tensor) -> Tensor:
    """Return images in [-1, 1] as the network learned them, (value of 0 to 255 - 127) / 128, in three channels.

    Raises `ValueError` for images that have neither one channel nor three.
    """
    if images.shape[1] not in (1, 3):
        raise ValueError(f"EfficientNet-Lite0 sees grey and coloured images, got {images.shape[1]} channels")
    return (images.expand(-1, 3, -1, -1) * 127.5 + 0.5) / 128
