"""A generator of digits of each class, and judges on two scales that guess the class as well."""

import torch
from torch import nn
from torch.nn.functional import avg_pool2d

import ganzoo


class Generator(ganzoo.Generator):
    labels = "drawn"

    def __init__(self, image, classes, width: int = 16):
        super().__init__()
        self.latent_size, self.categorical = 8, {"label": classes}
        self.label = nn.Embedding(classes, 8)
        pixels = image[0] * image[1] * image[2]
        first = nn.Linear(16, width)
        self.network = nn.Sequential(first, nn.ReLU(), nn.Linear(width, pixels), nn.Tanh(), nn.Unflatten(1, image))

    def forward(self, given):
        return self.network(torch.cat([given["z"], self.label(given["label"])], 1))


class Judges(nn.Module):
    needs = ("label",)

    def __init__(self, image, classes, width: int = 8):
        super().__init__()
        self.large, self.small = self.judge(image, width), self.judge(image, width)
        self.guess = nn.Linear(width, classes)

    @staticmethod
    def judge(image, width):
        first, last = nn.Conv2d(image[0], width, 4, 2, 1), nn.Conv2d(width, 1, 3, padding=1)
        return nn.ModuleList([nn.Sequential(first, nn.LeakyReLU(0.2)), last])

    def forward(self, images, given):
        scores, extras = [], {}
        for name, judge, view in (("large", self.large, images), ("small", self.small, avg_pool2d(images, 2))):
            extras[name] = judge[0](view)
            scores.append(judge[1](extras[name]))
        return scores, extras | {"guess": self.guess(extras["large"].mean((2, 3)))}
