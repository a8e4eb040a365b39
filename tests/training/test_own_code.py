"""`ganzoo.train` with losses and networks that no plugin brings: classes in files, and those that Python code gives."""

import shutil
import sys
from pathlib import Path

import pytest
import torch
from torch import nn

import ganzoo
import own_code
from ganzoo.errors import BadInput
from own_code import D, G, Mine
from pictures import flat
from trainings import tiny

FILE = Path(own_code.__file__)
SHORT = {"batch": 8, "precision": "fp32", "steps": 4, "save_every": 2, "log_every": 2, "sample_every": 4}
IMAGE = (1, 8, 8)
BATCHES = [{"image": torch.rand(8, *IMAGE) * 2 - 1} for _ in range(4)]


@pytest.fixture
def here(tmp_path, monkeypatch):
    """An empty folder to work in, with the file mine.py."""
    monkeypatch.chdir(tmp_path)
    shutil.copy(FILE, tmp_path / "mine.py")
    return tmp_path


def train(recipe="vanilla", **given):
    settings = {"train": SHORT, "data": BATCHES, "device": "cpu", "quiet": True}
    return ganzoo.train(recipe, **{**settings, **given})


def resume(run, steps, **given):
    return train(None, out=run.path, resume=True, train={"steps": steps}, **given)


def weights(run):
    return ganzoo.load(run.path, "cpu").generator.state_dict()


def test_losses_networks_and_names_go_together(here):
    digits = {"data": "mnist-10k", "generator": G((1, 28, 28))}
    run = train(losses=[Mine(), "r1"], discriminator={"name": D, "width": 3}, **digits)
    assert run.recipe.architecture.discriminator["width"] == 3
    assert [loss.name for loss in run.recipe.loss] == ["<own_code>:Mine", "ganzoo-losses:r1"]
    assert {"discriminator/Mine/pairs", "discriminator/r1/penalty", "swd_ratio"} <= run.metrics[-1].keys()
    assert {path.name for path in run.path.iterdir()} >= {"curves.png", "samples", "checkpoints", "model", "best"}
    assert run.sample(2).shape == (2, 1, 28, 28)
    assert ganzoo.evaluate(run.model, n=100, metrics=["classifier-score"]).rows()


def test_no_recipe_is_needed_where_all_is_given(here):
    run = train(None, losses=Mine, generator=G, discriminator=D)
    assert run.path == Path("runs/run-001")
    assert run.recipe.architecture.name is None


def test_a_class_is_the_same_as_its_file_and_as_a_plugin_of_it(here, site):
    site.install(
        "ganzoo-mine",
        """
        import ganzoo

        @ganzoo.hookimpl
        def register_architectures(register):
            register("mine", generator="own_code:G", discriminator="own_code:D")

        @ganzoo.hookimpl
        def register_losses(register):
            register("mine", "own_code:Mine")
        """,
    )
    options = {"scale": 2, "every": 2}
    runs = [
        train(generator=G, discriminator=D, losses=[{"name": Mine, **options}]),
        train(generator="./mine.py:G", discriminator="mine.py", losses=[{"name": here / "mine.py", **options}]),
        train(architecture="mine", losses=[{"name": "mine", **options}]),
    ]
    for other in runs[1:]:
        torch.testing.assert_close(weights(other), weights(runs[0]), rtol=0, atol=0)
        assert [line["step"] for line in other.metrics] == [2, 4]


def test_of_an_object_a_copy_is_trained_that_begins_with_its_weights(here):
    torch.manual_seed(3)
    generator, discriminator, loss = G(IMAGE), D(IMAGE), Mine()
    before = {name: tensor.clone() for name, tensor in generator.state_dict().items()}
    runs = [train(generator=generator, discriminator=discriminator, losses=[loss, loss]) for _ in range(2)]
    torch.testing.assert_close(generator.state_dict(), before, rtol=0, atol=0)
    assert not hasattr(loss, "turns")
    torch.testing.assert_close(weights(runs[0]), weights(runs[1]), rtol=0, atol=0)
    assert {"discriminator/Mine/pairs", "discriminator/Mine-2/pairs"} <= runs[0].metrics[-1].keys()
    near = train(generator=generator, discriminator=discriminator, losses=loss, optimizer={"lr": 1e-12})
    torch.testing.assert_close(weights(near), before, rtol=0, atol=1e-9)


@pytest.mark.parametrize("kind", ["objects", "classes", "files"])
def test_a_run_resumes_exactly(here, kind):
    torch.manual_seed(3)
    given = {
        "objects": {"generator": G(IMAGE), "discriminator": D(IMAGE), "losses": [Mine(2.0), "r1"]},
        "classes": {"generator": {"name": G, "width": 5}, "discriminator": D, "losses": [Mine, "r1"]},
        "files": {"generator": "mine.py:G", "discriminator": "mine.py:D", "losses": ["mine.py:Mine", "r1"]},
    }[kind]
    whole, half = train(**given), train(**given, train={**SHORT, "steps": 2})
    again = {} if kind == "files" else {**given, "generator": G if kind == "classes" else given["generator"]}
    done = resume(half, 4, **again)
    assert done.history[-1]["changed"] == {"train.steps": [2, 4]}
    torch.testing.assert_close(weights(done), weights(whole), rtol=0, atol=0)


