"""Recipes: TOML and overrides in, a validated recipe out, or one sentence."""

from types import SimpleNamespace

import pytest
import torch

import ganzoo
from ganzoo.errors import BadInput
from ganzoo.recipe import build
from ganzoo.recipe.build import check_options
from ganzoo.recipe.overrides import parse_value
from ganzoo.recipe.recipe import Recipe

SMALL = {"architecture": {"name": "vanilla"}, "loss": [{"name": "hinge"}, {"name": "r1", "weight": 2}]}


def load(**overrides):
    return Recipe.load(SMALL, **overrides)


def test_a_recipe_that_says_little_has_every_default_written_out():
    table = load().written_out()
    assert table["train"]["batch"] == 64
    assert table["train"]["steps"] == 2000
    assert table["optimizer"]["betas"] == [0.5, 0.999]
    assert table["data"]["name"] == "mnist-10k"
    assert table["loss"][1] == {"name": "r1", "weight": 2.0, "every": 1, "start": 0}


def test_a_saved_recipe_loads_as_the_same_recipe(tmp_path):
    recipe = load(optimizer={"name": "rmsprop", "generator": {"lr": 1e-3}}, train={"epochs": 2.5})
    recipe.save(tmp_path / "r.toml")
    assert Recipe.load(tmp_path / "r.toml").written_out() == recipe.written_out() | {"name": "run"}


@pytest.mark.parametrize(
    ("path", "value", "got"),
    [
        ("train.steps", 5, lambda r: r.train.steps),
        ("loss.r1.weight", 7.0, lambda r: r.loss[1].weight),
        ("loss.0.every", 3, lambda r: r.loss[0].every),
        ("optimizer.generator.lr", 0.5, lambda r: r.optimizer.side("generator").lr),
        ("architecture.width", 9, lambda r: r.architecture.shared()["width"]),
        ("architecture.discriminator", "dcgan", lambda r: r.architecture.side_name("discriminator")),
        ("data", "mnist", lambda r: r.data.name),
    ],
)
def test_a_dotted_path_changes_one_value(path, value, got):
    assert got(load(**{path: value})) == value


@pytest.mark.parametrize(
    ("given", "names"),
    [
        ("hinge", ["hinge"]),
        (["hinge", "r1"], ["hinge", "r1"]),
        ({"name": "r1", "weight": 3}, ["r1"]),
        ([{"name": "hinge"}, "r1"], ["hinge", "r1"]),
    ],
)
def test_a_single_loss_is_a_list_of_one(given, names):
    assert [loss.name for loss in load(loss=given).loss] == names
    assert [loss.name for loss in Recipe.load({**SMALL, "loss": given}).loss] == names
    changed = Recipe.load({**SMALL, "loss": given}, **{f"loss.{names[-1]}.every": 4})
    assert changed.loss[-1].every == 4


@pytest.mark.parametrize("text", ['loss = "hinge"\n', 'loss = ["hinge"]\n', '[loss]\nname = "hinge"\n'])
def test_a_file_may_name_one_loss_alone(tmp_path, text):
    architecture = '[architecture]\nname = "vanilla"\n'
    (tmp_path / "r.toml").write_text(text + architecture)
    assert [loss.name for loss in Recipe.load(tmp_path / "r.toml").loss] == ["hinge"]


def test_a_loss_by_its_name_still_takes_changes_and_a_recipe_another_name():
    recipe = load(loss={"r1": {"weight": 9}}, name="mine")
    assert (recipe.loss[1].weight, recipe.name, recipe.architecture.name) == (9, "mine", "vanilla")


def test_nested_overrides_leave_the_rest_alone():
    recipe = load(train={"steps": 5}, optimizer={"generator": {"lr": 0.1}})
    assert (recipe.train.steps, recipe.train.batch) == (5, 64)
    assert recipe.optimizer.side("generator").lr == 0.1
    assert recipe.optimizer.side("discriminator").lr == 2e-4


def test_parts_that_are_given_take_the_place_of_those_of_the_recipe():
    recipe = load(optimizer={"generator": {"parts": {"mapping": 0.1, "encoder": 0}}})
    for parts in ({}, {"blocks": 2.0}):
        changed = Recipe.load(recipe, **{"optimizer.generator.parts": parts})
        assert changed.optimizer.side("generator").parts == parts
    changed = Recipe.load(recipe, **{"optimizer.generator.parts.encoder": 0.5})
    assert changed.optimizer.side("generator").parts == {"mapping": 0.1, "encoder": 0.5}


def test_of_steps_and_epochs_the_newer_one_counts():
    assert load(train={"epochs": 3}).train.steps is None
    assert Recipe.load(load(train={"epochs": 3}), **{"train.steps": 7}).train.epochs is None


def test_a_new_name_starts_its_section_anew():
    recipe = Recipe.load(load(**{"optimizer.betas": [0.0, 0.9]}), **{"optimizer.lr": 0.5, "optimizer.name": "sgd"})
    assert recipe.optimizer.arguments() == {"lr": 0.5, "weight_decay": 0.0, "momentum": 0.0}
    assert load(**{"data.size": 32, "data.name": "mnist"}).data.size == 32


