"""A run that learned from a folder is measured beside that folder, whatever its name is and wherever one stands."""

import json
import shutil

import pytest

import ganzoo
from ganzoo.comparison.compare import compare
from ganzoo.evaluation.evaluate import MetricPlan, evaluate
from ganzoo.zoo.publishing.bundle import bundle
from pictures import pixels_of, write_images
from trainings import tiny, trained


@pytest.fixture(scope="module")
def digits(tmp_path_factory):
    """A run of grey images in a folder called mnist; not to be changed."""
    home = tmp_path_factory.mktemp("home")
    write_images(home / "mnist")
    settings = {"data.name": str(home / "mnist"), "data.size": 28}
    return trained(tiny(steps=2), out=home / "run", **settings)


@pytest.fixture
def elsewhere(tmp_path, monkeypatch):
    """Another folder of the same name where the command is given."""
    monkeypatch.chdir(tmp_path)
    write_images(tmp_path / "mnist", count=3)


def images_to_compare(source):
    model = source if isinstance(source, ganzoo.Model) else ganzoo.load(source, "cpu")
    return pixels_of(MetricPlan(model, None, None, None).real.data)


@pytest.mark.parametrize("part", ["", "model"])
def test_the_real_images_are_those_of_the_run(digits, elsewhere, part):
    assert len(images_to_compare(digits.path / part)) == 40
    assert len(images_to_compare(digits.model)) == 40


def test_a_folder_called_mnist_is_not_measured_as_the_digits(digits, elsewhere):
    with pytest.raises(
        ganzoo.BadInput, match=r"^mnist has 40 images, half of them to compare with: too few, at least 50 are measured$"
    ):
        evaluate(digits.path, n=200, device="cpu")
    assert evaluate(digits.path, "mnist-10k", n=200, metrics=["coverage"], device="cpu").metrics.keys() == {"coverage"}


def test_a_training_on_a_folder_called_mnist_cannot_choose_its_best_by_the_digits(digits, tmp_path):
    data = digits.recipe.data.name
    with pytest.raises(ganzoo.BadInput, match="mnist has 40 images, half of them to compare with"):
        trained(tiny(steps=2, evaluate_every=1), out=tmp_path / "run", **{"data.name": data, "data.size": 28})


def test_the_config_says_how_the_data_were_opened_and_not_where_they_are(digits, finished_on_digits):
    config = json.loads((digits.model_folder / "config.json").read_text())
    assert (config["data"]["name"], config["data"]["opened_as"]) == ("mnist", "folder")
    assert str(digits.path.parent) not in json.dumps(config)
    config = json.loads((finished_on_digits.model_folder / "config.json").read_text())
    assert config["data"]["opened_as"] == "data set"


def test_a_model_that_left_its_run_needs_its_images_named(digits, elsewhere, tmp_path):
    shutil.copytree(digits.model_folder, tmp_path / "copy")
    with pytest.raises(ganzoo.BadInput, match="does not say where the images of 'mnist' are; give them with --data"):
        images_to_compare(tmp_path / "copy")


def test_images_that_are_gone_are_said(digits, tmp_path):
    home = shutil.copytree(digits.path, tmp_path / "run")
    recipe = home / "recipe.toml"
    recipe.write_text(recipe.read_text().replace(digits.recipe.data.name, str(tmp_path / "gone")))
    with pytest.raises(ganzoo.BadInput, match=r"the images of this run were in .*gone, which does not exist"):
        images_to_compare(home)


@pytest.fixture(scope="module")
def old(tmp_path_factory):
    """A run of an earlier version on a folder with the name and the classes of a data set; not to be changed."""
    home = tmp_path_factory.mktemp("old")
    for digit in range(10):
        write_images(home / "mnist-10k" / str(digit), count=2)
    run = trained(tiny(steps=2), out=home / "run", **{"data.name": str(home / "mnist-10k"), "data.size": 28})
    forget_how_it_was_opened(run.model_folder)
    return run


