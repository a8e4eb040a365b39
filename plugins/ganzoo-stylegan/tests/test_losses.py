"""Path length regularisation, against an explicit Jacobian."""

import math

import pytest
import torch
from torch import nn

import ganzoo
from ganzoo_stylegan.generator import Generator
from ganzoo_stylegan.losses import PathLength

toys = ganzoo.testing.toys


class Smooth(ganzoo.Generator):
    """Images of `styles` styles each, through a tanh, so that every derivative exists."""

    latent_size = 3

    def __init__(self, styles=2):
        super().__init__()
        self.styles = styles
        self.mapping, self.synthesis = nn.Linear(3, 4), nn.Linear(4 * styles, 8)

    def forward(self, given):
        w = torch.tanh(self.mapping(given["z"]))[:, None].repeat(1, self.styles, 1)
        return self.synthesize(w), {"w": w[:, 0] if self.styles == 1 else w}

    def synthesize(self, w):
        return torch.tanh(self.synthesis(w.flatten(1))).reshape(-1, 2, 2, 2)


class OneStyle(Smooth):
    """One style as a vector, (n, 4)."""

    def __init__(self):
        super().__init__(1)

    def forward(self, given):
        w = torch.tanh(self.mapping(given["z"]))
        return self.synthesize(w), {"w": w}


def turn(generator, n=6, seed=3):
    torch.manual_seed(0)
    z = torch.randn(n, 3, generator=torch.Generator().manual_seed(1)).double()
    batch = {"image": torch.zeros(n, 2, 2, 2).double()}
    rng = torch.Generator().manual_seed(seed)
    return toys.make_step("generator", generator, toys.TinyCritic((2, 2, 2)).double(), batch, {"z": z}, rng)


def lengths(generator, step, shrink, seed=3):
    """||J^T y|| of every `shrink`-th sample, from the whole Jacobian; y is normal noise over sqrt(height * width)."""
    noise = torch.randn(6, 2, 2, 2, generator=torch.Generator().manual_seed(seed)).double() / 2
    found = []
    for z, y in list(zip(step.latent["z"], noise, strict=True))[::shrink]:
        w = torch.tanh(generator.mapping(z)).detach().expand(generator.styles, -1)
        jacobian = torch.autograd.functional.jacobian(lambda w: generator.synthesize(w[None])[0], w)
        back = torch.einsum("cyx,cyxsw->sw", y, jacobian)
        found.append(math.sqrt(sum(row.square().sum().item() for row in back) / generator.styles))
    return found


@pytest.mark.parametrize("make", [Smooth, OneStyle])
@pytest.mark.parametrize("shrink", [1, 2])
def test_the_penalty_is_that_of_the_explicit_jacobian(make, shrink):
    torch.manual_seed(2)
    generator, loss = make().double(), PathLength(shrink=shrink).double()
    loss.mean.fill_(0.3)
    terms = loss.generator(step := turn(generator))
    expected = lengths(generator, step, shrink)
    assert len(expected) == 6 / shrink
    assert terms["length"].item() == pytest.approx(math.fsum(expected) / len(expected), rel=1e-9)
    squares = [(length - 0.3) ** 2 for length in expected]
    assert terms["penalty"].item() == pytest.approx(math.fsum(squares) / len(squares), rel=1e-9)
    assert not terms["length"].requires_grad


def test_its_gradient_is_that_of_central_differences():
    torch.manual_seed(2)
    generator, loss = Smooth().double(), PathLength().double()
    loss.mean.fill_(0.3)
    loss.generator(turn(generator))["penalty"].backward()

    @torch.enable_grad()
    def penalty():
        return loss.generator(turn(generator))["penalty"].item()

    for parameter in (generator.synthesis.weight, generator.mapping.weight):
        slopes = toys.central_differences(penalty, parameter)
        torch.testing.assert_close(parameter.grad, slopes, rtol=1e-5, atol=1e-7)


def test_the_running_mean_begins_at_zero_and_follows_the_lengths_of_the_generator_s_turns():
    generator, loss, expected = Smooth().double(), PathLength(decay=0.9).double(), 0.0
    for length in (2.0, 4.0, 1.0):
        loss.after(turn(generator), {"length": torch.tensor(length)})
        expected = 0.9 * expected + 0.1 * length
        assert loss.mean.item() == pytest.approx(expected, rel=1e-6)


def test_stylegan2_s_own_path_lengths_are_those_of_its_jacobian():
    torch.manual_seed(0)
    generator = Generator(image=(1, 16, 16), latent_size=3, w_size=4, mapping_layers=1, width=2, max_width=2).double()
    latent = generator.latent(2, torch.Generator().manual_seed(0))
    latent = {key: value.double() if value.is_floating_point() else value for key, value in latent.items()}
    step = toys.make_step(
        "generator", generator, toys.TinyCritic((1, 16, 16)).double(), {"image": torch.zeros(2, 1, 16, 16)}, latent
    )
    noise = torch.randn(2, 1, 16, 16, generator=torch.Generator().manual_seed(0)).double() / 16
    loss = PathLength(shrink=1).double()
    w, total = generator.mix(latent).detach(), 0.0
    for n in range(2):
        jacobian = torch.autograd.functional.jacobian(
            lambda one, n=n: generator.synthesis(one[None], latent["noise"][n : n + 1])[0], w[n]
        )
        total += torch.einsum("cyx,cyxsw->sw", noise[n], jacobian).square().sum(1).mean().sqrt().item()
    assert loss.generator(step)["length"].item() == pytest.approx(total / 2, rel=1e-8)


def test_a_generator_without_styles_is_refused():
    batch, latent = {"image": torch.zeros(2, 1, 2, 2)}, {"z": torch.zeros(2, 3)}
    step = toys.make_step("discriminator", toys.TinyGenerator(), toys.TinyCritic(), batch, latent)
    with pytest.raises(ValueError, match=r"^it needs a generator that returns \(images, \{'w': styles\}\), .*gan2$"):
        PathLength().setup(step)


@pytest.mark.parametrize(
    "options, sentence",
    [
        ({"decay": 1.0}, "decay must be at least 0 and below 1, got 1.0"),
        ({"shrink": 0}, "shrink must be at least 1, got 0"),
    ],
)
def test_options_out_of_range_are_refused(options, sentence):
    with pytest.raises(ValueError, match=f"^{sentence}$"):
        PathLength(**options)
