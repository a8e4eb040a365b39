"""A run is loaded while its training replaces the model again and again."""

import shutil
import subprocess
import sys

import pytest

import ganzoo
from ganzoo.zoo.local import LocalModel
from ganzoo.zoo.model import load_local

REPLACE = """
import sys
from pathlib import Path
from ganzoo._io import replace_folder, write_bytes

target, sources = Path(sys.argv[1]), [Path(name) for name in sys.argv[2:]]
contents = [{file.name: file.read_bytes() for file in source.iterdir()} for source in sources]
print("ready", flush=True)
for number in range(300):
    with replace_folder(target) as new:
        for name, content in contents[number % 2].items():
            write_bytes(new / name, content)
"""


@pytest.fixture
def replaced(run, tmp_path):
    """A run whose model another process replaces by one with other weights, three hundred times."""
    from ganzoo.recipe.build import resolve
    from ganzoo.zoo.saving import save_model

    other, model = tmp_path / "other", run.model
    for weight in model.generator.parameters():
        weight.data.mul_(2)
    found = resolve(run.recipe).architecture.generator
    save_model(other, model.generator, found, model.config["data"], run.recipe)
    one = shutil.copytree(run.model_folder, tmp_path / "one")
    copy = ganzoo.Run(shutil.copytree(run.path, tmp_path / "copy"))
    words = [sys.executable, "-c", REPLACE, copy.model_folder, one, other]
    process = subprocess.Popen([str(word) for word in words], stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "ready\n"
    yield copy, process
    process.kill()
    process.communicate()


def test_loading_never_raises_a_false_alarm(replaced):
    copy, process = replaced
    while process.poll() is None:
        ganzoo.load(copy.path, "cpu")
        ganzoo.load(copy.model_folder, "cpu")
        assert LocalModel.find(copy.path).config.format == 1
    assert process.returncode == 0


def test_what_a_killed_exchange_left_is_no_reason_to_wait_for_ever(run, tmp_path, monkeypatch):
    copy = ganzoo.Run(shutil.copytree(run.path, tmp_path / "copy"))
    monkeypatch.setattr("ganzoo.zoo.local.EXCHANGE_SECONDS", 0.1)
    copy.model_folder.rename(copy.path / ".model.0123abcd.old")
    with pytest.raises(ganzoo.BadInput, match="neither a run with a saved model nor a model folder"):
        ganzoo.load(copy.path)


def test_a_config_that_was_read_before_the_model_was_replaced_is_read_again(run, tmp_path):
    copy = ganzoo.Run(shutil.copytree(run.path, tmp_path / "copy"))
    local = LocalModel.find(copy.path)
    before = local.config.weights.sha256
    again = ganzoo.train(
        out=copy.path, resume=True, device="cpu", quiet=True, train={"steps": run.metrics[-1]["step"] + 1}
    )
    loaded = load_local(local, "cpu").config["weights"]["sha256"]
    assert loaded == again.model.config["weights"]["sha256"] != before