def test_what_is_said_for_both_sides_goes_before_what_one_side_said():
    both = load(optimizer={"generator": {"lr": 0.1}, "discriminator": {"lr": 0.2}})
    changed = Recipe.load(both, **{"optimizer.lr": 0.3}).optimizer
    assert (changed.side("generator").lr, changed.side("discriminator").lr) == (0.3, 0.3)
    recipe = Recipe.load(load(architecture={"generator": {"widths": [1]}}), architecture={"widths": [2]})
    assert (recipe.architecture.shared(), recipe.architecture.own("generator")) == ({"widths": [2]}, {})
    recipe = load(architecture={"generator": {"widths": [1]}, "widths": [2]})
    assert (recipe.architecture.shared(), recipe.architecture.own("generator")) == ({"widths": [2]}, {"widths": [1]})


def test_the_same_name_again_changes_nothing():
    assert Recipe.load(load(**{"data.size": 32}), **{"data.name": "mnist-10k"}).data.size == 32


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("3", 3),
        ("1e-4", 1e-4),
        ("[0.0, 0.9]", [0.0, 0.9]),
        ("true", True),
        ("linear", "linear"),
        ('"7"', "7"),
        ("[a, b c]", ["a", "b c"]),
    ],
)
def test_values_on_the_command_line_are_toml_or_text(text, value):
    assert parse_value(text) == value


@pytest.mark.parametrize(
    ("overrides", "sentence"),
    [
        ({"train": {"stepz": 5}}, "unknown key 'train.stepz'; did you mean 'steps'?"),
        ({"tarin": {"steps": 5}}, "unknown key 'tarin'; did you mean 'train'?"),
        ({"optimizer": {"generator": {"lrr": 5}}}, "optimizer: unknown key 'generator.lrr'; did you mean 'lr'?"),
        ({"train": {"steps": -1}}, "train.steps: input should be greater than 0, got -1"),
        ({"train": {"steps": "many"}}, "train.steps: input should be a valid integer"),
        ({"train": {"ema": 1.0}}, "train.ema: input should be less than 1, got 1.0"),
        ({"train": {"steps": 5, "epochs": 1}}, "give steps or epochs, not both"),
        ({"train": {"epochs": 5, "minutes": 1}}, "train: give epochs or minutes, not both"),
        ({"train": {"steps": 5, "epochs": 1, "minutes": 1}}, "train: give steps or epochs or minutes, not all three"),
        ({"train": {"minutes": 0}}, "train.minutes: input should be greater than 0, got 0"),
        ({"train": {"minute": 3}}, "unknown key 'train.minute'; did you mean 'minutes'"),
        ({"train": {"batch": 10, "accumulate": 3}}, "batch 10 cannot be split into 3 equal parts"),
        ({"optimizer": {"name": "adamm"}}, "optimizer.name: input should be 'adam', 'adamw', 'rmsprop' or 'sgd'"),
        (
            {"optimizer": {"name": "sgd", "betas": [0, 0.9]}},
            "'betas' does not go with sgd; it goes with adam and adamw",
        ),
        ({"optimizer": {"betas": [0, 1.5]}}, "betas must lie in [0, 1)"),
        ({"loss": []}, "the recipe has no loss; add a [[loss]] section with a name"),
        ({"loss": [{"weight": 1}]}, "'loss.0.name' is missing"),
        ({"loss.r2.weight": 1}, "loss.r2.weight: the recipe has no 'r2' there; allowed: hinge, r1"),
        ({"train.steps.more": 1}, "train.steps: input should be a valid integer, got {'more': 1}"),
        ({"architecture": {"name": None}}, "no architecture for the"),
        ({"optimizer": {"lr": float("inf")}}, "optimizer.lr: input should be a finite number, got inf"),
        ({"loss.weight": 3}, "loss.weight: the recipe has no 'weight' there; allowed: hinge, r1"),
        ({"loss": [3]}, "loss.0: input should be a table"),
        ({"train": [1]}, "train: input should be a table"),
        ({"name": "../../evil"}, "name: string should match pattern"),
        ({"data": ""}, "data.name: string should have at least 1 character"),
    ],
)
def test_what_is_wrong_is_said_in_one_sentence(overrides, sentence):
    with pytest.raises(BadInput) as error:
        load(**overrides)
    assert sentence in str(error.value)
    assert "\n" not in str(error.value)


def holding_itself():
    """A table that holds itself, and several times so."""
    table = {"name": "vanilla"}
    table |= {"generator": [table, table], "discriminator": table}
    return table


TOO_DEEP, TOO_LARGE = "nested more than 32 levels deep", "an integer in it has more than 40 digits"


