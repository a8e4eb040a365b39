"""Callbacks: what they are told and when, that they change nothing, and what happens where one raises."""

import json
import logging
import os
import signal
import textwrap
import warnings
from dataclasses import dataclass

import pytest
import torch

import ganzoo
from ganzoo.plugins.catalog import catalog
from ganzoo.testing.toys import NonSaturating
from ganzoo.training.runs import checkpoint
from ganzoo.training.train import release
from launch import LAUNCH
from trainings import assert_same_weights, resume, tiny, train_with

RECIPE = tiny(steps=6, log_every=2, save_every=3, sample_every=3)
train = train_with(RECIPE)


class Diary(ganzoo.Callback):
    """Writes down every call."""

    def __init__(self):
        self.calls = []

    def on_train_start(self, trainer):
        self.calls.append(("start", trainer.step, trainer.steps))

    def on_step_end(self, trainer):
        self.calls.append(("step", trainer.step, trainer.is_last))

    def on_log(self, trainer, line):
        self.calls.append(("log", line["step"]))

    def on_picture(self, trainer, path):
        assert path.is_file() and path.parent == trainer.run.path / "samples"
        self.calls.append(("picture", path.name))

    def on_save(self, trainer, folder):
        assert (folder / "state.json").is_file()
        self.calls.append(("save", folder.name))

    def on_interrupt(self, trainer):
        self.calls.append(("interrupt", trainer.step))

    def on_train_end(self, trainer):
        self.calls.append(("end", trainer.step))


class Restless(ganzoo.Callback):
    """Draws random numbers and samples wherever it can."""

    def on_train_start(self, trainer):
        torch.manual_seed(7)

    def on_step_end(self, trainer):
        torch.randn(5)
        list(trainer.samples.draw(3))

    def on_log(self, trainer, line):
        torch.rand(2)


class Raises(ganzoo.Callback):
    def __init__(self, error, hook="on_step_end", step=4):
        def method(trainer, *arguments):
            if trainer.step >= step:
                raise error

        setattr(self, hook, method)


def test_a_callback_hears_of_everything_in_the_stated_order(tmp_path):
    diary = Diary()
    train(tmp_path / "run", callbacks=[diary])
    steps = [("step", 1, False), ("step", 2, False), ("log", 2), ("step", 3, False), ("picture", "step-000003.png")]
    steps += [("save", "step-000003")]
    steps += [
        ("step", 4, False),
        ("log", 4),
        ("step", 5, False),
        ("step", 6, True),
        ("log", 6),
        ("picture", "step-000006.png"),
        ("save", "step-000006"),
    ]
    assert diary.calls == [("start", 0, 6), *steps, ("end", 6)]


def test_a_resumed_training_starts_them_where_it_goes_on(tmp_path):
    diary = Diary()
    train(tmp_path / "run")
    resume(tmp_path / "run", callbacks=[diary], train={"steps": 7})
    assert diary.calls == [
        ("start", 6, 7),
        ("step", 7, True),
        ("log", 7),
        ("picture", "step-000007.png"),
        ("save", "step-000007"),
        ("end", 7),
    ]


@pytest.mark.parametrize("dropout", [0.0, 0.3])
def test_with_and_without_callbacks_the_weights_are_the_same_bit_for_bit(tmp_path, dropout):
    recipe = {**RECIPE, "architecture": {"name": "dcgan", "width": 4, "dropout": dropout}}
    plain = train(tmp_path / "plain", recipe)
    watched = train(tmp_path / "watched", recipe, callbacks=[Restless(), Diary()])
    assert_same_weights(plain, watched)


def test_measures_of_a_callback_are_in_the_next_line_of_the_log(tmp_path):
    class Counts(ganzoo.Callback):
        def on_step_end(self, trainer):
            trainer.measures["mine"] = trainer.measures.get("mine", 0) + 1

    run = train(tmp_path / "run", callbacks=[Counts()])
    assert [line["mine"] for line in run.metrics] == [2, 2, 2]


def test_several_are_called_in_their_order_and_reversed_on_an_interrupt(tmp_path):
    order = []

    class Named(ganzoo.Callback):
        def __init__(self, name):
            self.name = name

        def on_step_end(self, trainer):
            order.append(self.name)
            if trainer.step == 2 and self.name == "first":
                os.kill(os.getpid(), signal.SIGINT)

        def on_interrupt(self, trainer):
            order.append(f"interrupt {self.name}")
            assert (trainer.run.checkpoints / f"step-{trainer.step:06d}").is_dir()

    with pytest.raises(ganzoo.Interrupted, match="stopped after step"):
        train(tmp_path / "run", callbacks=[Named("first"), Named("second")])
    assert order[:4] == ["first", "second"] * 2
    assert order[-2:] == ["interrupt second", "interrupt first"]


