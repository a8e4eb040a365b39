"""What is sound passes every check, however unusual, and what cannot be played is skipped with the reason."""

import re

import pytest

import ganzoo
from checking import FORWARD, PIXELS, SOURCE, endings, source
from tinyplugin import failed, install, results


def test_the_sound_plugin_passes_every_check(site):
    outcome = results("plugin", "architecture", "loss", "recipe", name=install(site))
    assert failed(outcome) == {}
    assert len(outcome) == 1 + 14 + 3 * 11 + 1
    skipped = [key for key, (result, _) in outcome.items() if result == "skipped"]
    assert skipped == ["gentle-view-lets-gradient-through", "moving-view-lets-gradient-through"]


def test_every_check_has_a_name_of_its_own(site):
    found = ganzoo.testing.checks_of(install(site))
    ids = [check.id for check in found]
    assert len(set(ids)) == len(ids)
    assert {
        "plugin-tiny-gan-imports-no-torch",
        "architecture-tiny-same-seed-same-latents",
        "architecture-tiny-scores-are-raw",
        "loss-gentle-terms-are-finite-scalars",
        "recipe-tiny-trains-and-samples",
    } <= set(ids)
    assert all(re.fullmatch(r"[\w.-]+", each) for each in ids)


SOUND = {
    "tied weights": [
        ("self.act = ", "self.second = nn.Linear(12, 12)\n        self.third = nn.Linear(12, 12)\n"
                        "        self.third.weight = self.second.weight\n        self.act = "),
        (PIXELS, "torch.tanh(self.last(self.third(self.second(hidden)))).unflatten(1, self.image)"),
    ],
    "a gate that starts at zero": [
        ("self.act = ", "self.gate = nn.Parameter(torch.zeros(()))\n        self.act = "),
        ("self.norm =", "self.side = nn.Linear(12, 12)\n        self.norm ="),
        (PIXELS, "torch.tanh(self.last(hidden + self.gate * self.side(hidden))).unflatten(1, self.image)"),
    ],
    "noise from torch in forward": [
        (PIXELS, "torch.tanh(self.last(hidden + torch.randn_like(hidden))).unflatten(1, self.image)"),
    ],
    "a frozen parameter": [
        ("self.act = ", "self.scale = nn.Parameter(torch.ones(()), requires_grad=False)\n        self.act = "),
    ],
    "a label for every sample": [
        (FORWARD, 'needs, categorical = ("label",), {"label": 4}\n\n    ' + FORWARD),
        ("def __init__(self, image, activation", "def __init__(self, image, classes, activation"),
        ("self.act = ", "self.label = nn.Embedding(classes, 12)\n        self.act = "),
        (PIXELS, 'torch.tanh(self.last(hidden + self.label(given["label"]))).unflatten(1, self.image)'),
    ],
    "classes that are optional": [
        ("def __init__(self, image, activation", "def __init__(self, image, classes: int | None = None, activation"),
        ("self.act = ", "self.categorical = {'label': classes} if classes else {}\n"
                        "        self.label = nn.Embedding(classes or 1, 12)\n        self.act = "),
        (PIXELS, "torch.tanh(self.last(hidden + self.label(given.get('label', torch.zeros(len(hidden), dtype=int)))))"
                 ".unflatten(1, self.image)"),
    ],
    "a label that has to be given": [
        (FORWARD, 'needs = ("label",)\n\n    ' + FORWARD),
        ("self.act = ", "self.label = nn.Embedding(4, 12)\n        self.act = "),
        (PIXELS, 'torch.tanh(self.last(hidden + self.label(given["label"]))).unflatten(1, self.image)'),
    ],
    "a latent that is a setting, and one that is a choice": [
        (FORWARD, "def latent(self, n, rng):\n        on = torch.randint(2, (n, 1), generator=rng).float()\n"
                  "        return {**super().latent(n, rng), 'strength': torch.ones(n), 'on': on}\n\n    " + FORWARD),
        (PIXELS, "torch.tanh(given['strength'][:, None] * self.last(hidden + given['on'])).unflatten(1, self.image)"),
    ],
    "a map of scores": [("return self.last(hidden)", "return self.last(hidden)[..., None].expand(-1, 1, 3)")],
    "spectral normalisation": [
        ("self.last = nn.Linear(12, 1, bias=bias)", "self.last = nn.Linear(12, 1, bias=bias)\n"
         "        for layer in (self.first, self.last):\n            nn.utils.parametrizations.spectral_norm(layer)"),
    ],
    "spectral normalisation of torch's old kind in a deep network": [
        ("hidden = nn.functional.leaky_relu(self.first(images.flatten(1)), 0.2)",
         "hidden = self.deep(nn.functional.leaky_relu(self.first(images.flatten(1)), 0.2))"),
        ("self.last = nn.Linear(12, 1, bias=bias)", "self.last = nn.utils.spectral_norm(nn.Linear(12, 1, bias=bias))\n"
         "        self.first = nn.utils.spectral_norm(self.first)\n"
         "        self.deep = nn.Sequential(*(layer for _ in range(6) for layer in "
         "(nn.utils.spectral_norm(nn.Linear(12, 12)), nn.LeakyReLU(0.2))))"),
    ],
    "images without a last activation, as in StyleGAN": [(PIXELS, "self.last(hidden).unflatten(1, self.image)")],
    "spectral and instance normalisation without a bias": [
        ("bias: bool = True", "bias: bool = False"),
        ("self.last = nn.Linear(12, 1, bias=bias)", "self.last = nn.Linear(12, 1, bias=bias)\n"
         "        self.first.register_parameter('bias', None)\n"
         "        for layer in (self.first, self.last):\n            nn.utils.parametrizations.spectral_norm(layer)"),
        ("return self.last(hidden)", "return self.last(nn.functional.instance_norm(hidden[:, None])[:, 0])"),
    ],
    "an energy, which is never negative": [
        ("self.last = nn.Linear(12, 1, bias=bias)", "self.last = nn.Linear(12, prod(image), bias=bias)"),
        ("return self.last(hidden)", "return (self.last(hidden) - images.flatten(1)).square().mean(1)"),
    ],
    "dropout in the discriminator": [
        ("return self.last(hidden)", "return self.last(nn.functional.dropout(hidden, 0.3, self.training))"),
    ],
}  # fmt: skip


