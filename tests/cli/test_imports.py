"""What each command does not import: starting quickly is a promise of each."""

import json

import pytest

HEAVY = ("torch", "torchvision", "matplotlib", "torchmetrics", "torch._dynamo", "huggingface_hub", "pydantic")
QUICKEST = [
    ("--help",),
    ("list",),
    ("list", "recipes", "--json"),
    ("plugins",),
    ("info", "ring8"),
    ("info", "dcgan-mnist"),
    ("info", "mnist-10k"),
]
WITHOUT_TORCH = [
    ("info", "nothing-of-this-name"),
    ("pull", "dcgan-mnist"),
    ("train", "nothing-of-this-name"),
    ("sample", "nothing-of-this-name"),
    ("evaluate", "nothing-of-this-name"),
    ("new", "nothing of this name"),
]
WITH_TORCH = [
    ("info", "dcgan"),
    ("sample", "dcgan-mnist", "-n", "64"),
    ("sample", "cgan-mnist", "--rows", "label", "-n", "2"),
]
PRINT_MODULES = """
import atexit, json, sys
sys.argv[0] = "ganzoo"
atexit.register(lambda: print(json.dumps([name for name in {heavy} if name in sys.modules]), file=sys.stderr))
"""
RUN_COMMAND = "from ganzoo.cli.main import main; main()"


def imported_by(command, *words, code=RUN_COMMAND):
    """Return those of `HEAVY` that a command imports."""
    result = command.python("-c", PRINT_MODULES.format(heavy=HEAVY) + code, *words)
    assert result.returncode in (0, 2), result.stderr
    return json.loads(result.stderr.splitlines()[-1])


@pytest.mark.parametrize("words", WITHOUT_TORCH, ids=" ".join)
def test_a_command_without_networks_imports_no_torch(command, words):
    assert set(imported_by(command, *words)) <= {"pydantic"}


@pytest.mark.parametrize("words", QUICKEST, ids=" ".join)
def test_what_only_lists_imports_nothing_heavy(command, words):
    assert imported_by(command, *words) == []


@pytest.mark.parametrize("words", WITH_TORCH, ids=" ".join)
def test_a_command_with_a_generator_imports_torch_alone(command, words):
    assert imported_by(command, *words) == ["torch", "pydantic"]


def test_loading_imports_torch_alone(command):
    assert imported_by(command, code='import ganzoo; ganzoo.load("dcgan-mnist").sample(2)') == ["torch", "pydantic"]


def test_importing_the_package_imports_nothing_heavy(command):
    assert imported_by(command, code="import ganzoo") == []


def test_a_training_imports_what_draws_when_it_draws(command):
    code = """
import sys, ganzoo
class Seen(ganzoo.Callback):
    def on_train_start(self, trainer): print([name for name in {heavy} if name in sys.modules], file=sys.stderr)
"""
    code = code.format(heavy=("torchvision", "matplotlib", "torchmetrics"))
    code += 'ganzoo.train("vanilla", data="mnist-10k", train={"steps": 1}, quiet=True, callbacks=[Seen()])'
    result = command.python("-c", code)
    assert result.returncode == 0, result.stderr
    assert "[]" in result.stderr.splitlines()