@pytest.mark.parametrize("part", ["", "model"])
def test_a_folder_with_the_classes_of_a_data_set_is_none_by_a_link_either(old, tmp_path, part):
    (tmp_path / "link").symlink_to(old.path / part)
    with pytest.raises(ganzoo.BadInput, match=r"^mnist-10k has 20 images, half of them to compare with"):
        evaluate(tmp_path / "link", n=200, device="cpu")


def test_a_model_that_lies_on_another_disk_belongs_to_its_run(old, tmp_path):
    run = shutil.copytree(old.path, tmp_path / "run", ignore=shutil.ignore_patterns("model"))
    shutil.copytree(old.model_folder, tmp_path / "disk")
    (run / "model").symlink_to(tmp_path / "disk")
    assert ganzoo.load(run, "cpu").folder_data["name"] == old.recipe.data.name


def test_a_page_shows_such_a_run_without_scores_and_its_bundle_says_what_it_learned_from(old, tmp_path):
    compare([str(old.path)], 200, 0, "cpu").save(tmp_path / "page.png")
    assert (tmp_path / "page.png").exists()
    bundle(old.path, tmp_path / "in" / "digits", "mit")
    config = json.loads((tmp_path / "in" / "digits" / "config.json").read_text())
    assert config["data"]["opened_as"] == "folder"
    assert 'the folder of images "mnist-10k"' in (tmp_path / "in" / "digits" / "README.md").read_text()


def forget_how_it_was_opened(folder):
    path = folder / "config.json"
    config = json.loads(path.read_text())
    del config["data"]["opened_as"]
    path.write_text(json.dumps(config))


def test_models_of_earlier_versions_are_known_by_their_run_and_by_their_classes(digits, finished_on_digits, tmp_path):
    folder, named = (shutil.copytree(run.path, tmp_path / run.path.parent.name) for run in (digits, finished_on_digits))
    for run in (folder, named):
        forget_how_it_was_opened(run / "model")
    assert evaluate(named, n=200, metrics=["coverage"], device="cpu")["coverage"]["real"] > 0
    with pytest.raises(ganzoo.BadInput, match="mnist has 40 images, half of them"):
        evaluate(folder, n=200, device="cpu")


def test_a_model_of_an_earlier_version_without_its_run_is_not_taken_for_one_of_the_data_set(tmp_path):
    for name in "ab":
        write_images(tmp_path / "mnist-10k" / name, count=2)
    settings = {"data.name": str(tmp_path / "mnist-10k"), "data.size": 28}
    run = trained(tiny(steps=2), out=tmp_path / "run", **settings)
    forget_how_it_was_opened(run.model_folder)
    shutil.copytree(run.model_folder, tmp_path / "copy")
    with pytest.raises(ganzoo.BadInput, match="learned from other data than the data set 'mnist-10k'"):
        evaluate(tmp_path / "copy", n=200, device="cpu")


@pytest.fixture(scope="module")
def finished_on_digits(tmp_path_factory):
    return trained(tiny(steps=2), out=tmp_path_factory.mktemp("named") / "run")


def test_the_real_images_are_read_as_they_were_for_the_training(tmp_path):
    write_images(tmp_path / "clear", mode="RGBA")  # of transparency 0, 6, 12, ...
    settings = {"data.name": str(tmp_path / "clear"), "data.size": 28, "data.background": "black"}
    run = trained(tiny(steps=2), out=tmp_path / "run", **settings)
    assert images_to_compare(run.path)[0].max() == 0


def test_the_card_of_a_model_of_a_folder_does_not_name_the_data_set(digits, finished_on_digits):
    from ganzoo.zoo.publishing.card import make_card

    card, other = (make_card("hub:me/it", "mit", run.model.config, {}) for run in (digits, finished_on_digits))
    assert 'on the folder of images "mnist"' in card
    assert "\ndatasets:" not in card
    assert 'on the data set "mnist-10k"' in other
    assert "\ndatasets:\n- ylecun/mnist" in other
