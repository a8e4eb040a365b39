"""What the processes of a training exchange on every turn, and the check that they stay in agreement."""

import zlib
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from ganzoo.engine.processes import Processes
from ganzoo.errors import BadInput

ROW_LENGTH = 64
"""Terms are sent in rows of this length, padded with zeros."""


class Exchange:
    """Averages gradients and terms over processes, and notices when the processes no longer agree.

    They agree as long as they play the same game: batches of one length, the same terms, the same random draws.
    """

    def __init__(self, processes: Processes, device: torch.device) -> None:
        self.processes, self.device = processes, device
        self.mismatch = 0.0

    @torch.no_grad()
    def average(self, parameters: Sequence[nn.Parameter], terms: list[dict[str, Tensor]], fingerprint: int) -> None:
        """Replace gradients and terms with their means over all processes.

        A process without gradient for a parameter counts as 0 if another one has it. `fingerprint` is a number that
        must be the same in all processes; `check` raises if it was not.
        """
        gradients = [torch.zeros_like(p) if p.grad is None else p.grad for p in parameters]
        facts = torch.tensor([fingerprint, *(p.grad is not None for p in parameters)], dtype=torch.float64)
        named = [(own, name) for own in terms for name in own]
        values = self._in_rows([own[name] for own, name in named])
        self.processes.average([facts, *gradients, values])
        self.mismatch += abs(facts[0].item() - fingerprint)
        for (own, name), value in zip(named, values, strict=False):
            own[name] = value.to(own[name].dtype if own[name].is_floating_point() else torch.float32)
        for has_gradient, parameter, gradient in zip(facts[1:].tolist(), parameters, gradients, strict=True):
            # Where no process has a gradient, None stays: optimizers skip such a parameter, but not one with zeros.
            if parameter.grad is None and has_gradient:
                parameter.grad = gradient

    def _in_rows(self, values: Sequence[Tensor]) -> Tensor:
        """Return scalars as one vector of whole rows: processes whose terms differ can then finish, and report it."""
        parts = [*(value[None] for value in values), torch.zeros(-len(values) % ROW_LENGTH)]
        return torch.cat([part.to(self.device, torch.float64) for part in parts])

    def check(self) -> None:
        """Raise `BadInput` if the fingerprints of the processes have differed."""
        if self.mismatch:
            raise BadInput(
                "the processes no longer agree: lengths of batches, names of loss terms or random draws differ between "
                "them; none of these may depend on the samples"
            )


def fingerprint(length: int, terms: Sequence[dict[str, Tensor]], rng: torch.Generator) -> int:
    """Return a checksum of what must be the same in all processes after a turn, apart from the weights."""
    facts = repr([length, *(list(own) for own in terms)]).encode()
    return zlib.crc32(facts, zlib.crc32(rng.get_state().numpy().data))
