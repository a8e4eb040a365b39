"""From a recipe to a run: what it leaves, where, and in which numbers."""

import re
import shutil

import pytest
import torch
from PIL import Image

import ganzoo
from ganzoo.training.runs import checkpoint
from ganzoo.training.runs.snapshot import State
from trainings import assert_same_weights, start, state, tiny, train_with

TINY = tiny(steps=6, log_every=2, sample_every=3, save_every=2)
train = train_with(TINY)


def test_a_run_leaves_all_that_it_should(tmp_path):
    run = train(tmp_path / "run")
    names = {str(path.relative_to(run.path)) for path in run.path.rglob("*") if path.is_file()}
    assert {"recipe.toml", "metrics.jsonl", "curves.png", "model/config.json", "model/model.safetensors"} <= names
    assert {"samples/step-000003.png", "samples/step-000006.png"} <= names
    assert [line["step"] for line in run.metrics] == [2, 4, 6]
    assert run.metrics[-1]["images"] == 48
    assert all("discriminator/non-saturating/real" in line for line in run.metrics)
    assert run.recipe.optimizer.lr == 2e-4
    assert run.recipe.architecture.own("generator")["latent_size"] == 100


def test_pictures_say_what_they_are(tmp_path):
    run = train(tmp_path / "run")
    picture = Image.open(run.path / "samples" / "step-000006.png")
    assert picture.text["Software"] == f"ganzoo {ganzoo.__version__}"
    assert picture.text["Synthetic"] == "true"
    assert (picture.text["Model"], picture.text["Seed"]) == ("run step 6", "0")


def test_the_model_is_the_averaged_generator(tmp_path):
    run = train(tmp_path / "run")
    saved = state(run).tensors
    for name, value in run.model.generator.state_dict().items():
        assert torch.equal(value, saved[f"ema.{name}"])
    assert any(
        not torch.equal(saved[f"ema.{name}"], saved[f"generator.{name}"]) for name in run.model.generator.state_dict()
    )


def test_the_same_seed_gives_the_same_weights_and_another_gives_others(tmp_path):
    first, second = train(tmp_path / "1"), train(tmp_path / "2")
    third = train(tmp_path / "3", train={"seed": 1})
    assert_same_weights(first, second)
    with pytest.raises(AssertionError):
        assert_same_weights(first, third)


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("g++"), reason="torch.compile needs a C++ compiler")
@pytest.mark.parametrize("recipe", ["dcgan", "wgan-gp"])
def test_compiled_networks_come_to_nearly_the_same_weights(tmp_path, recipe):
    options = {"steps": 3, "batch": 8, "precision": "fp32"}
    runs = [
        train(tmp_path / str(compile), recipe, train={**options, "compile": compile}, architecture={"width": 8})
        for compile in (False, True)
    ]
    plain, compiled = (state(run).tensors for run in runs)
    for name, value in plain.items():
        if name.startswith(("generator.", "discriminator.")):
            torch.testing.assert_close(compiled[name], value, rtol=1e-3, atol=1e-4)


def test_epochs_are_counted_in_images_that_the_discriminator_sees(tmp_path):
    batches = [{"image": torch.zeros(8, 1, 4, 4)}]
    with pytest.raises(ganzoo.BadInput, match="epochs"):
        train(tmp_path / "run", data=batches, train={"epochs": 1})
    recipe = TINY | {"train": {"epochs": 0.01, "batch": 10, "critic_steps": 2}}
    assert train(tmp_path / "run2", recipe).recipe.train.steps == 5


