"""How long views take: milliseconds of one core for 64 pictures in colour, forward, and with the way back.

python benchmarks/augment.py
"""

import time
from collections.abc import Callable

import torch

import ganzoo
from ganzoo.testing import toys
from ganzoo_augment.ada import Ada
from ganzoo_augment.apa import Apa
from ganzoo_augment.views import DiffAugment, Mirror

VIEWS: dict[str, Callable[[], ganzoo.Loss]] = {
    "mirror": Mirror,
    "diffaugment": DiffAugment,
    "apa": lambda: Apa(p=0.5),
    "ada, all six": lambda: Ada(("blit", "geometric", "colour", "filter", "noise", "cutout"), p=0.5),
    "ada": lambda: Ada(p=0.5),
    **{
        f"ada, {group} alone": lambda group=group: Ada((group,), p=0.5)
        for group in ("blit", "geometric", "colour", "filter", "noise", "cutout")
    },
}
N, TIMES = 64, 20


def milliseconds(view: ganzoo.Loss, side: int, back: bool) -> float:
    """Return the shortest time of a view in milliseconds of CPU time."""
    shape = (3, side, side)
    step = toys.make_step(
        "discriminator",
        toys.TinyGenerator(shape),
        toys.TinyCritic(shape),
        {"image": torch.rand(N, *shape) * 2 - 1},
        {"z": torch.randn(N, 3)},
    )
    step._views, found = [view.view], []
    images = step.real.requires_grad_(back)
    _ = step.fake
    for _ in range(TIMES):
        begun = time.process_time()
        seen, _ = step.see(images, step.batch)
        if back:
            torch.autograd.grad(seen.sum(), images)
        found.append(time.process_time() - begun)
    return 1000 * min(found)


def main() -> None:
    """Print the table."""
    torch.set_num_threads(1)
    print(f"| {N} pictures | 32 px | with the way back | 64 px | with the way back |\n|---|---|---|---|---|")
    for name, make in VIEWS.items():
        times = [milliseconds(make(), side, back) for side in (32, 64) for back in (False, True)]
        print(f"| {name} | " + " | ".join(f"{each:.1f}" for each in times) + " |")


if __name__ == "__main__":
    main()
