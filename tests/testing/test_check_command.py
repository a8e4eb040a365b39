"""How the checks are run: by pytest, by `ganzoo check`, or one by one."""

import json
import re
import sys

import pytest
import torch

import ganzoo
from checking import FORWARD, takes
from ganzoo.cli.main import main
from ganzoo.plugins.catalog import catalog
from tinyplugin import IMAGE, install, results


@pytest.mark.parametrize(
    "name, sentence",
    [
        ("tiny-gam", "no plugin 'tiny-gam' is installed; did you mean 'tiny-gan'"),
        ("broken-gan", "failed: ModuleNotFoundError: No module named 'nowhere_to_be_found'"),
    ],
)
def test_a_plugin_that_does_not_work_is_one_failing_check(site, name, sentence):
    install(site)
    site.install("broken-gan", "import nowhere_to_be_found")
    (check,) = ganzoo.testing.checks_of(name)
    result, reason = check.result()
    assert (check.id, result) == (f"plugin-{name}-works", "failed")
    assert reason.startswith(sentence)


def test_looking_for_torch_imports_nothing_of_the_current_folder(site, monkeypatch, tmp_path):
    (tmp_path / "pluggy.py").write_text("raise SystemExit('this is the wrong pluggy')")
    monkeypatch.chdir(tmp_path)
    install(site)
    assert results("plugin") == {"tiny-gan-imports-no-torch": ("ok", "")}


def test_a_check_leaves_torchs_random_numbers_alone(site):
    install(site)
    before = torch.get_rng_state()
    results("recipe")
    assert before.equal(torch.get_rng_state())


def test_without_pytest_one_sentence_says_so(site, monkeypatch):
    monkeypatch.setitem(sys.modules, "pytest", None)
    with pytest.raises(ganzoo.BadInput, match="needs pytest: pip install pytest; or run 'ganzoo check'"):
        ganzoo.testing.checks(install(site))


def test_the_kit_is_there_when_it_is_asked_for(command):
    code = "import sys, ganzoo; print('testing' in dir(ganzoo), {'torch', 'pytest', 'ganzoo.testing'} & {*sys.modules})"
    assert command.python("-c", code).stdout == "True set()\n"


def test_pytest_collects_one_test_for_each_check_and_skips_and_fails_as_they_do(site, command):
    install(site, ("losses.py", ".mean()}\n\n    def generator", ".mean() / 0}\n\n    def generator"))
    line = f'test_plugin = ganzoo.testing.checks("tiny-gan", image={IMAGE})\n'
    (command.folder / "test_tiny.py").write_text(f"import ganzoo\n\n{line}")
    ended = command.python("-m", "pytest", "-v", "-p", "no:cacheprovider", "test_tiny.py", PYTHONPATH=str(site.folder))
    found = re.findall(r"test_tiny\.py::test_plugin\[(\S+)\] (PASSED|FAILED|SKIPPED)", ended.stdout)
    own = results("plugin", "architecture", "loss", "recipe")
    words = {"ok": "PASSED", "failed": "FAILED", "skipped": "SKIPPED"}
    ids = [check.id for check in ganzoo.testing.checks_of("tiny-gan")]
    assert found == list(zip(ids, (words[result] for result, _ in own.values()), strict=True))
    assert "the term 'fake' of the discriminator's turn is inf, not a finite number" in ended.stdout


def test_the_command_shows_a_table_and_exits_with_2_where_a_check_fails(site, command):
    install(site, ("networks.py", "return self.last(hidden)", "return torch.sigmoid(self.last(hidden))"))
    ended = command("check", "tiny_gan", PYTHONPATH=str(site.folder))
    assert ended.returncode == 2, ended.stderr
    lines = [re.split(r"\s{2,}", line.strip()) for line in ended.stdout.splitlines()]
    assert ["architecture tiny", "plays in float32", "ok"] in lines
    assert ["loss gentle", "view lets gradient through", "skipped", "it has no view of its own"] in lines
    broken, counts = lines[-2:]
    assert broken[:3] == ["architecture tiny", "scores are raw", "failed"]
    assert broken[3].startswith("scores never leave [-1, 1]: leave the final sigmoid (or tanh) away")
    assert re.fullmatch(r"tiny-gan: \d+ ok, \d+ skipped, 1 failed", counts[0])


