"""Recipes for GPUs are played with small images and small batches, so that a check of them takes seconds."""

import pytest
import torch

import ganzoo
from ganzoo.testing.plays import recipes_with_architecture, shorten
from ganzoo.testing.toys import TinyGenerator
from ganzoo.training.finish import Givens, limit_batches


@pytest.mark.parametrize(
    ("recipe", "changes", "size"),
    [
        ("dcgan", {"data": {"name": "celeba", "size": 256}}, 32),
        ("dcgan", {"data": {"name": "celeba", "size": [64, 128]}}, 32),
        ("dcgan", {"data": {"name": "celeba", "size": 64}}, 64),
        ("dcgan", {"data": {"name": "celeba"}}, None),
        ("biggan-128", {"architecture": {"attention": 32}}, 64),  # which images of 32 pixels do not have
        ("biggan-128", {"architecture": {"attention": 64}}, 128),
    ],
)
def test_large_images_are_played_in_the_first_small_size_that_networks_take(recipe, changes, size):
    assert shorten(ganzoo.Recipe.load(recipe, **changes)).data.size == size


@pytest.mark.parametrize(
    ("batch", "accumulate", "played"), [(2048, 8, (8, 2)), (64, 1, (8, 1)), (12, 3, (12, 2)), (9, 3, (9, 3))]
)
def test_large_batches_are_played_small_and_in_few_parts(batch, accumulate, played):
    short = shorten(ganzoo.Recipe.load("dcgan", train={"batch": batch, "accumulate": accumulate}))
    assert (short.train.batch, short.train.accumulate) == played


def test_the_recipe_of_small_images_is_the_one_that_most_checks_play():
    recipes = [ganzoo.Recipe.load(name) for name in ("biggan-128", "sngan-32", "reacgan-32", "biggan-32")]
    found = recipes_with_architecture(recipes, "ganzoo-resnet:biggan")
    assert [recipe.name for recipe in found] == ["reacgan-32", "biggan-32", "biggan-128"]


def test_fewer_batches_are_for_the_kit_alone():
    givens = Givens(TinyGenerator(), 0, torch.device("cpu"), {})
    with limit_batches(2):
        few = [given["z"] for given in givens]
    assert len(few) == 2
    every = [given["z"] for given in givens]
    assert len(every) == 128
    assert all(one.equal(other) for one, other in zip(few, every, strict=False))


def test_an_architecture_is_checked_as_its_recipe_of_small_images_plays_it():
    recipes = [ganzoo.Recipe.load("dcgan", data={"name": "celeba", "size": size}) for size in (256, 64, 32)]
    played = recipes_with_architecture(recipes, "ganzoo-dcgan:dcgan")
    assert [recipe.data.size for recipe in played] == [64, 32, 256]
