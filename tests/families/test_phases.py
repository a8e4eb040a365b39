"""What a family does in several trainings: phases, parts that stay as they are, a generator that learns alone."""

import pytest

from foreign import PLAYED, resolved
from play_family import toml

TINY = ["--device=cpu", "--precision=fp32", "-otrain.steps=2", "-otrain.batch=4"]
CHANGED = """
import ganzoo, torch
one, two = ganzoo.load("first", device="cpu"), ganzoo.load("second", device="cpu")
for side in ("generator", "discriminator"):
    before, after = (dict(getattr(model, side).named_parameters()) for model in (one, two))
    print(side, sorted({name.partition(".")[0] for name in before if not before[name].equal(after[name])}))
print(two.score(two.sample(3)).shape)
"""


@pytest.fixture
def author(somebody, files):
    """Trains the recipes of a family, of which the first run has no beginning."""
    command = somebody("author")

    def train(name, recipe, out, *words):
        data = {f"data.{key}": resolved(value, files) for key, value in PLAYED[name].data.items()}
        options = [f"-o{key}={toml(value)}" for key, value in data.items()]
        done = command("train", recipe, *options, *TINY, "--out", out, *words)
        assert done.returncode == 0, done.stderr
        return done.stderr

    return command, train


@pytest.mark.slow
def test_an_encoder_learns_beside_networks_that_a_first_phase_has_trained(author):
    command, train = author
    train("anomalies", "fam-anomalies", "first")
    said = train("anomalies", "fam-encode", "second", "--init=first", "-otrain.ema=0")
    assert "the generator takes all" in said, said
    changed = command.python("-c", CHANGED)
    assert changed.stdout.splitlines() == [
        "generator ['encoder']",
        "discriminator []",
        "torch.Size([3])",
    ], changed.stderr


@pytest.mark.slow
def test_features_of_a_discriminator_stay_as_they_were_trained(author):
    command, train = author
    train("styles", "fam-styles", "first", "-otrain.keep_discriminator=true")
    said = train("styles", "fam-styles-frozen", "second", "--init=first", "-otrain.keep_discriminator=true")
    assert "the generator takes all" in said, said
    changed = command.python("-c", CHANGED)
    generator, discriminator, _ = changed.stdout.splitlines()
    assert "mapping" in generator
    assert discriminator == "discriminator ['score']", changed.stderr


@pytest.mark.slow
def test_a_generator_that_learned_alone_goes_on_against_a_discriminator(author):
    _, train = author
    said = train("sharper", "fam-sharper-warmup", "alone")
    assert "discriminator" in said, "the first line says that it has no turns"
    assert "the generator takes all" in train("sharper", "fam-sharper", "both", "--init=alone")