@pytest.mark.parametrize(
    ("error", "kind", "sentence"),
    [
        (
            ZeroDivisionError("division by zero"),
            ganzoo.Failed,
            "'Raises' failed: ZeroDivisionError: division by zero; ",
        ),
        (ValueError("no such channel"), ganzoo.BadInput, "callback 'Raises': no such channel; "),
    ],
)
def test_one_that_raises_is_named_and_the_last_checkpoint_is_kept(tmp_path, error, kind, sentence):
    diary = Diary()
    with pytest.raises(kind, match="go on from step-000003 with: ganzoo train --resume") as raised:
        train(tmp_path / "run", callbacks=[Raises(error), diary])
    assert sentence in str(raised.value)
    assert diary.calls[-1] == ("end", 4), "the others hear that it has ended"
    run = resume(tmp_path / "run")
    assert_same_weights(run, train(tmp_path / "whole"))


@pytest.mark.parametrize("hook", ["on_train_start", "on_log", "on_save", "on_train_end"])
def test_whichever_method_raises_the_sentence_names_the_callback(tmp_path, hook):
    with pytest.raises(ganzoo.Failed, match="callback 'Raises' failed: KeyError: 'x'; "):
        train(tmp_path / "run", callbacks=[Raises(KeyError("x"), hook, 0)])


def test_what_is_not_a_callback_is_refused_before_anything_is_written(tmp_path):
    with pytest.raises(ganzoo.BadInput, match=r"a callback is a ganzoo\.Callback object, got <class"):
        train(tmp_path / "run", callbacks=[Diary])
    assert not (tmp_path / "run").exists()


CODE = """
    import ganzoo

    @ganzoo.hookimpl
    def register_callbacks(register):
        register("notes", "notes_plugin.callbacks:Notes")
        register("stranger", "notes_plugin.callbacks:Stranger")
"""
CALLBACKS = """
    import ganzoo

    class Notes(ganzoo.Callback):
        def __init__(self, every: int = 2, prefix: str = "note"):
            self.every, self.prefix = every, prefix

        def on_step_end(self, trainer):
            if trainer.step % self.every == 0:
                (trainer.run.path / f"{self.prefix}-{trainer.step}.txt").write_text("here")

    class Stranger:
        pass
"""


@pytest.fixture
def notes(site):
    site.install("notes-plugin", CODE)
    (site.folder / "notes_plugin" / "callbacks.py").write_text(textwrap.dedent(CALLBACKS))


def test_a_recipe_names_callbacks_of_plugins_with_their_options(notes, tmp_path):
    recipe = {**RECIPE, "callback": [{"name": "notes", "every": 3}]}
    run = train(tmp_path / "run", recipe)
    assert sorted(path.name for path in run.path.glob("note-*")) == ["note-3.txt", "note-6.txt"]
    assert run.recipe.written_out()["callback"] == [{"name": "notes-plugin:notes", "every": 3, "prefix": "note"}]
    assert run.history[0]["circumstances"]["notes-plugin"] == "1.0"
    assert_same_weights(run, train(tmp_path / "plain"))


def test_a_resumed_training_takes_the_recipes_callbacks_again(notes, tmp_path):
    run = train(tmp_path / "run", {**RECIPE, "callback": ["notes"]})
    resume(run.path, **{"train.steps": 8, "callback.notes.prefix": "later"})
    assert sorted(path.name for path in run.path.glob("*-8.txt")) == ["later-8.txt"]
    assert run.history[-1]["changed"]["callback"][1] == [{"name": "notes-plugin:notes", "every": 2, "prefix": "later"}]


@pytest.mark.parametrize(
    ("section", "sentence"),
    [
        ({"name": "note"}, "unknown callback 'note'; did you mean 'notes'?"),
        ({"name": "notes", "evry": 3}, "unknown key 'callback.notes.evry'; did you mean 'every'?"),
        ({"name": "notes", "every": "often"}, "callback.notes.every: input should be a valid integer"),
        ({"name": "stranger"}, "'notes_plugin.callbacks:Stranger' is not a subclass of ganzoo.Callback"),
        ({"every": 3}, "'callback.0.name' is missing"),
    ],
)
def test_a_callback_that_cannot_be_is_refused_in_a_sentence(notes, tmp_path, section, sentence):
    with pytest.raises(ganzoo.BadInput) as raised:
        train(tmp_path / "run", {**RECIPE, "callback": [section]})
    assert sentence in str(raised.value)
    assert not (tmp_path / "run").exists()