@pytest.mark.parametrize("changes", SOUND.values(), ids=SOUND)
def test_what_is_unusual_but_sound_passes(site, changes):
    install(site, *(("networks.py", old, new) for old, new in changes))
    outcome = results("architecture")
    assert failed(outcome) == {}
    assert endings(outcome) == {"ok"}


def test_without_batches_of_their_kind_architectures_are_looked_at_as_far_as_possible(site):
    install(site, *SOURCE)
    outcome = results("architecture")
    assert failed(outcome) == {}
    assert outcome["tiny-builds-with-every-option"] == ("ok", "")
    assert outcome["tiny-same-seed-same-latents"] == ("ok", "")
    assert outcome["tiny-scores-are-raw"] == (
        "skipped",
        "needs 'source' in its batches: give checks(..., batch=function(n, rng) -> dict)",
    )


def test_with_batches_of_their_kind_every_check_is_made(site):
    install(site, *SOURCE)
    assert endings(results("architecture", batch=source)) == {"ok"}


def test_a_generator_of_several_kinds_of_image_passes(site):
    install(
        site,
        ("networks.py", FORWARD, 'makes = ("image", "mask")\n\n    ' + FORWARD),
        ("networks.py", f"return {PIXELS}", f"image = {PIXELS}\n        return {{'image': image, 'mask': 3 * image}}"),
        ("networks.py", "self.first(images.flatten(1))", 'self.first((images["image"] + images["mask"]).flatten(1))'),
        ("recipes/tiny.toml", ', { name = "noise" }', ""),
    )
    outcome = results("architecture", batch=lambda n, rng: {"mask": source(n, rng)["source"]})
    assert failed(outcome) == {}
    assert endings(outcome) == {"ok"}


CODE = [
    ("networks.py", "return self.last(hidden)", 'return self.last(hidden), {"code": self.code(hidden)}'),
    ("networks.py", "self.last = nn.Linear(12, 1, bias=bias)",
     "self.last = nn.Linear(12, 1, bias=bias)\n        self.code = nn.Linear(12, 5)"),
]  # fmt: skip


