import numpy as np
import pytest
import torch
from torch import nn

import ganzoo
from ganzoo_infogan.losses import MutualInformation

KINDS = 4


class Maker(ganzoo.Generator):
    latent_size = 3

    def __init__(self):
        super().__init__()
        self.categorical = {"kind": KINDS}
        self.layer = nn.Linear(6, 5)

    def latent(self, n, rng):
        uniform = torch.rand(n, 3, generator=rng) * 2 - 1
        return super().latent(n, rng) | {"pose": uniform[:, :2], "size": uniform[:, 2]}

    def forward(self, given):
        parts = [given["z"], given["pose"], (given["kind"] + given["size"])[:, None]]
        return torch.tanh(self.layer(torch.cat(parts, 1).to(self.layer.weight.dtype)))


class Reader(nn.Module):
    """Guesses what is asked for: {"name of a code": the shape of its guess}."""

    def __init__(self, **guessed):
        super().__init__()
        self.guessed = guessed
        self.score = nn.Linear(5, 1)
        self.layers = nn.ModuleDict({key: nn.Linear(5, int(np.prod(shape))) for key, shape in guessed.items()})

    def forward(self, images, given):
        return self.score(images), {
            key: 3 * self.layers[key](images).reshape(-1, *shape) for key, shape in self.guessed.items()
        }


ALL = {"kind": (KINDS,), "pose": (2,), "size": ()}


def step_of(turn, reader, batch=None):
    torch.manual_seed(0)
    maker, rng = Maker().double(), torch.Generator().manual_seed(0)
    return ganzoo.Step(
        turn,
        0,
        batch or {"image": torch.randn(8, 5, dtype=torch.float64)},
        {key: v.double() if v.is_floating_point() else v for key, v in maker.latent(8, rng).items()},
        generator=maker,
        discriminator=reader.double(),
        call=lambda network, *inputs, twice: network(*inputs),
        rng=rng,
    )


def plain(step, continuous):
    """-log q(code | image) in numpy, averaged over the samples, without the constant of the normal density."""
    guess = {key: value.detach().numpy() for key, value in step.fake_extras.items()}
    kind, pose, size = (step.latent[key].numpy() for key in ("kind", "pose", "size"))
    chance = np.exp(guess["kind"]) / np.exp(guess["kind"]).sum(1, keepdims=True)
    return {
        "kind": -np.mean([np.log(chance[i, kind[i]]) for i in range(8)]),
        "pose": continuous * np.mean([sum((guess["pose"][i] - pose[i]) ** 2) / 2 for i in range(8)]),
        "size": continuous * np.mean((guess["size"] - size) ** 2 / 2),
    }


@pytest.mark.parametrize("continuous", [0.1, 1.0])
@pytest.mark.parametrize("turn", ["discriminator", "generator"])
def test_the_terms_are_the_negative_log_likelihoods_of_the_codes(turn, continuous):
    step = step_of(turn, Reader(**ALL))
    terms = getattr(MutualInformation(continuous), turn)(step)
    expected = plain(step, continuous)
    assert {key: term.item() for key, term in terms.items()} == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("guessed", [["kind"], ["size"], ["kind", "pose"]], ids=str)
def test_only_what_is_both_drawn_and_guessed_is_a_term(guessed):
    reader = Reader(elsewhere=(2,), **{key: ALL[key] for key in guessed})
    step = step_of("generator", reader)
    loss = MutualInformation()
    loss.setup(step)
    assert list(loss.generator(step)) == guessed


def test_each_turn_drives_its_own_side():
    for turn, driven in ("discriminator", [False, True]), ("generator", [True, True]):
        step = step_of(turn, Reader(**ALL))
        sum(getattr(MutualInformation(), turn)(step).values()).backward()
        layers = step.generator.layer, step.discriminator.layers["pose"]
        assert [layer.weight.grad is not None for layer in layers] == driven


def test_a_code_that_the_data_brings_is_the_one_to_be_guessed():
    kind = torch.tensor([3, 3, 3, 3, 0, 0, 0, 0])
    step = step_of("generator", Reader(kind=(KINDS,)), {"image": torch.randn(8, 5), "kind": kind})
    chance = step.fake_extras["kind"].detach().softmax(1).numpy()
    expected = -np.mean([np.log(chance[i, kind[i]]) for i in range(8)])
    assert MutualInformation().generator(step)["kind"].item() == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("turn", ["discriminator", "generator"])
def test_gradients_are_those_of_the_formula(turn):
    step = step_of(turn, Reader(**ALL))
    weight = step.discriminator.layers["size"].weight
    terms = getattr(MutualInformation(0.3), turn)(step)
    (found,) = torch.autograd.grad(terms["size"], weight)
    guess = (step.fake_extras["size"] - step.latent["size"]).detach()
    torch.testing.assert_close(found, (0.3 * 3 * guess[:, None] * step.fake.detach()).mean(0, keepdim=True))


@pytest.mark.parametrize("guessed, said", [({}, "nothing"), ({"name": (3,), "age": ()}, "name, age")], ids=str)
def test_a_discriminator_that_guesses_no_code_is_refused_in_a_sentence(guessed, said):
    engine = ganzoo.Engine(Maker(), Reader(**guessed), [MutualInformation()], device="cpu")
    sentence = rf"the discriminator must guess what the generator draws \(z, kind, pose, size\), but guesses {said}$"
    with pytest.raises(ganzoo.BadInput, match=sentence):
        engine.run([{"image": torch.randn(8, 5)}], steps=1)


def test_a_guess_in_another_shape_is_refused_in_a_sentence():
    engine = ganzoo.Engine(Maker(), Reader(kind=(KINDS,), size=(1,)), [MutualInformation()], device="cpu")
    sentence = r"the discriminator guesses 'size' in shape \(8, 1\), the code has \(8,\)$"
    with pytest.raises(ganzoo.BadInput, match=sentence):
        engine.run([{"image": torch.randn(8, 5)}], steps=1)


@pytest.mark.parametrize("continuous", [0.0, -1.0, float("inf"), float("nan")])
def test_weights_out_of_range_are_refused_in_a_sentence(continuous):
    with pytest.raises(ValueError, match=f"^continuous must be a number greater than 0, got {continuous}$"):
        MutualInformation(continuous)