def test_runs_count_up_and_nothing_is_overwritten(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert [train(None).path.name for _ in range(2)] == ["run-001", "run-002"]
    with pytest.raises(ganzoo.BadInput, match="is not empty"):
        train("runs/run-001")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("years of work")
    with pytest.raises(ganzoo.BadInput, match="is not just a run, so --overwrite leaves it alone"):
        train("mine", overwrite=True)
    assert (tmp_path / "mine" / "thesis.txt").read_text() == "years of work"
    assert train("runs/run-001", overwrite=True, train={"steps": 2}).metrics[-1]["step"] == 2


def test_overwriting_leaves_alone_what_no_training_made(tmp_path):
    run = train(tmp_path / "run")
    (run.path / "notes.txt").write_text("mine")
    with pytest.raises(ganzoo.BadInput, match="is not just a run"):
        train(run.path, overwrite=True)
    assert (run.path / "notes.txt").read_text() == "mine"
    (tmp_path / "link").symlink_to(run.path)
    with pytest.raises(ganzoo.BadInput, match="is not just a run"):
        train(tmp_path / "link", overwrite=True)


def test_checkpoints_are_ordered_by_number_not_by_letter(tmp_path):
    for index in (998_000, 999_000, 1_000_000, 1_001_000):
        checkpoint.save(tmp_path, State({"x": torch.ones(1)}, {"index": index}))
    assert [path.name for path in checkpoint.list_checkpoints(tmp_path)] == ["step-1000000", "step-1001000"]


def test_the_log_counts_real_images_of_any_batch_size(tmp_path):
    batches = [{"image": torch.zeros(5, 1, 4, 4)}]
    run = train(tmp_path / "run", data=batches, train={"critic_steps": 2})
    assert [line["images"] for line in run.metrics] == [20, 40, 60]


def test_the_seed_also_decides_the_order_of_a_shuffling_loader(tmp_path):
    items = [{"image": torch.full((1, 4, 4), value / 50)} for value in range(40)]
    loader = torch.utils.data.DataLoader(items, batch_size=8, shuffle=True)
    first, second = train(tmp_path / "1", data=loader), train(tmp_path / "2", data=loader)
    assert_same_weights(first, second)


def test_a_side_that_nothing_would_train_is_refused(tmp_path):
    for loss in ({"name": "r1"}, {"name": "hinge", "start": 100}):
        with pytest.raises(ganzoo.BadInput, match="nothing would train the"):
            train(tmp_path / "run", TINY | {"loss": [loss]})
    assert not (tmp_path / "run").exists()


def test_what_fails_in_the_first_step_leaves_no_folder(tmp_path):
    with pytest.raises(ganzoo.BadInput, match="Generator: Expected more than 1 value per channel"):
        train(tmp_path / "run", train={"batch": 1})
    assert not (tmp_path / "run").exists()


def test_the_recipe_of_a_run_says_the_precision_that_was_chosen(tmp_path):
    run = train(tmp_path / "run", train={"precision": "auto"})
    assert run.recipe.train.precision in ("fp32", "bf16")


PAINTER = """
    import ganzoo

    @ganzoo.hookimpl
    def register_architectures(register):
        register("painter", generator="unruly:Painter", discriminator="unruly:Judge")
"""


@pytest.mark.parametrize("n", [8, 80])
def test_pictures_of_a_generator_that_needs_real_labels_and_makes_a_dict(site, tmp_path, n):
    site.install("ganzoo-painter", PAINTER)
    batch = {"image": torch.zeros(n, 1, 4, 4), "mask": torch.zeros(n, 1, 4, 4), "label": torch.arange(n) % 3}
    run = train(tmp_path / "run", TINY | {"architecture": "painter"}, data=[batch])
    assert (run.path / "samples" / "step-000006.png").exists()
    assert run.sample(3, label=1)["image"].shape == (3, 1, 4, 4)


def test_training_goes_on_when_nobody_reads_its_progress(command):
    process = start(command, "vanilla", "--out", "run", "-o", "train.steps=40", "-o", "train.log_every=1")
    process.stderr.readline()
    process.stderr.close()
    assert process.wait(timeout=120) == 0
    assert ganzoo.Run(command.folder / "run").metrics[-1]["step"] == 40


def test_divergence_names_term_and_step_and_keeps_the_last_good_checkpoint(site, tmp_path):
    site.install("ganzoo-boom", BOOM)
    # Setup scores nothing here; each step takes two scores of the critic and one of the generator.
    with pytest.raises(ganzoo.Diverged) as error:
        train(tmp_path / "run", TINY | {"architecture": {"name": "vanilla", "discriminator": "boom"}})
    assert re.search(r"'discriminator/non-saturating/(real|fake)' is not a finite number at step 4", str(error.value))
    assert "go on from step-000004" in str(error.value)
    state, notes = checkpoint.read_newest(ganzoo.Run(tmp_path / "run").checkpoints)
    assert (state.numbers["index"], notes) == (4, [])
    assert all(value.isfinite().all() for value in state.tensors.values() if value.is_floating_point())


BOOM = """
    import ganzoo

    @ganzoo.hookimpl
    def register_architectures(register):
        register("boom", generator="tests.nowhere:G", discriminator="unruly:Explodes")
"""
