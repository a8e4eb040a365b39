"""Detect mode collapse (samples that are all alike) and saturation (a discriminator that has stopped learning)."""

import math
from contextlib import suppress
from functools import cached_property

import torch
from torch import Tensor

from ganzoo.contract import Images, Step
from ganzoo.data.base import Data
from ganzoo.engine.loop import Engine
from ganzoo.errors import Error
from ganzoo.training.watch.samples import fixed_batch

STEPS_BETWEEN_CHECKS = 100
"""Training steps between two checks."""
CHECKS_UNTIL_WARNING = 5
"""Checks in a row that must find a sign: early in many sound trainings either sign appears, and passes by itself."""
COLLAPSED_DIVERSITY = 0.05
"""A lower diversity is a sign of mode collapse."""
SATURATED_GRADIENT = 0.01
"""A lower gradient of the discriminator's terms with respect to its scores is a sign of saturation."""
MAX_COMPARED = 64
"""Samples of a batch that are compared with one another."""
MIN_COMPARED = 8
"""With fewer samples in a batch nothing is compared."""
WARNINGS = {
    "collapse": "mode collapse: the samples are nearly all alike, at {diversity:.1%} of the mean distance between real "
    "ones; try a lower learning rate (optimizer.generator.lr), another loss or a gradient penalty",
    "saturation": "saturation: the discriminator separates real from fake samples perfectly and hardly learns; "
    "try a lower optimizer.discriminator.lr, a gradient penalty or another loss",
}
"""The warning for each sign."""


class CollapseDetector:
    """Checks both sides from time to time, and changes nothing in the training.

    `diversity` is the mean distance between two fake samples of a batch, divided by that between two real ones: about
    1 in a sound training, 0 if all fake samples are the same, None if it cannot be measured. `found_in_a_row` counts
    for each sign the latest checks in a row that found it.
    """

    def __init__(self, engine: Engine, data: Data) -> None:
        self.engine, self.data = engine, data
        self.diversity: float | None = None
        self.found_in_a_row = dict.fromkeys(WARNINGS, 0)

    @cached_property
    def batch(self) -> dict[str, Tensor]:
        """A fixed real batch, so that checks are comparable."""
        return fixed_batch(self.engine, self.data)

    def check(self) -> dict[str, str]:
        """Check both sides; return the warning for each sign that the last five checks have found."""
        batch, self.diversity, gradient = self.batch, None, None
        # Not every game opposes real and fake samples of one kind; without them there is nothing to check.
        with suppress(Error), self.engine.observe(batch) as step:
            self.diversity = measure_diversity(step)
            gradient = measure_score_gradient(self.engine, step)
        signs = {
            "collapse": self.diversity is not None and self.diversity < COLLAPSED_DIVERSITY,
            "saturation": gradient is not None and gradient < SATURATED_GRADIENT,
        }
        self.found_in_a_row = {sign: self.found_in_a_row[sign] + 1 if found else 0 for sign, found in signs.items()}
        lasting = [sign for sign, count in self.found_in_a_row.items() if count >= CHECKS_UNTIL_WARNING]
        return {sign: WARNINGS[sign].format(diversity=self.diversity) for sign in lasting}


def measure_diversity(step: Step) -> float | None:
    """Return the mean distance between fake samples over that between real ones; None if it is not finite."""
    # Compute both distances even if one is 0: several processes may have to make the fake samples together.
    real, fake = mean_distance(step.real), mean_distance(step.fake)
    found = fake / real if real else math.nan
    return found if math.isfinite(found) else None


@torch.no_grad()
def mean_distance(images: Images) -> float:
    """Return the mean Euclidean distance between two samples of a batch; 0 for fewer than 8 samples."""
    kinds = images.values() if isinstance(images, dict) else [images]
    points = torch.cat([kind[:MAX_COMPARED].flatten(1).float().cpu() for kind in kinds], 1)
    return torch.pdist(points).mean().item() if len(points) >= MIN_COMPARED else 0.0


def measure_score_gradient(engine: Engine, step: Step) -> float | None:
    """Return how strongly the discriminator's terms L depend on its scores s: mean |dL/ds|, real or fake, the larger.

    With cross entropy this is the discriminator's mean error, a probability; with Wasserstein's loss it is always 1.
    None if no term depends on scores.
    """
    active = [use for use in engine.losses if use.every == 1 and use.is_due(engine.index, 0)]
    terms = [term for use in active for term in use.terms(step).values() if term.requires_grad]
    if not terms:
        return None
    real, fake = [step.real_scores for _ in step._judges.each()], [step.fake_scores for _ in step._judges.each()]
    found = torch.autograd.grad(torch.stack([term.sum() for term in terms]).sum(), [*real, *fake], allow_unused=True)
    sums = [None if each is None else each.abs().sum().item() for each in found]
    by_kind = [[each for each in part if each is not None] for part in (sums[: len(real)], sums[len(real) :])]
    return max((sum(part) for part in by_kind if part), default=None)