@pytest.mark.parametrize(
    ("overrides", "sentence"),
    [
        (
            {f"architecture{'.generator' * 3000}": 1},
            r"the key 'architecture\.generator\.gen.*\.\.\.' has more than 32 words",
        ),
        ({f"loss.0{'.name' * 3000}": 1}, r"the key 'loss\.0\.name.*' has more than 32 words"),
        ({"architecture": holding_itself()}, TOO_DEEP),
        ({"architecture.generator": holding_itself()}, TOO_DEEP),
        ({"loss": [holding_itself()]}, TOO_DEEP),
        ({"train.seed": 10**5000}, TOO_LARGE),
        ({"train": {"seed": 10**5000}}, TOO_LARGE),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_too_deep_or_too_large_is_refused(overrides, sentence):
    with pytest.raises(BadInput, match=sentence):
        load(**overrides)
    if not any("." in key for key in overrides):
        with pytest.raises(BadInput, match=sentence):
            Recipe.load({**SMALL, **overrides})


def test_a_recipe_without_losses_is_refused():
    with pytest.raises(BadInput, match="the recipe has no loss"):
        Recipe.load({"architecture": "vanilla"})


def test_malformed_toml_is_named_with_its_line(tmp_path):
    (tmp_path / "bad.toml").write_text("[train]\nsteps = = 3\n")
    with pytest.raises(BadInput, match=r"bad\.toml is not valid TOML: .*line 2"):
        Recipe.load(tmp_path / "bad.toml")


def test_an_unknown_recipe_gives_the_nearest(tmp_path):
    with pytest.raises(BadInput, match=r"unknown recipe 'vanila'; did you mean 'vanilla' or"):
        Recipe.load("vanila")
    with pytest.raises(BadInput, match=r"cannot read .*missing\.toml: No such file"):
        Recipe.load(tmp_path / "missing.toml")


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"widht": 3}, "unknown key 'architecture.widht'; did you mean 'width'"),
        ({"generator": {"dropout": 0.5}}, "unknown key 'architecture.generator.dropout'"),
        ({"width": "wide"}, "architecture.discriminator.width: input should be a valid integer"),
        ({"kernel": 3}, "kernel: input should be 4 or 5, got 3"),
        ({"classes": 10, "image": (1, 30, 30)}, "30 x 30"),
    ],
)
def test_options_are_checked_against_the_constructors(options, sentence):
    with pytest.raises(BadInput) as error:
        ganzoo.create("dcgan", **{"image": (1, 32, 32), **options})
    assert sentence in str(error.value)


def test_an_option_that_the_data_decides_is_refused():
    recipe = Recipe.load("dcgan", architecture={"image": [1, 28, 28]})
    with pytest.raises(BadInput, match=r"'architecture\.image' comes from the data"):
        build.resolve_architecture(recipe.architecture)


def test_unknown_architectures_and_losses_give_the_nearest():
    with pytest.raises(BadInput, match=r"unknown architecture 'dcgna'; did you mean 'dcgan'\?"):
        ganzoo.create("dcgna", image=(1, 28, 28))
    recipe = load(loss=[{"name": "hinj"}])
    with pytest.raises(BadInput, match=r"unknown loss 'hinj'; did you mean 'hinge'\?"):
        [build.resolve_loss(section) for section in recipe.loss]


def test_both_sides_can_come_from_different_plugins():
    generator, discriminator = ganzoo.create(
        "vanilla", image=(1, 28, 28), generator={"widths": [32]}, discriminator={"name": "dcgan", "width": 8}
    )
    assert type(generator).__module__ == "ganzoo_vanilla.networks"
    assert type(discriminator).__module__ == "ganzoo_dcgan.networks"
    images = generator(generator.latent(2, torch.Generator()))
    assert discriminator(images, {}).shape == (2,)


class Counted(ganzoo.Generator):
    """Has an option without a default, as one who expects the number of classes under another name."""

    def __init__(self, image, num_classes: int):
        super().__init__()


def test_a_missing_option_is_named_unless_the_data_may_give_it():
    sentence = r"'architecture\.num_classes' is missing: Counted takes it without a default"
    with pytest.raises(ganzoo.BadInput, match=sentence):
        check_options(Counted, {}, "architecture")
    with pytest.raises(ganzoo.BadInput, match="Counted needs 'num_classes', which this data does not have, and"):
        check_options(Counted, {}, "architecture", {"image"})
    assert check_options(Counted, {}, "architecture", None) == check_options(Counted, {}, "a", {"num_classes"}) == {}


class Deep:
    def __init__(self, image, depth: int = 4, rate: int = 8000, mask=None):
        self.depth, self.rate, self.mask = depth, rate, mask


def test_an_option_that_is_called_like_a_key_of_the_data_by_chance_stays_an_option():
    found = build.ResolvedClass(SimpleNamespace(kind="architecture", name="deep"), Deep, {"depth": 3})
    made = found.make(image=(1, 8, 8), depth=(1, 8, 8), rate=16000, mask=(1, 8, 8))
    assert (made.depth, made.rate, made.mask) == (3, 16000, (1, 8, 8))
