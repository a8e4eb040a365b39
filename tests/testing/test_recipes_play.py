"""A plugin is played as its recipes play it: with their options, losses, settings and schedule."""

import textwrap

import pytest

import ganzoo
from tinyplugin import failed, install, results

ENCODER = [
    ("networks.py", "self.act = ", "self.encoder = nn.Linear(prod(image), 5)\n        self.act = "),
    (
        "losses.py",
        'return {"fool": -step.fake_scores.mean()}',
        "z = step.call(step.generator.encoder, step.fake.flatten(1))\n"
        '        near = (z - step.given["z"]).square().mean()\n'
        '        return {"fool": -step.fake_scores.mean(), "near": near}',
    ),
]
"""A part of the generator that only a loss calls."""


def outcome_of(site, *changes, **options):
    return results("architecture", "loss", "recipe", name=install(site, *changes), **options)


def test_a_part_that_only_a_loss_of_the_recipe_calls_is_trained(site):
    outcome = outcome_of(site, *ENCODER)
    assert failed(outcome) == {}
    assert outcome["tiny-gradient-reaches-the-generator"] == ("ok", "")


def test_without_a_recipe_that_trains_it_such_a_part_is_named(site):
    outcome = outcome_of(site, ENCODER[0])
    assert list(failed(outcome)) == ["tiny-gradient-reaches-the-generator"]
    assert "no gradient reaches the generator's 'encoder.weight'" in outcome["tiny-gradient-reaches-the-generator"][1]


def test_what_a_phase_does_not_train_is_named_and_is_no_fault(site):
    install(site, *ENCODER)
    phase = """
        architecture = "tiny"
        loss = "near"
        """
    loss = """
        import ganzoo

        class Near(ganzoo.Loss):
            def generator(self, step):
                z = step.call(step.generator.encoder, step.fake.detach().flatten(1))
                return {"near": (z - step.given["z"]).square().mean()}
        """
    package = site.folder / "tiny_gan"
    (package / "recipes" / "phase.toml").write_text(textwrap.dedent(phase))
    (package / "near.py").write_text(textwrap.dedent(loss))
    code = (package / "__init__.py").read_text()
    (package / "__init__.py").write_text(code + '    register("near", "tiny_gan.near:Near")\n')
    outcome = results("architecture")
    assert failed(outcome) == {}
    left = "the recipe 'phase' does not train the generator's 'first', 'norm', 'last'"
    assert outcome["tiny-gradient-reaches-the-generator"] == ("ok", left)
    left = "the recipe 'phase' does not train the discriminator"
    assert outcome["tiny-gradient-reaches-the-discriminator"] == ("ok", left)


LATE = (
    "losses.py",
    "def after(self, step, terms):",
    "def after(self, step, terms):\n        self.mean.fill_(1 / 0)",
)


def test_a_loss_that_begins_late_plays_before_the_checks_end(site):
    late = ("recipes/tiny.toml", '{ name = "noise" }', '{ name = "moving", start = 5000, every = 16 }')
    assert failed(outcome_of(site, late)) == {}


@pytest.mark.parametrize("schedule", ["start = 5000", "start = 300, every = 100, stop = 900"])
def test_a_loss_that_fails_late_is_caught_in_the_play_of_the_recipe(site, schedule):
    late = ("recipes/tiny.toml", '{ name = "noise" }', f'{{ name = "moving", {schedule} }}')
    caught = failed(outcome_of(site, late, LATE))
    assert {"tiny-plays-in-float32", "tiny-trains-and-samples"} <= set(caught)
    assert "loss 'moving' failed: ZeroDivisionError" in caught["tiny-plays-in-float32"]


