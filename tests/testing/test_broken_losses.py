"""Each check of losses, recipes and registrations catches a plugin that breaks its promise."""

import pytest

from broken_plugins import ONCE, Broken, tried
from tinyplugin import failed, install, results

REAL = "self.cost(1 - step.real_scores).mean()"


FOOL = '{"fool": -step.fake_scores.mean()}'


SHOWN = "images + 0.1 * step.randn(*images.shape)"


LOSSES = [
    Broken(
        "calls backward",
        f"return {FOOL}",
        f"terms = {FOOL}\n        terms['fool'].backward(retain_graph=True)\n        return terms",
        "on the generator's turn the loss itself calls backward: return the terms",
        {"gentle-leaves-the-steps-to-the-engine"},
    ),
    Broken(
        "steps",
        f"return {FOOL}",
        "with torch.no_grad():\n            next(step.generator.parameters()).add_(1)\n        return " + FOOL,
        "on the generator's turn the loss itself changes the networks",
        {"gentle-leaves-the-steps-to-the-engine"},
    ),
    Broken("no scalar", REAL, "self.cost(1 - step.real_scores)", "terms are scalar tensors by name", None),
    Broken(
        "not finite",
        REAL,
        f"{REAL} / 0",
        "the term 'real' of the discriminator's turn is inf, not a finite number",
        None,
    ),
    Broken(
        "not finite in half precision",
        f"return {FOOL}",
        "exact = step.score(step.fake, step.given, twice=True)\n        "
        "rounded = (exact - step.fake_scores).abs().max().gt(1e-5)\n        "
        "return {'fool': -step.fake_scores.mean() / (1 - rounded.float())}",
        "the loss term 'generator/gentle/fool' is not a finite number",
        {"gentle-plays-in-bfloat16"},
    ),
    Broken(
        "an option that does not build",
        '"hard": relu}',
        '"firm": relu}',
        "with cost = 'hard': loss 'gentle' failed: KeyError: 'hard'",
        {"gentle-builds-with-every-option", "gentle-terms-are-finite-scalars"},
    ),
    Broken(
        "moves the other side",
        f"return {FOOL}",
        f"step.discriminator.requires_grad_(True)\n        return {FOOL}",
        "the gradient on the generator's turn reaches the other side",
        {"gentle-gradient-reaches-its-own-side-only", "gentle-state-survives-save-and-restore"},
    ),
    Broken(
        "only the other side's gradient",
        FOOL,
        '{"fool": softplus(-step.real_scores).mean()}',
        "on the generator's turn the terms have a gradient for the other side alone",
        {"gentle-gradient-reaches-its-own-side-only"},
    ),
    Broken(
        "a parameter of its own",
        "self.cost = {",
        "self.scale = torch.nn.Parameter(torch.ones(()))\n        self.cost = {",
        "the loss has the parameter 'scale', which nothing trains",
        {"gentle-has-nothing-to-train"},
    ),
    Broken(
        "scores past the step",
        "-step.fake_scores.mean()",
        "-step.discriminator(step.fake, step.given).mean()",
        "on the generator's turn the loss calls the discriminator itself, past views and half precision: use step.gen",
        {"gentle-calls-the-networks-through-the-step"},
    ),
    Broken(
        "samples past the step",
        "-step.fake_scores.mean()",
        "-step.score(step.generator(step.given), step.given).mean()",
        "on the generator's turn the loss calls the generator itself",
        {"gentle-calls-the-networks-through-the-step"},
    ),
    Broken(
        "an endless slope",
        FOOL,
        '{"fool": (step.fake_scores - step.fake_scores.detach()).abs().sqrt().mean()}',
        "the gradient on the generator's turn is not finite",
        None,
    ),
    Broken(
        "pairs of the wrong shape",
        REAL,
        "self.cost(step.fake_scores.flatten() - step.real_scores).mean()",
        "is another where the same scores come as (n, 1)",
        {"gentle-scores-may-have-any-shape"},
    ),
    Broken(
        "only scores in a row",
        REAL,
        "self.cost(1 - step.real_scores @ torch.ones(len(step.real_scores)))",
        "with scores of shape (n, 1): loss ",
        {"gentle-scores-may-have-any-shape"},
    ),
    Broken(
        "refuses in its terms",
        REAL,
        "self.cost([scores for scores, _ in [(step.real_scores,)]][0]).mean()",
        "it plays no game: loss 'gentle': not enough values to unpack (expected 2, got 1) (in the kit's own g",
        {"gentle-builds-with-every-option"},
    ),
    Broken(
        "fails where it should refuse",
        REAL,
        "self.cost(step.real_extras['code']).mean()",
        "failed: KeyError: 'code'; let setup refuse in a sentence what cannot work",
        {"gentle-builds-with-every-option"},
    ),
    Broken(
        "state in an attribute",
        'self.register_buffer("mean", torch.zeros(()))',
        "self.mean = torch.zeros(())",
        "the term 'discriminator/moving/real' is another after a resume than without it",
        {"moving-state-survives-save-and-restore"},
    ),
    Broken(
        "a view that detaches",
        SHOWN,
        "images.detach() + 0.1 * step.randn(*images.shape)",
        "view lets no gradient through to the fake",
        None,
    ),
    Broken(
        "a view in float64",
        SHOWN,
        f"({SHOWN}).double()",
        "view makes torch.float64 of real images that are torch.float32",
        None,
    ),
    Broken("a view that divides by zero", SHOWN, "images / 0", "view makes real images that are not finite", None),
    Broken(
        "a view that is differentiable once",
        SHOWN,
        "Once.apply(images)",
        "what the loss does cannot be differentiated twice, as gradient penalties do; write it in differentiable",
        {"noise-can-be-differentiated-twice"},
        (("class Noise", f"{ONCE}class Noise"),),
    ),
]


@pytest.mark.parametrize("broken", LOSSES, ids=lambda broken: broken.name)
def test_a_broken_loss_is_caught_by_the_checks_that_it_breaks(site, broken):
    caught, all_checks = tried(site, "losses.py", "loss", broken)
    assert any(broken.sentence in reason for reason in caught.values()), caught
    assert broken.checks is None or set(caught) == broken.checks, caught
    assert all_checks == 3 * 11


def test_a_plugin_whose_registration_imports_torch_is_caught(site):
    install(site, ("__init__.py", "import ganzoo\n", "import ganzoo\nimport torch\n"))
    outcome = results("plugin", "loss")
    assert failed(outcome) == {
        "tiny-gan-imports-no-torch": "registering imports torch: register 'package.module:Class' and import torch in "
        "that module only"
    }


@pytest.mark.parametrize(
    "old, new, sentence",
    [
        ('"gentle"', '"gentil"', "unknown loss 'gentil'; did you mean 'gentle'?"),
        ('"gentle"', '"moving"', "nothing would train the generator"),
        ('architecture = "tiny"', 'architecture = { name = "tiny", biass = 1 }', "unknown key 'architecture.biass'"),
        ("loss", "los", "the recipe has no loss; add a [[loss]]"),
    ],
)
def test_a_recipe_that_does_not_train_is_caught(site, old, new, sentence):
    install(site, ("recipes/tiny.toml", old, new))
    (reason,) = failed(results("recipe")).values()
    assert sentence in reason
