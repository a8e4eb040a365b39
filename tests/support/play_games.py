"""Plays every game of `games` in one of several processes, and keeps what it came to after each step.

    torchrun --nproc-per-node 2 tests/support/play_games.py FOLDER

Each process has its part of a batch that is as many times as long, and leaves `FOLDER/RANK.pt`.
"""

import copy
import sys
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

import ganzoo
from games.losses import NonSaturating
from games.parts import GAMES, SIZE, STEPS, Game, PointDiscriminator
from ganzoo import Scheduled
from ganzoo.engine.processes import Processes
from ganzoo.training.launch import connect_processes

COUNT = 2
"""Processes that the batches are made for."""
CHOSEN = 0.8
"""Above this a sample needs the part that others do without."""


def whole_batches(game: Game) -> Iterator[dict[str, Tensor]]:
    """Batches for all processes together."""
    torch.manual_seed(2)
    for _ in range(STEPS * game.critic_steps):
        parts = [game.data() for _ in range(COUNT)]
        yield {key: torch.cat([part[key] for part in parts]) for key in parts[0]}


class PathLength(ganzoo.Loss):
    """Karras et al. 2020, equation 4: a double backward of the generator, and a mean that moves with its own terms."""

    def __init__(self):
        super().__init__()
        self.register_buffer("mean", torch.zeros((), dtype=torch.float64))

    def generator(self, step):
        z = step.given["z"].detach().requires_grad_()
        images = step.generate({**step.given, "z": z}, twice=True)
        (slope,) = torch.autograd.grad((images * step.randn(*images.shape)).sum(), z, create_graph=True)
        length = slope.square().sum(1).sqrt()
        return {"path": (length - self.mean).square().mean(), "length": length.mean().detach()}

    def after(self, step, terms):
        if step.turn == "generator":
            self.mean.lerp_(terms["length"], 0.1)


class OneOfTwo(PointDiscriminator):
    """A part that only some samples need, so that one process may have no gradient; another that none ever needs."""

    def __init__(self):
        super().__init__()
        self.extra, self.never = nn.Linear(SIZE, 1), nn.Linear(1, 1)

    def forward(self, images, given):
        scores, chosen = self.net(images), images[:, 0] > CHOSEN
        return scores + self.extra(images) * chosen[:, None] if chosen.any() else scores


class Pool(ganzoo.Loss):
    """Keeps a sample of its own process (Shrivastava et al. 2017, section 2.3), and logs it as a whole number too."""

    def setup(self, step):
        self.register_buffer("kept", step.real[0].clone())

    def discriminator(self, step):
        return {"old": step.score(self.kept[None].expand_as(step.real), step.batch).mean(), "count": torch.tensor(3)}

    def after(self, step, terms):
        self.kept.copy_(step.batch["image"][-1])


class BothAtOnce(ganzoo.Loss):
    """Numbers for real and fake samples in one draw, a torch.Size for a shape, and some that are no samples' own."""

    def discriminator(self, step):
        both = torch.cat([step.real, step.fake]) + step.randn(2 * len(step.real), 1) * step.rand(1, SIZE)
        return {"both": step.score(both, step.batch).mean(), "real": step.score(step.rand(step.real.shape), {}).mean()}


NORMED = ("pix2pix",)
"""Games with batch norm, which looks at each process's own samples, so that two processes do not equal one."""
MORE = {
    "path_length": replace(GAMES["vanilla"], losses=lambda: [NonSaturating(), Scheduled(PathLength(), every=2)]),
    "a_part_without_gradient": replace(GAMES["vanilla"], discriminator=OneOfTwo),
    "both_at_once": replace(GAMES["vanilla"], losses=lambda: [NonSaturating(), BothAtOnce()]),
    "in_parts": GAMES["augmentation"],
    "in_parts_with_another_latent": GAMES["mode_seeking"],
}
ALL = GAMES | MORE


def engine_of(name: str, *more: ganzoo.Loss) -> ganzoo.Engine:
    """The game's engine; some split each batch in two."""
    accumulate = 2 if name.startswith("in_parts") else 1
    return ALL[name].engine(*more, accumulate=accumulate)


def played(name: str, processes: Processes) -> list[dict[str, Any]]:
    """All weights and buffers after each step, and the terms."""
    engine = engine_of(name)
    share = partial(processes.shard, parts=engine.train.accumulate)
    own = ({key: share(value) for key, value in batch.items()} for batch in whole_batches(ALL[name]))
    found = []
    for _ in range(STEPS):
        engine.step(own)
        found.append({"terms": engine.metrics(), **state_of(engine)})
    return found


def state_of(engine: ganzoo.Engine) -> dict[str, dict[str, Tensor]]:
    """What both sides are."""
    return {side: copy.deepcopy(getattr(engine, side).state_dict()) for side in ("generator", "discriminator")}


def main(folder: str) -> None:
    """Play all games."""
    torch.set_default_dtype(torch.float64)
    with connect_processes() as processes:
        assert processes.count == COUNT
        torch.save({name: played(name, processes) for name in ALL}, Path(folder) / f"{processes.rank}.pt")


if __name__ == "__main__":
    main(sys.argv[1])
