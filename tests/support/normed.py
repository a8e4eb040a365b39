"""Networks with batch norm and dropout."""

from torch import nn

import ganzoo
from games.parts import SIZE, PointDiscriminator, PointGenerator


class NormedGenerator(PointGenerator):
    def __init__(self):
        super().__init__()
        self.norm, self.dropout = nn.BatchNorm1d(SIZE), nn.Dropout(0.5)

    def forward(self, given):
        return self.norm(self.dropout(super().forward(given)))


class NormedDiscriminator(PointDiscriminator):
    def __init__(self):
        super().__init__()
        self.norm, self.dropout = nn.BatchNorm1d(SIZE), nn.Dropout(0.5)

    def forward(self, images, given):
        return super().forward(self.norm(self.dropout(images)), given)


def normed_networks() -> tuple[ganzoo.Generator, nn.Module]:
    return NormedGenerator(), NormedDiscriminator()