def test_a_recipe_without_callbacks_says_nothing_of_them():
    assert "callback" not in ganzoo.Recipe.load(RECIPE).written_out()


def test_messages_go_through_the_logger_and_quiet_shows_nothing(tmp_path, caplog, capfd):
    with caplog.at_level(logging.INFO, "ganzoo"):
        train(tmp_path / "run")
        resume(tmp_path / "run")
    assert [record.name for record in caplog.records] == ["ganzoo"] * 2
    assert caplog.messages[0].startswith("training run on mnist-10k (10,000 samples), cpu in fp32, to ")
    assert caplog.messages[1].endswith(
        "is finished: it was trained for 6 steps; to continue, give it more steps: -o train.steps=12"
    )
    assert capfd.readouterr() == ("", "")


def test_the_display_shows_messages_and_lines_and_leaves_the_logger_as_it_was(tmp_path, capfd):
    logger = logging.getLogger("ganzoo")
    before = [*logger.handlers], logger.level
    ganzoo.train(RECIPE, out=tmp_path / "run", device="cpu")
    shown = capfd.readouterr().err.splitlines()
    assert shown[0].startswith("training run on mnist-10k")
    assert [line.split("  ")[0] for line in shown[1:]] == ["step 2/6", "step 4/6", "step 6/6"]
    assert ([*logger.handlers], logger.level) == before


def test_a_level_that_somebody_chose_for_the_logger_holds(tmp_path, capfd):
    logger = logging.getLogger("ganzoo")
    logger.setLevel(logging.WARNING)
    try:
        ganzoo.train(RECIPE, out=tmp_path / "run", device="cpu")
    finally:
        logger.setLevel(logging.NOTSET)
    assert "training run on" not in capfd.readouterr().err


def test_progress_is_deprecated_in_a_sentence_and_still_heard(tmp_path):
    heard = []

    class Old:
        def say(self, text):
            heard.append(text.split()[0])

        def start(self, done, steps):
            heard.append((done, steps))

        def step(self, done):
            heard.append(done)

        def log(self, line):
            heard.append(f"log {line['step']}")

        def stop(self):
            heard.append("stop")

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        run = ganzoo.train(RECIPE, out=tmp_path / "run", device="cpu", progress=Old())
    (warning,) = [each for each in caught if issubclass(each.category, ganzoo.Deprecated)]
    assert "progress= of ganzoo.train is deprecated: pass callbacks=[...]" in str(warning.message)
    assert warning.filename == __file__
    assert heard == ["training", (0, 6), 1, 2, "log 2", 3, 4, "log 4", 5, 6, "log 6", "stop"]
    assert_same_weights(run, train(tmp_path / "plain"))


def test_the_history_of_a_run_with_callbacks_is_plain_json(notes, tmp_path):
    run = train(tmp_path / "run", {**RECIPE, "callback": ["notes"]})
    assert json.loads((run.path / "history.jsonl").read_text().splitlines()[0])["event"] == "begun"


class Measures(ganzoo.Callback):
    def __init__(self, value):
        self.value = value

    def on_step_end(self, trainer):
        trainer.measures["mine"] = self.value


@pytest.mark.parametrize("value", ["high", None, torch.ones(()), float("nan")])
def test_a_measure_that_no_log_can_hold_is_refused_and_names_the_callback(tmp_path, value):
    sentence = "callback 'Measures': trainer.measures holds finite numbers, but 'mine' is"
    with pytest.raises(ganzoo.BadInput, match=sentence):
        train(tmp_path / "run", callbacks=[Measures(value)])


def test_an_error_of_ours_that_a_callback_raises_is_the_callbacks_and_rolls_nothing_back(tmp_path):
    settings = {"train.on_nonfinite": "rollback"}
    with pytest.raises(ganzoo.Failed, match=r"callback .Raises.: mine; .*step-000003"):
        train(tmp_path / "run", callbacks=[Raises(ganzoo.Diverged("mine"))], **settings)
    assert [line["event"] for line in ganzoo.Run(tmp_path / "run").history] == ["begun", "failed"]


def test_the_first_error_counts_and_a_later_one_is_logged(tmp_path, caplog):
    late = Raises(RuntimeError("too late"), "on_train_end", 0)
    with pytest.raises(ganzoo.BadInput, match="callback 'Raises': first"):
        train(tmp_path / "run", callbacks=[Raises(ValueError("first")), late])
    assert "callback 'Raises' failed: RuntimeError: too late" in caplog.messages


