"""Networks of images with weights and buffers of any number of dimensions, trained and opened again."""

import pytest
import torch
from torch import nn

import ganzoo
from games.losses import NonSaturating
from games.parts import NOISE
from ganzoo import Scheduled
from ganzoo.engine.hardware import Hardware
from tiny_game import agree, batches, make, play


class Film(ganzoo.Generator):
    """Flat and deep convolutions beside each other, as in a network of films."""

    latent_size = NOISE

    def __init__(self):
        super().__init__()
        self.flat, self.deep = nn.ConvTranspose2d(NOISE, 4, 5), nn.ConvTranspose3d(4, 2, 1)
        self.register_buffer("taps", torch.ones(1, 1, 1, 1, 1))
        self.parts = nn.Parameter(torch.zeros(2, 1, 1, 1, 1))

    def forward(self, given):
        deep = self.deep(self.flat(given["z"][:, :, None, None])[:, :, None]) * self.taps + self.parts.mean()
        return deep[:, :, 0]


class Judge(nn.Module):
    def __init__(self):
        super().__init__()
        self.flat, self.deep = nn.Conv2d(2, 4, 3), nn.Conv3d(4, 1, (1, 3, 3))
        self.register_buffer("mean", torch.zeros(1, 2, 1, 5, 5), persistent=False)

    def forward(self, images, given):
        return self.deep(self.flat(images - self.mean[:, :, 0])[:, :, None]).flatten(1)


@pytest.mark.parametrize("channels_last", [True, False])
def test_five_dimensions_beside_convolutions_of_images_train_and_open(channels_last):
    engine = make(networks=lambda: (Film(), Judge()), channels_last=channels_last)
    play(engine, 3, batches(2, 5, 5))
    assert engine.generator.flat.weight.is_contiguous(memory_format=torch.channels_last) == channels_last
    model = ganzoo.Model(engine.ema, {"data": {"kind": "image", "shape": [2, 5, 5], "classes": []}}, "cpu")
    assert model.sample(3).shape == (3, 2, 5, 5)


def test_with_channels_last_they_come_to_the_same_weights():
    last, first = (
        play(make(networks=lambda: (Film(), Judge()), channels_last=each), 4, batches(2, 5, 5))
        for each in (True, False)
    )
    for side in ("generator", "discriminator", "ema"):
        agree(getattr(last, side), getattr(first, side), rtol=1e-4, atol=1e-6)


def test_a_network_is_laid_out_as_torch_would_do_it():
    networks = [nn.Sequential(nn.Conv2d(3, 4, 1), nn.Conv2d(1, 5, 3), nn.BatchNorm2d(5)) for _ in range(2)]
    ours, torchs = Hardware("cpu").place(networks[0]), networks[1].to(memory_format=torch.channels_last)
    for one, other in zip(ours.state_dict().values(), torchs.state_dict().values(), strict=True):
        assert one.stride() == other.stride()


def test_weights_that_a_network_convolves_with_itself_are_laid_out_too():
    network = nn.Module()
    network.weight = nn.Parameter(torch.zeros(4, 3, 3, 3))
    assert Hardware("cpu").place(network).weight.is_contiguous(memory_format=torch.channels_last)
    assert Hardware("cpu", channels_last=False).place(network) is network


class Spectral(Film):
    """Has an operation that torch cannot do in bf16."""

    def forward(self, given):
        hidden = nn.functional.linear(given["z"], torch.eye(NOISE))
        return super().forward({"z": torch.complex(hidden, hidden).abs()})


def spectral():
    return Spectral(), Judge()


@pytest.fixture
def bf16_units(monkeypatch):
    monkeypatch.setattr("ganzoo.engine.hardware.has_bf16_units", lambda device: True)


def test_precision_auto_takes_fp32_where_an_operation_has_no_bf16(bf16_units, caplog):
    caplog.set_level("INFO", "ganzoo")
    engine = play(make(networks=spectral, precision="auto"), 2, batches(2, 5, 5))
    assert engine.hardware.precision == "fp32"
    (line,) = [record.getMessage() for record in caplog.records]
    assert line.startswith("training in fp32, since bf16 does not work here: ") and "BFloat16" in line
    assert "\n" not in line


def test_bf16_that_was_asked_for_is_refused_where_an_operation_has_none(bf16_units):
    with pytest.raises(ganzoo.errors.Failed, match=r"Spectral failed: RuntimeError: .*BFloat16"):
        play(make(networks=spectral, precision="bf16"), 1, batches(2, 5, 5))


def test_what_fails_in_every_precision_is_an_error_also_with_auto(bf16_units):
    class Broken(NonSaturating):
        def generator(self, step):
            raise RuntimeError("always")

    with pytest.raises(ganzoo.errors.Failed, match="always"):
        play(make(Scheduled(Broken(), name="broken"), networks=spectral, precision="auto"), 1, batches(2, 5, 5))
