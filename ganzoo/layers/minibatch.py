"""A layer that lets a discriminator compare the samples of a batch, against a generator that repeats itself."""

import torch
from torch import Tensor, nn


class MinibatchDeviation(nn.Module):
    """Add one feature map with the standard deviation over a group of samples.

    Karras et al. 2018 (Progressive growing of GANs), section 3: the standard deviation of each feature at each pixel
    over the samples of a group, averaged to one number per group. The batch is split into groups of `group` samples, or
    taken as one group if `group` does not divide it. The scores then depend on the batch, so do not use this layer
    with a penalty on the gradient of each sample by itself. Raises `ValueError` for a group of fewer than two.
    """

    def __init__(self, group: int = 4) -> None:
        super().__init__()
        if group < 2:
            raise ValueError(f"group must be at least 2, got {group}")
        self.group = group

    def forward(self, features: Tensor) -> Tensor:
        """Return (n, channels + 1, height, width) for features (n, channels, height, width)."""
        n, _, height, width = features.shape
        group = n if n % self.group else self.group
        grouped = torch.unflatten(features, 0, (-1, group))
        # Written out, as torch's `var` over such an axis takes several times as long.
        variances = (grouped - grouped.mean(1, keepdim=True)).square().mean(1)
        # The square root has no finite derivative at 0, which is the variance of a group of equal samples.
        deviations = (variances + 1e-8).sqrt().mean((1, 2, 3))
        extra = deviations.repeat_interleave(group)[:, None, None, None].expand(n, 1, height, width)
        return torch.cat([features, extra], 1)