INFORMATION = (
    "losses.py",
    'return {"fool": -step.fake_scores.mean()}',
    'return {"code": (step.fake_extras["code"] - step.given["z"]).square().mean()}\n\n'
    "    def setup(self, step):\n        if 'code' not in step.fake_extras:\n"
    "            raise ValueError('it needs a discriminator that guesses the code')",
)


def test_a_loss_that_refuses_the_kits_game_is_played_with_its_own_plugins_architectures(site):
    install(site, *CODE, INFORMATION)
    outcome = results("architecture", "loss")
    assert failed(outcome) == {}
    assert outcome["gentle-state-survives-save-and-restore"] == ("ok", "")


def test_a_loss_that_refuses_all_of_these_is_played_with_any_other_architecture_here(site):
    install(site, INFORMATION)
    site.install("broken-gan", "import nowhere_to_be_found")
    install(site, *CODE, name="other-gan")
    outcome = results("loss")
    assert failed(outcome) == {}
    assert outcome["gentle-builds-with-every-option"] == ("ok", "")
    assert outcome["gentle-state-survives-save-and-restore"] == ("ok", "")


ONLY_WITHOUT_BIAS = (
    "networks.py",
    "return self.last(hidden), {",
    "return self.last(hidden), {} if self.last.bias is not None else {",
)
ITS_RECIPE = (
    "recipes/tiny.toml",
    'architecture = "tiny"\nloss = [{ name = "gentle" }',
    'architecture = {name = "tiny", discriminator = {bias = false}}\nloss = [{ name = "tiny-gan:gentle" }',
)


def test_a_loss_that_refuses_these_too_is_played_as_a_recipe_of_another_plugin_plays_it(site):
    install(site, INFORMATION)
    install(site, *CODE, ONLY_WITHOUT_BIAS, ITS_RECIPE, name="other-gan")
    outcome = results("loss")
    assert failed(outcome) == {}
    assert outcome["gentle-builds-with-every-option"] == ("ok", "")


def test_a_loss_that_refuses_every_game_is_skipped_with_every_refusal(site):
    install(site, INFORMATION)
    outcome = {key: result for key, result in results("loss").items() if key.startswith("gentle")}
    built, *_ = outcome.values()
    assert built[0] == "skipped"
    sentence = "it refuses every game: loss 'gentle': it needs a discriminator that guesses the code"
    tried = "in the kit's own game, the recipe 'tiny', tiny-gan:tiny"
    assert built[1] == f"{sentence} ({tried}), and no other architecture here suits it"
    assert {reason for result, reason in outcome.values() if result == "skipped"} == {built[1]}
    assert [key for key, (result, _) in outcome.items() if result != "skipped"] == ["gentle-has-nothing-to-train"]


def test_an_option_that_setup_refuses_in_this_game_is_no_fault(site):
    refusal = (
        "def setup(self, step):\n        if self.cost is relu:\n            raise ValueError('it needs extras')\n\n"
    )
    install(site, ("losses.py", "def generator(self, step)", f"{refusal}    def generator(self, step)"))
    assert failed(results("loss")) == {}


@pytest.mark.parametrize("turns", [("discriminator", "generator"), ("generator",)])
def test_a_loss_that_only_logs_on_a_turn_says_so(site, turns):
    changes = {
        "discriminator": (
            'return {"real": self',
            'return {"right": step.real_scores.gt(0).float().mean()}\n        {"real": self',
        ),
        "generator": ("-step.fake_scores.mean()", "-step.fake_scores.detach().mean()"),
    }
    install(site, *(("losses.py", *changes[turn]) for turn in turns))
    outcome = results("loss")
    assert failed(outcome) == {}
    assert outcome["gentle-gradient-reaches-its-own-side-only"] == (
        "skipped",
        f"its terms on the {' and the '.join(turns)}'s turn have no gradient and are only logged",
    )


def test_a_frozen_network_in_a_loss_is_fine(site):
    network = "self.eye = torch.nn.Linear(1, 1).eval()\n        self.cost = {"
    install(site, ("losses.py", "self.cost = {", network))
    assert failed(results("loss")) == {}
