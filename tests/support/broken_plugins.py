"""What is replaced in the sound little plugin so that some checks fail, and which ones."""

from dataclasses import dataclass

from tinyplugin import failed, install, results

PLAY = {"plays-in-float32", "plays-in-bfloat16", "state-survives-save-and-restore"}
HIDDEN = 'hidden = self.act(self.norm(self.first(given["z"])))'
PIXELS = "torch.tanh(self.last(hidden))"
SCORE = "return self.last(hidden)"
FORWARD = "def forward(self, given):"
BUILD = "self.act = "


@dataclass
class Broken:
    """A change of the sound plugin, what must be said of it, and exactly which checks must fail."""

    name: str
    old: str
    new: str
    sentence: str
    checks: set[str]
    further: tuple[tuple[str, str], ...] = ()


def latent(body):
    return f"def latent(self, n, rng):\n        return {{'z': {body}}}\n\n    {FORWARD}"


def after_hidden(line):
    return f"{HIDDEN}\n        {line}"


ONCE = """class Once(torch.autograd.Function):
    @staticmethod
    def forward(ctx, values):
        ctx.save_for_backward(values)
        return values.square()

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx, gradient):
        return 2 * ctx.saved_tensors[0] * gradient


"""


def tried(site, file, kind, broken):
    """The checks that fail, with their sentences, and the number of all."""
    install(site, *((file, old, new) for old, new in [(broken.old, broken.new), *broken.further]))
    outcome = results(kind)
    return failed(outcome), len(outcome)