def test_what_python_gave_must_be_given_again(here, typed):
    run = train(losses=[Mine()], generator=G, discriminator=D, train={**SHORT, "steps": 2})
    assert run.resume_command == (
        f"ganzoo.train(out='{run.path}', resume=True, data=..., losses=[...], generator=..., discriminator=...)"
    )
    with pytest.raises(BadInput, match=r"'D' came from Python code, which must give it again: .* discriminator=\.\.\."):
        resume(run, 4)
    code, _, said = typed("train", "--resume", run.path, "-o", "train.steps=4")
    assert (code, said.count("\n")) == (2, 1)
    changed = resume(run, 4, generator=G, discriminator=D, losses="hinge")
    assert [loss.name for loss in changed.recipe.loss] == ["ganzoo-losses:hinge"]
    with pytest.raises(
        BadInput, match=r"a run keeps its architecture: 'architecture.generator.name' is '<own_code>:G'"
    ):
        resume(run, 6, generator="vanilla", discriminator=D)


def test_a_file_that_changed_is_said_and_one_that_is_gone_has_a_copy(here, caplog):
    run = train(losses="mine.py", train={**SHORT, "steps": 2})
    (here / "mine.py").write_text(FILE.read_text() + "\n# changed\n")
    with caplog.at_level("INFO", "ganzoo"):
        resume(run, 4, quiet=False)
    assert f"not be bit-identical to an uninterrupted one: {here / 'mine.py'} " in caplog.text
    assert len(list((run.path / "code").iterdir())) == 2
    (here / "mine.py").unlink()
    with pytest.raises(BadInput, match=r"the loss 'Mine' of this run was in .*mine.py, which does not exist; the run "):
        resume(run, 6)


def test_a_file_may_move_and_the_run_goes_on(here):
    run = train(generator="mine.py:G", discriminator="mine.py:D", train={**SHORT, "steps": 2})
    (here / "elsewhere").mkdir()
    (here / "mine.py").rename(here / "elsewhere" / "mine.py")
    there = {"generator": "elsewhere/mine.py:G", "discriminator": "elsewhere/mine.py:D"}
    done = resume(run, 4, **there)
    assert done.metrics[-1]["step"] == 4


def test_options_of_a_side_that_is_replaced_stand_for_nothing(here):
    recipe = {**tiny(**SHORT), "architecture": {"name": "vanilla", "widths": [4], "latent_size": 3}}
    one = train(recipe, generator=G(IMAGE))
    assert one.recipe.architecture.own("discriminator")["widths"] == [4]
    both = train(recipe, generator=G, discriminator=D)
    assert both.recipe.architecture.own("generator") == {"width": 4}


def test_own_code_goes_with_processes_that_decode_and_with_commands(here, typed, streamed):
    for number in range(24):
        flat(here / "pictures" / f"{number}.png", 10 * number)
    words = ["--device=cpu", "-odata.size=8", "-odata.workers=2", "-otrain.steps=2", "-otrain.batch=8"]
    own = ["--loss=mine.py:Mine,weight=2", "-oarchitecture.generator=mine.py", "-oarchitecture.discriminator=mine.py"]
    code, _, error = typed("train", "vanilla", f"--data={here / 'pictures'}", "--out=a", *words, *own)
    assert code == 0, error
    shutil.copytree("a", "b")
    code, _, error = typed("train", "--resume=a", "-otrain.steps=4", "--device=cpu")
    assert code == 0, error
    code, _, error = typed("compare", "a", "b", "--out=page.png", "-n", 100)
    assert (code, Path("page.png").exists()) == (0, True), error


class Abstract:
    pass


def a_function(step):
    return {}


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (
            {"losses": [a_function]},
            r"a loss is a subclass of ganzoo.Loss, as a class or .*; got <function",
        ),
        ({"losses": nn.Linear(1, 1)}, "got a Linear object"),
        ({"losses": [ganzoo.Loss()]}, "got a Loss object"),
        ({"losses": [Abstract]}, "got the class Abstract"),
        ({"losses": [3]}, "got 3"),
        ({"losses": []}, "the recipe has no loss"),
        ({"losses": [Mine()], "loss": ["hinge"]}, "give losses or loss, not both"),
        ({"losses": ["hinges"]}, "unknown loss 'hinges'; did you mean 'hinge'"),
        ({"losses": [{"weight": 2}]}, "got None"),
        ({"losses": [{"name": Mine, "scales": 2}]}, r"unknown key 'loss.<own_code>:Mine.scales'; did you mean 'scale'"),
        ({"losses": [{"name": Mine(), "scale": 2}]}, r"unknown key 'loss.<own_code>:Mine.scale'"),
        ({"generator": nn.Linear(1, 1)}, "a generator is a subclass of ganzoo.Generator, as a class or an object"),
        ({"generator": D}, "got the class D"),
        ({"discriminator": G(IMAGE)}, "a discriminator is any other torch.nn.Module, .*; got a G object"),
        ({"discriminator": Mine}, "got the class Mine"),
        ({"recipe": None, "generator": G}, "no architecture for the discriminator: set name, or discriminator"),
        ({"recipe": None, "generator": G, "discriminator": D}, "the recipe has no loss"),
        ({"recipe": None, "losses": Mine}, "'architecture' is missing"),
        ({"recipe": None}, "nothing to train: give a recipe"),
    ],
)
def test_what_cannot_be_given_is_refused_in_a_sentence(here, given, said):
    given = {"recipe": "vanilla", **given}
    with pytest.raises(BadInput, match=said) as refused:
        train(**given)
    assert "\n" not in str(refused.value)
    assert not Path("runs").exists()


def test_an_object_that_cannot_be_copied_is_refused(here):
    loss = Mine()
    loss.module = sys
    with pytest.raises(ganzoo.errors.Failed, match=r"loss 'Mine' failed: TypeError: cannot pickle 'module' object"):
        train(losses=loss)
