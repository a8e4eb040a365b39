"""A command parses each reference once, and reads each registry and each config once."""

import json

import pytest

import count_reads


def reads_of(command, *words):
    """What a command read, and its exit code."""
    done = command.python(count_reads.__file__, *words)
    return json.loads(done.stdout.splitlines()[-1]), done.returncode


@pytest.mark.parametrize(
    ("words", "configs"),
    [
        (["sample", "dcgan-mnist", "-n", "1", "--device", "cpu"], 1),
        (["load", "dcgan-mnist"], 1),
        (["evaluate", "dcgan-mnist", "-n", "1000", "--metrics", "classifier-score"], 1),
        (["pull", "dcgan-mnist"], 0),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else "",
)
def test_a_registered_model_is_looked_up_once(command, words, configs):
    read, code = reads_of(command, *words)
    assert code == 0
    assert read["parsed"] == ["dcgan-mnist"]
    assert len(read["registries"]) == 1
    assert len(read["configs"]) == configs


def test_several_models_are_looked_up_in_one_reading_of_the_registries(command, tmp_path):
    command.environment["GANZOO_REGISTRY"] = str(tmp_path / "registry.toml")
    (tmp_path / "registry.toml").touch()
    read, code = reads_of(command, "pull", "dcgan-mnist", "ganzoo:dcgan-mnist", "no-such-model")
    assert code == 2
    assert len(read["parsed"]) == 3
    assert len(read["registries"]) == len(set(read["registries"])) == 2


@pytest.mark.parametrize("words", [["sample", "no-such-model"], ["info", "no-such-model"], ["info", "dcgan-mnist"]])
def test_an_unknown_name_costs_no_second_reading(command, words):
    read, _ = reads_of(command, *words)
    assert len(read["registries"]) == 1
    assert len(read["configs"]) <= 1


def test_a_folder_needs_no_registry(command, tmp_path):
    read, code = reads_of(command, "sample", "./nothing")
    assert (code, read) == (2, {"parsed": ["nothing"], "registries": [], "configs": []})
