"""Each check of architectures catches a plugin that breaks its promise."""

import pytest

from broken_plugins import BUILD, FORWARD, HIDDEN, ONCE, PIXELS, PLAY, SCORE, Broken, after_hidden, latent, tried

ARCHITECTURES = [
    Broken("final sigmoid", SCORE, "return torch.sigmoid(self.last(hidden))", "leave the final", {"scores-are-raw"}),
    *(
        Broken(f"scores through {bound}", SCORE, f"return {bound}", "whatever training does", {"scores-are-raw"})
        for bound in (
            "2 * torch.sigmoid(self.last(hidden))",
            "nn.functional.logsigmoid(self.last(hidden))",
            "10 * torch.tanh(self.last(hidden))",
            "nn.functional.softplus(self.last(hidden))",
        )
    ),
    Broken("softsign", SCORE, "return nn.functional.softsign(self.last(hidden))", "never leave", {"scores-are-raw"}),
    Broken("final tanh", SCORE, "return torch.tanh(self.last(hidden))", "leave the final", {"scores-are-raw"}),
    Broken(
        "latents from numpy",
        FORWARD,
        latent("torch.from_numpy(numpy.random.randn(n, 5)).float()"),
        "latent gives other numbers for an equal rng",
        {"same-seed-same-latents", "same-seed-same-sample", "state-survives-save-and-restore"},
    ),
    Broken(
        "latents from torch's global generator",
        FORWARD,
        latent("torch.randn(n, 5)"),
        "latent gives other numbers for an equal rng",
        {"same-seed-same-latents"},
    ),
    Broken(
        "latents from nowhere",
        FORWARD,
        latent("torch.linspace(-1, 1, 5 * n).view(n, 5)"),
        "latent gives the same numbers for every rng",
        {"same-seed-same-latents", "same-seed-same-sample"},
    ),
    Broken(
        "always 64 latents",
        FORWARD,
        latent("torch.randn(64, 5, generator=rng)"),
        "the latent 'z' of 8 samples has shape (64, 5)",
        {"same-seed-same-latents", "fakes-are-like-the-data", *PLAY},
    ),
    Broken(
        "a latent with the name of a parameter",
        FORWARD,
        latent("torch.randn(n, 5, generator=rng), 'seed': torch.rand(n, generator=rng)"),
        "no latent may be called seed: Model.sample has parameters of that name",
        {"same-seed-same-latents"},
    ),
    Broken(
        "a range that what is drawn leaves",
        FORWARD,
        "ranges = {'z': (0, 5)}\n\n    " + FORWARD,
        "latent draws what `ranges` does not let users fix: 'z' must lie in 0..5, got -",
        {"same-seed-same-latents"},
    ),
    Broken(
        "mean over the batch",
        HIDDEN,
        after_hidden("hidden = hidden - hidden.mean(0)"),
        "a sample in eval() depends on the others of its batch",
        {"samples-do-not-depend-on-batch-mates", "same-seed-same-sample"},
    ),
    Broken(
        "batch norm left in training statistics",
        "nn.BatchNorm1d(12)",
        "nn.BatchNorm1d(12, track_running_stats=False)",
        "use running ones in eval()",
        {"samples-do-not-depend-on-batch-mates", "same-seed-same-sample"},
    ),
    Broken(
        "a state from earlier mates",
        HIDDEN,
        after_hidden("hidden = self.memory(hidden)[0]"),
        "a sample in eval() depends on the others of its batch",
        {"samples-do-not-depend-on-batch-mates"},
        ((BUILD, f"self.memory = nn.LSTM(12, 12)\n        {BUILD}"),),
    ),
    Broken(
        "pairs of mates",
        HIDDEN,
        after_hidden("hidden = hidden + hidden[torch.arange(len(hidden)) ^ 1]"),
        "a sample in eval() depends on the others of its batch",
        {"samples-do-not-depend-on-batch-mates"},
    ),
    Broken(
        "one latent for all",
        FORWARD,
        latent("torch.randn(1, 5, generator=rng).expand(n, 5)"),
        "latent gives every sample the same 'z': draw numbers for each",
        {"same-seed-same-latents", "same-seed-same-sample"},
    ),
    Broken(
        "one sample for all",
        'self.first(given["z"])',
        'self.first(torch.randn(1, 5).expand_as(given["z"]))',
        "all samples are the same: forward does not use what latent draws for each",
        {"same-seed-same-sample"},
    ),
    Broken(
        "latents changed in place",
        HIDDEN,
        f'given["z"].div_(given["z"].norm(dim=1, keepdim=True))\n        {HIDDEN}',
        "forward changes what it is given (z): work on copies",
        {"same-seed-same-sample", "samples-do-not-depend-on-batch-mates", "weights-survive-safetensors"},
    ),
    Broken(
        "detached in the generator",
        PIXELS,
        "torch.tanh(self.last(hidden.detach()))",
        "no gradient reaches the generator's 'first.weight' on its turn",
        {"gradient-reaches-the-generator"},
    ),
    Broken(
        "detached in the discriminator",
        "self.first(images.flatten(1))",
        "self.first(images.detach().flatten(1))",
        "no gradient reaches the generator's 'first.weight' on its turn",
        {"gradient-reaches-the-generator", "scores-can-be-differentiated-twice", *PLAY},
    ),
    Broken(
        "unused parameter",
        BUILD,
        f"self.spare = nn.Linear(2, 2)\n        {BUILD}",
        "no gradient reaches the generator's 'spare.weight' on its turn",
        {"gradient-reaches-the-generator"},
    ),
    Broken(
        "parameters times zero",
        SCORE,
        "return self.last(0 * hidden + hidden.detach())",
        "no gradient reaches the discriminator's 'first.weight' on its turn",
        {"gradient-reaches-the-discriminator", "gradient-reaches-the-generator"},
    ),
    Broken(
        "an option that cuts the gradient",
        "nn.Linear(12, 1, bias=bias)",
        "nn.Linear(12, 1)\n        self.bias = bias",
        "with discriminator.bias = False: no gradient reaches the discriminator's 'first.weight' on its turn",
        {"gradient-reaches-the-discriminator", "gradient-reaches-the-generator"},
        ((SCORE, "return self.last(hidden if self.bias else hidden.detach())"),),
    ),
    Broken(
        "a parameter of both sides",
        "self.last = nn.Linear(12, 1, bias=bias)",
        "self.last = nn.Linear(12, 1, bias=bias)\n        self.shared = SHARED",
        "generator and discriminator share a parameter (shared is shared)",
        {"builds-with-every-option", *PLAY},
        (
            (BUILD, f"self.shared = SHARED\n        {BUILD}"),
            ("class Maker", "SHARED = nn.Parameter(torch.ones(1))\n\n\nclass Maker"),
        ),
    ),
    Broken(
        "state beside the weights",
        BUILD,
        f"self.shift = torch.randn(12)\n        {BUILD}",
        "a new generator with the same weights makes other samples",
        {"weights-survive-safetensors", "state-survives-save-and-restore"},
        ((PIXELS, "torch.tanh(self.last(hidden + self.shift))"),),
    ),
    Broken(
        "a memory in the discriminator",
        SCORE,
        "self.calls = getattr(self, 'calls', 0) + self.training\n        return self.last(hidden) * (1 + self.calls)",
        "is another after a resume than without it: keep whatever changes in training in buffers",
        {"state-survives-save-and-restore"},
    ),
    Broken(
        "noise from numpy",
        HIDDEN,
        after_hidden("hidden = hidden + numpy.random.randn()"),
        "sampling twice with one seed gives other images",
        {
            "same-seed-same-sample",
            "samples-do-not-depend-on-batch-mates",
            "weights-survive-safetensors",
            "state-survives-save-and-restore",
        },
    ),
    Broken(
        "float64",
        PIXELS,
        f"{PIXELS}.double()",
        "the generator's 'image' is torch.float64, the data's is torch.float32",
        {
            "fakes-are-like-the-data",
            "everything-is-finite",
            "gradient-reaches-the-generator",
            "gradient-reaches-the-discriminator",
            *PLAY,
        },
    ),
    Broken(
        "a sigmoid in the generator",
        PIXELS,
        "torch.sigmoid(self.last(hidden))",
        "no pixel is ever below 0",
        {"fakes-are-like-the-data"},
    ),
    Broken("out of range", PIXELS, f"3 * {PIXELS}", "images stop at 3, the data lie in", {"fakes-are-like-the-data"}),
    Broken("8 bits", PIXELS, "128 + 40 * self.last(hidden)", "pixels are about 1", {"fakes-are-like-the-data"}),
    Broken(
        "not finite in eval",
        HIDDEN,
        after_hidden("hidden = hidden if self.training else hidden * float('nan')"),
        "the generator's 'image' has a value that is not finite in eval()",
        {
            "everything-is-finite",
            "same-seed-same-sample",
            "samples-do-not-depend-on-batch-mates",
            "weights-survive-safetensors",
        },
    ),
    Broken(
        "another shape",
        "unflatten(1, self.image)",
        "unflatten(1, (1, 4, 9))",
        "the generator makes 'image' of shape (8, 1, 4, 9), the data has (8, 1, 6, 6)",
        {"fakes-are-like-the-data", *PLAY},
    ),
    Broken(
        "an option that does not build",
        '"elu": nn.ELU',
        '"gelu": nn.GELU',
        "with generator.activation = 'elu': architecture 'tiny' failed: KeyError: 'elu'",
        {
            "builds-with-every-option",
            "fakes-are-like-the-data",
            "everything-is-finite",
            "gradient-reaches-the-generator",
            "gradient-reaches-the-discriminator",
        },
    ),
    Broken(
        "classes that are optional in words only",
        "image, activation",
        "image, classes: int | None = None, activation",
        "without classes: tiny_gan.networks.Maker failed: TypeError: ",
        {"builds-with-every-option"},
        (
            (
                BUILD,
                f"self.categorical = {{'label': classes}}\n        self.label = nn.Embedding(4, 12)\n        {BUILD}",
            ),
            (PIXELS, "torch.tanh(self.last(hidden + self.label(given['label'])))"),
        ),
    ),
    Broken(
        "differentiable once",
        SCORE,
        "return Once.apply(self.last(hidden))",
        "the scores cannot be differentiated twice, which gradient penalties do",
        {"scores-can-be-differentiated-twice"},
        (("class Judge", f"{ONCE}class Judge"),),
    ),
    Broken(
        "only for float32",
        SCORE,
        "return torch.zeros(len(hidden), 1).index_add_(0, torch.arange(len(hidden)), self.last(hidden))",
        "tiny_gan.networks.Judge failed: RuntimeError: index_add_",
        {"plays-in-bfloat16"},
    ),
]


@pytest.mark.parametrize("broken", ARCHITECTURES, ids=lambda broken: broken.name)
def test_a_broken_architecture_is_caught_by_the_checks_that_it_breaks(site, broken):
    caught, all_checks = tried(site, "networks.py", "architecture", broken)
    assert any(broken.sentence in reason for reason in caught.values()), caught
    assert set(caught) == {f"tiny-{check}" for check in broken.checks}
    assert all_checks == 14