PAIRS = [
    *ENCODER[:1],
    ("networks.py", "self.first = nn.Linear(prod(image), 12)", "self.first = nn.Linear(prod(image) + 5, 12)"),
    ("networks.py", "self.first(images.flatten(1))", 'self.first(torch.cat([images.flatten(1), given["z"]], 1))'),
    (
        "losses.py",
        'return {"real": self.cost(1 - step.real_scores)',
        "real = step.score(step.real, {**step.batch, 'z': step.call(step.generator.encoder, step.real.flatten(1))})\n"
        '        return {"real": self.cost(1 - real)',
    ),
    (
        "losses.py",
        'return {"fool": -step.fake_scores.mean()}',
        "z = step.call(step.generator.encoder, step.real.flatten(1))\n"
        "        real = step.score(step.real, {**step.batch, 'z': z})\n"
        '        return {"fool": real.mean() - step.fake_scores.mean()}',
    ),
    ("losses.py", "(step.real_scores - self.mean).square().mean()", "self.mean + step.fake_scores.mean()"),
]
"""Pairs of image and latent are judged, as in BiGAN (Donahue et al. 2017)."""
AUTOENCODER = [
    (ENCODER[0]),
    ("networks.py", 'self.first(given["z"])', 'self.first(self.encoder(given["image"].flatten(1)) if "image" in given '
     'else given["z"])'),
    ("networks.py", "latent_size = 5", 'latent_size, takes = 5, ("image",)'),
]  # fmt: skip
"""Real images come back in the training, as in VAE-GAN (Larsen et al. 2016)."""
DUMMY = [
    ("networks.py", "self.first = nn.Linear(prod(image), 12)\n        self.last = nn.Linear(12, 1, bias=bias)", "pass"),
    ("networks.py", "hidden = nn.functional.leaky_relu(self.first(images.flatten(1)), 0.2)", "pass"),
    ("networks.py", "return self.last(hidden)", "return images.new_zeros(len(images))"),
    ("recipes/tiny.toml", '{ name = "gentle" }, { name = "noise" }', '{ name = "close" }'),
    ("__init__.py", '"gentle", "tiny_gan.losses:Gentle"', '"close", "tiny_gan.losses:Close"'),
    (
        "losses.py",
        "class Gentle(ganzoo.Loss):",
        "class Close(ganzoo.Loss):\n    def generator(self, step):\n"
        "        return {'close': (step.fake - step.real).abs().mean()}\n\n\nclass Gentle(ganzoo.Loss):",
    ),
]
"""A generator that learns alone."""
REFUSED = [
    (
        "networks.py",
        "self.image = image",
        "self.image = image\n        if activation == 'elu':\n            raise ValueError('not for grey images')",
    )
]
"""A value of an option that does not go with these images."""
GPU = [
    ("recipes/tiny.toml", "loss =", "train = { precision = 'fp16', epochs = 3, batch = 60, accumulate = 3 }\nloss =")
]
"""Settings of a large machine."""
SOUND = {"pairs": PAIRS, "autoencoder": AUTOENCODER, "dummy": DUMMY, "refused": REFUSED, "gpu": GPU}


@pytest.mark.parametrize("changes", SOUND.values(), ids=SOUND)
def test_what_is_sound_as_its_recipe_plays_it_passes(site, changes):
    assert failed(outcome_of(site, *changes)) == {}


def test_a_part_that_a_loss_calls_past_the_step_is_named(site):
    past = ENCODER[1][2].replace("step.call(step.generator.encoder, step.fake.flatten(1))", "step.generator.encoder("
                                 "step.fake.flatten(1))")  # fmt: skip
    outcome = failed(outcome_of(site, ENCODER[0], (*ENCODER[1][:2], past)))
    assert list(outcome) == ["gentle-calls-the-networks-through-the-step"]
    assert "the loss calls the generator.encoder itself" in str(outcome)
    assert "use step.call(step.generator.encoder, ...)" in str(outcome)


REQUIRED = [
    ("networks.py", 'activation: Literal["relu", "elu"] = "relu"', 'activation: Literal["relu", "elu"]'),
    ("losses.py", 'cost: Literal["soft", "hard"] = "soft"', 'cost: Literal["soft", "hard"]'),
]
GIVEN = [
    ("recipes/tiny.toml", 'architecture = "tiny"', 'architecture = { name = "tiny", activation = "elu" }'),
    ("recipes/tiny.toml", 'name = "gentle"', 'name = "gentle", cost = "hard"'),
]


def test_options_without_a_default_come_from_the_recipe(site):
    outcome = outcome_of(site, *REQUIRED, *GIVEN)
    assert failed(outcome) == {}
    assert outcome["gentle-plays-in-bfloat16"][0] == outcome["tiny-plays-in-bfloat16"][0] == "ok"


def test_options_without_a_default_that_no_recipe_gives_are_asked_for(site):
    outcome = outcome_of(site, *REQUIRED)
    skipped = {reason for result, reason in outcome.values() if result == "skipped"}
    asked = "it has options without a default ({0}), which no recipe gives: give checks(..., options={{'{1}': {{'{0}': "
    assert any(reason.startswith(asked.format("activation", "tiny")) for reason in skipped)
    assert any(reason.startswith(asked.format("cost", "gentle")) for reason in skipped)
    lacking = (" is missing: ", " is not set")
    assert all(any(word in reason for word in lacking) for reason in failed(outcome).values()), "it cannot be played"


def test_options_can_be_given_to_the_checks(site):
    options = {"tiny": {"activation": "elu"}, "gentle": {"cost": "hard"}}
    outcome = outcome_of(site, *REQUIRED, options=options)
    assert failed(outcome) == {}
    assert outcome["tiny-plays-in-bfloat16"][0] == "ok"


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"tinny": {}}, "options: tiny-gan registers nothing called 'tinny'; did you mean 'tiny'?"),
        ({"tiny": 3}, "options: those of 'tiny' must be a dict of options by name, got 3"),
    ],
)
def test_options_of_nothing_that_is_there_are_refused(site, options, sentence):
    with pytest.raises(ganzoo.BadInput) as error:
        ganzoo.testing.checks_of(install(site), options=options)
    assert str(error.value) == sentence


def test_options_of_data_that_are_not_here_do_not_disturb_those_that_stand_in(site):
    data = 'loss = [{ name = "gentle" }, { name = "noise" }]\n'
    recipe = ("recipes/tiny.toml", data, f'{data}data = {{ name = "cifar10", count = 30, holdout = 0.1 }}\n')
    outcome = results("recipe", name=install(site, recipe))
    assert outcome == {"tiny-trains-and-samples": ("ok", "")}
