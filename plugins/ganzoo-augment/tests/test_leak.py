"""With a fixed p below 1 the generator learns upright pictures, though the discriminator sees many that are turned.

Section 2.2 of Karras et al. 2020: as long as a turn is skipped often enough, the distribution of upright pictures
can be told from what is seen of it. With p = 1 it cannot: pictures of any orientation come to the same.
"""

import pytest
import torch
from torch import Tensor, nn

import ganzoo
from ganzoo_augment.ada import Ada

toys = ganzoo.testing.toys
SIDE, BATCH, STEPS = 8, 32, 500


class Critic(nn.Module):
    def __init__(self):
        super().__init__()
        layers = [nn.Conv2d(1, 16, 3, 1, 1), nn.LeakyReLU(0.2), nn.Conv2d(16, 32, 3, 2, 1), nn.LeakyReLU(0.2)]
        score = [nn.Flatten(), nn.Linear(32 * 16, 64), nn.LeakyReLU(0.2), nn.Linear(64, 1), nn.Flatten(0)]
        self.network = nn.Sequential(*layers, *score)

    def forward(self, images, given):
        return self.network(images)


def suns(count: int, rng: torch.Generator) -> Tensor:
    """Pictures of a bright spot near the upper edge, anywhere from left to right, (count, 1, 8, 8)."""
    y, x = torch.meshgrid(torch.arange(SIDE), torch.arange(SIDE), indexing="ij")
    left, top = (torch.rand(2, count, 1, 1, generator=rng) * torch.tensor([3, 0.5]).view(2, 1, 1, 1)).unbind()
    return (2 * torch.exp(-((x - left - 2) ** 2 + (y - top - 1.25) ** 2) / 2.5) - 1)[:, None]


def orientation(images: Tensor) -> list[float]:
    """The shares of pictures that are brightest near the upper, lower, left and right edge."""
    light = images[:, 0] + 1
    strips = light[:, :3], light[:, -3:], light[:, :, :3], light[:, :, -3:]
    brightest = torch.stack([strip.sum((1, 2)) for strip in strips]).argmax(0)
    return [(brightest == side).double().mean().item() for side in range(4)]


def train(p: float, seed: int) -> Tensor:
    """Train on these pictures, with the mirror, quarter turns and moves of ADA, and return 500 generated ones."""
    torch.manual_seed(seed)
    rng = torch.Generator().manual_seed(seed)
    networks = toys.TinyGenerator((1, SIDE, SIDE), latent_size=8, width=64), Critic()
    settings = {"precision": "fp32", "ema": 0.99, "seed": seed}
    losses = [toys.NonSaturating(), Ada(("blit",), p=p, adaptive=False)]
    optimizer = {"lr": 2e-3, "betas": [0.0, 0.9]}
    engine = ganzoo.Engine(*networks, losses, device="cpu", train=settings, optimizer=optimizer)
    engine.run(({"image": suns(BATCH, rng)} for _ in range(STEPS)), STEPS)
    with torch.no_grad():
        return engine.ema(engine.ema.latent(500, rng))


@pytest.mark.slow
@pytest.mark.parametrize("seed", [2, 3])
def test_turned_pictures_are_seen_and_not_learned(seed):
    rng = torch.Generator().manual_seed(seed)
    real = suns(4000, rng)
    step = toys.make_step("discriminator", toys.TinyGenerator((1, 8, 8)), Critic(), {"image": real}, {"z": real}, rng)
    step._views = [Ada(("blit",), p=0.6, adaptive=False).view]
    assert orientation(real) == [1, 0, 0, 0]
    assert orientation(step.see(real, step.batch)[0]) == pytest.approx([0.55, 0.15, 0.15, 0.15], abs=0.08)
    generated = train(p=0.6, seed=seed)
    assert orientation(generated)[0] > 0.95
    assert generated.std(0).mean() > 0.3 * real.std(0).mean()  # and they are not all alike
