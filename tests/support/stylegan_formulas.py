"""A plain statement of what the networks in files of StyleGAN2 compute, of weights that a layout finds.

It follows Karras et al. 2020 (and 2019 for the mapping) in float64, with loops in the place of strided convolutions,
and knows nothing of ganzoo's networks.
"""

from math import sqrt

import torch
from torch.nn.functional import conv2d

SIDES, DEPTH = (4, 8, 16), 2
TAPS = torch.tensor([1.0, 3.0, 3.0, 1.0], dtype=torch.float64) / 8


def normalise(vector):
    return vector / (vector.square().mean() + 1e-8).sqrt()


def activate(values):
    return torch.where(values < 0, 0.2 * values, values) * sqrt(2)


def linear(vector, weight, bias, rate=1.0):
    return (weight.double() * rate / sqrt(weight.shape[1])) @ vector + bias.double() * rate


def mapping_layer(vector, weight, bias):
    return activate(linear(vector, weight, bias, rate=0.01))


def filtered(image, before, after, step=1, gain=1.0):
    """Filter one image (channels, height, width) with 1 3 3 1, after zeros before and behind it."""
    padded = torch.nn.functional.pad(image, (before, after, before, after))
    height, width = padded.shape[1] - 3, padded.shape[2] - 3
    kernel, total = torch.outer(TAPS, TAPS) * gain, 0.0
    for row in range(4):
        for column in range(4):
            total = total + kernel[row, column] * padded[:, row : row + height, column : column + width]
    return total[:, ::step, ::step]


def spread(image):
    """Put zeros between the pixels."""
    channels, height, width = image.shape
    wide = torch.zeros(channels, 2 * height, 2 * width, dtype=image.dtype)
    wide[:, ::2, ::2] = image
    return wide


def transposed(image, weight):
    """Add up the kernel at every second pixel: a transposed convolution with stride 2, weight (out, in, 3, 3)."""
    _, height, width = image.shape
    made = torch.zeros(len(weight), 2 * height + 1, 2 * width + 1, dtype=image.dtype)
    for row in range(3):
        for column in range(3):
            part = torch.einsum("oi,ihw->ohw", weight[:, :, row, column], image)
            made[:, row : row + 2 * height : 2, column : column + 2 * width : 2] += part
    return made


def styled(image, weight, style, demodulate, double=False):
    """Equations 1 and 3 of Karras et al. 2020, for the weights themselves."""
    weight = weight.double() / sqrt(weight[0].numel()) * style[None, :, None, None]
    if demodulate:
        weight = weight / (weight.square().sum((1, 2, 3), keepdim=True) + 1e-8).sqrt()
    if double:
        return filtered(transposed(image, weight), 1, 1, gain=4.0)
    return conv2d(image[None], weight, padding=weight.shape[-1] // 2)[0]


def style_of(layout, z, label=None):
    """Return w for one noise vector."""
    parts = [normalise(z), *([normalise(layout.label(label))] if label is not None else [])]
    vector = torch.cat(parts)
    for number in range(DEPTH):
        vector = mapping_layer(vector, *layout.mapping(number))
    return vector


def generate(layout, z, noise, label=None, truncation=1.0):
    """Return one image; `noise` are the maps of the layers one after the other."""
    w = layout.mean.double() + truncation * (style_of(layout, z, label) - layout.mean.double())
    features, picture, place = layout.constant().double(), None, 0
    for number, side in enumerate(each for each in SIDES for _ in range(2 if each > SIDES[0] else 1)):
        weight, style, style_bias, strength, bias = layout.layer(number)
        features = styled(features, weight, linear(w, style, style_bias), True, double=number % 2 == 1)
        maps = noise[place : place + side * side].view(side, side)
        place += side * side
        features = activate(features + maps * strength.double() + bias.double()[:, None, None])
        if number % 2 == 0:
            weight, style, style_bias, bias = layout.to_image(number // 2)
            image = styled(features, weight, linear(w, style, style_bias), False) + bias.double()[:, None, None]
            picture = image if picture is None else filtered(spread(picture), 2, 1, gain=4.0) + image
    return picture


def convolve(image, weight, bias, padding):
    weight = weight.double() / sqrt(weight[0].numel())
    return conv2d(image[None], weight, None if bias is None else bias.double(), padding=padding)[0]


def score(layout, images, label=None):
    """Return the scores of a whole batch of up to four images, which are compared with each other."""
    maps = []
    for image in images:
        features = activate(convolve(image, *layout.judge_first(), 0))
        for number in range(len(SIDES) - 1):
            (first, second, skip) = layout.judge_block(number)
            inner = activate(convolve(features, *first, 1))
            inner = activate(convolve(filtered(inner, 2, 2), *second, 0)[:, ::2, ::2])
            features = (inner + convolve(filtered(features, 1, 1), skip, None, 0)[:, ::2, ::2]) / sqrt(2)
        maps.append(features)
    together = torch.stack(maps)
    deviation = (together.var(0, unbiased=False) + 1e-8).sqrt().mean()
    scores = []
    for features in maps:
        conv, hidden, last = layout.judge_last()
        compared = torch.cat([features, deviation.expand(1, *features.shape[1:])])
        vector = activate(convolve(compared, *conv, 1)).flatten()
        vector = linear(activate(linear(vector, *hidden)), *last)
        known = layout.judge_label(label)
        scores.append(vector[0] if known is None else vector @ known / sqrt(len(known)))
    return torch.stack(scores)