def test_a_reason_that_many_checks_give_stands_there_once(site, command):
    install(site, ("networks.py", "return self.last(hidden)", "return self.lost(hidden)"))
    shown = command("check", "tiny_gan", PYTHONPATH=str(site.folder)).stdout
    assert shown.count("'lost'") == 2, "once of the architecture, and in other words of the recipe"
    assert shown.count("(as above)") > 5


def test_each_check_of_a_loss_can_be_made_alone(site):
    install(site)
    for number in range(len(ganzoo.testing.checks_of("tiny-gan"))):
        ending, reason = ganzoo.testing.checks_of("tiny-gan")[number].result()
        assert ending in ("ok", "skipped"), reason


def run_here(capsys, *words):
    """What a command prints, and its exit code."""
    with pytest.raises(SystemExit) as end:
        main(words)
    return capsys.readouterr().out, end.value.code


def test_the_command_gives_json_alone_and_exits_with_0_where_all_is_well(site, capsys):
    install(site, ("networks.py", FORWARD, FORWARD + "\n        print('disturbing')"))
    printed, code = run_here(capsys, "check", "tiny-gan", "--json")
    rows = json.loads(printed)
    assert code == 0
    assert {row["result"] for row in rows} == {"ok", "skipped"}
    assert rows[0] == {
        "plugin": "tiny-gan",
        "thing": "plugin tiny-gan",
        "check": "imports no torch",
        "result": "ok",
        "reason": "",
    }


def test_the_command_can_be_told_the_shape_of_the_images(site, capsys):
    install(site, takes("image == (1, 5, 9)"))
    printed, _ = run_here(capsys, "check", "tiny-gan", "--image", "1,5,9", "--json")
    assert {row["result"] for row in json.loads(printed) if row["thing"] == "architecture tiny"} == {"ok"}


@pytest.mark.parametrize("image", ["32", "3,32", "3x32x32", "3,32,0", "3,32,-1", "3,32,32,", "a,b,c", ""])
def test_the_command_refuses_what_is_no_shape(site, capsys, image):
    with pytest.raises(SystemExit) as end:
        main(["check", install(site), "--image", image])
    sentence = f"error: --image is channels, height and width, such as 3,32,32; got '{image}'\n"
    assert (end.value.code, capsys.readouterr().err) == (2, sentence)


def test_the_command_can_be_told_options(site, capsys):
    required = ("networks.py", 'activation: Literal["relu", "elu"] = "relu"', 'activation: Literal["relu", "elu"]')
    install(site, required, ("recipes/tiny.toml", 'architecture = "tiny"', 'architecture = "other"'))
    printed, _ = run_here(capsys, "check", "tiny-gan", "-o", "tiny.activation=elu", "--json")
    assert {row["result"] for row in json.loads(printed) if row["thing"] == "architecture tiny"} == {"ok"}


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["tiny-gan", "-o", "activation"], "'-o activation' is not name.option=value, such as -o pairs.path=photogr"),
        (["tiny-gan", "-o", "tinny.x=1"], "options: tiny-gan registers nothing called 'tinny'; did you mean 'tiny'?"),
        (["-o", "tiny.x=1"], "-o needs the name of a plugin: ganzoo check PLUGIN -o name.option=value"),
    ],
)
def test_the_command_refuses_options_of_nothing(site, capsys, words, sentence):
    install(site)
    with pytest.raises(SystemExit) as end:
        main(["check", *words])
    assert end.value.code == 2
    assert capsys.readouterr().err.splitlines()[-1].startswith(f"error: {sentence}")


def test_the_command_without_a_name_looks_at_every_plugin(site, monkeypatch, capsys):
    monkeypatch.setenv("GANZOO_DISABLE_PLUGINS", ",".join(plugin.distribution for plugin in catalog().plugins))
    catalog.cache_clear()
    site.install("broken-gan", "import nowhere_to_be_found")
    site.install("empty-handed", "")
    printed, code = run_here(capsys, "check", "--json")
    rows = {row["plugin"]: row for row in json.loads(printed)}
    assert code == 2
    assert "No module named 'nowhere_to_be_found'" in rows["broken-gan"]["reason"]
    assert "it registers nothing" in rows["empty-handed"]["reason"]


def test_an_unknown_plugin_is_refused_with_the_nearest_name(site, command):
    install(site)
    ended = command("check", "tiny-gam", PYTHONPATH=str(site.folder))
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr == "error: no plugin 'tiny-gam' is installed; did you mean 'tiny-gan'?\n"