def test_a_callback_cannot_turn_gradients_off(tmp_path):
    class Off(ganzoo.Callback):
        def on_step_end(self, trainer):
            torch.set_grad_enabled(False)

    assert_same_weights(train(tmp_path / "off", callbacks=[Off()]), train(tmp_path / "plain"))


def test_a_run_goes_on_without_a_callback_that_is_gone(notes, tmp_path, monkeypatch):
    run = train(tmp_path / "run", {**RECIPE, "callback": ["notes"]})
    monkeypatch.setenv("GANZOO_DISABLE_PLUGINS", "notes-plugin")
    catalog.cache_clear()
    with pytest.raises(ganzoo.BadInput, match="unknown callback 'notes-plugin:notes'"):
        resume(run.path, train={"steps": 7})
    assert resume(run.path, train={"steps": 7}, callback=[]).metrics[-1]["step"] == 7


@pytest.mark.parametrize("callbacks", [Diary(), None, 3])
def test_what_is_not_a_list_of_callbacks_is_refused(tmp_path, callbacks):
    with pytest.raises(ganzoo.BadInput, match=r"callbacks is a list of ganzoo\.Callback objects, got"):
        ganzoo.train(RECIPE, out=tmp_path / "run", callbacks=callbacks)


def test_messages_are_not_doubled_by_a_handler_of_the_root(tmp_path, capfd):
    root, handler = logging.getLogger(), logging.StreamHandler()
    root.addHandler(handler)
    try:
        ganzoo.train(RECIPE, out=tmp_path / "run", device="cpu")
    finally:
        root.removeHandler(handler)
    assert capfd.readouterr().err.count("training run on mnist-10k") == 1


def test_a_callback_may_be_a_dataclass_which_has_no_hash(tmp_path):
    @dataclass
    class Counts(ganzoo.Callback):
        steps: int = 0

        def on_step_end(self, trainer):
            self.steps += 1

    counts = Counts()
    train(tmp_path / "run", callbacks=[counts])
    assert counts.steps == 6


def test_after_a_rollback_nothing_of_the_old_networks_is_kept():
    generator, discriminator = ganzoo.create("vanilla", image=(1, 28, 28), generator={"widths": [8]})
    engine = ganzoo.Engine(generator, discriminator, [NonSaturating()], device="cpu")
    engine.run([{"image": torch.zeros(4, 1, 28, 28)}], steps=1)
    release(engine)
    held = [tensor for player in engine.players.values() for tensor in player.parameters]
    held += [*generator.buffers(), *engine.ema.parameters()]
    assert held and sum(tensor.numel() for tensor in held) == 0


TWO = """
import json, os, sys
from pathlib import Path
import ganzoo

class Counts(ganzoo.Callback):
    calls = 0
    def on_step_end(self, trainer):
        self.calls += 1
        if self.calls == 5:
            raise KeyError("no fifth")

small = {"data": "mnist-10k", "device": "cpu", "train.batch": 8, "train.precision": "fp32", "train.save_every": 2}
counts, found = Counts(), []
try:
    ganzoo.train("vanilla", **small, out=sys.argv[1], callbacks=[counts], train={"steps": 8})
except ganzoo.Failed as error:
    found = [str(error).partition("; ")[0], error.reported_by_me]
place = Path(f"{sys.argv[1]}-{os.environ['RANK']}.json")
place.write_text(json.dumps([counts.calls, *found]))
"""


def test_of_two_processes_the_first_calls_them_and_both_end_with_its_error(command):
    (command.folder / "two.py").write_text(TWO)
    done = command.python(*LAUNCH, "two.py", "run")
    came = [json.loads((command.folder / f"run-{rank}.json").read_text()) for rank in (0, 1)]
    sentence = "callback 'Counts' failed: KeyError: 'no fifth'"
    assert came == [[5, sentence, True], [0, sentence, False]], done.stderr
    assert checkpoint.list_checkpoints(command.folder / "run" / "checkpoints")[-1].name == "step-000004"


@pytest.mark.slow
def test_two_processes_with_other_callbacks_are_refused(command):
    code = TWO.replace("callbacks=[counts]", "callbacks=[counts] * (os.environ['RANK'] == '0')")
    code = code.replace("except ganzoo.Failed", "except ganzoo.BadInput")
    (command.folder / "two.py").write_text(code)
    done = command.python(*LAUNCH, "two.py", "run")
    came = [json.loads((command.folder / f"run-{rank}.json").read_text()) for rank in (0, 1)]
    assert "'callbacks' is ['Counts (on_step_end)'] in process 0 and [] in process 1" in came[0][1], done.stderr
    assert [each[2] for each in came] == [True, False]
