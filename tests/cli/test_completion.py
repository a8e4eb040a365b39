"""Completion as the shells ask for it: by the environment variable of click's protocol, in real processes."""

import os
import shutil
import subprocess
import sys

import pytest

PROGRAM = "import sys; from ganzoo.cli.main import main; main(); sys.exit('torch' in sys.modules)"


@pytest.fixture
def ask(command):
    """The answer to what is typed, the last word of which is completed."""

    def answer(typed, shell="bash", **environment):
        words = typed.split(" ")
        asked = {"_GANZOO_COMPLETE": f"{shell}_complete", "COMP_WORDS": typed, "COMP_CWORD": str(len(words) - 1)}
        if shell == "fish":
            asked["COMP_CWORD"] = words[-1]
        done = command.python("-c", PROGRAM, **asked, **environment)
        assert (done.returncode, done.stderr) == (0, "")  # quick and silent: without torch
        return done.stdout

    return answer


def plain(answer):
    return [line.partition(",")[2] for line in answer.splitlines() if line.startswith("plain,")]


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("ganzoo tr", ["train"]),
        ("ganzoo list mo", ["models"]),
        ("ganzoo train van", ["vanilla", "vanilla-mnist"]),
        ("ganzoo sample dc", ["dcgan-mnist"]),
        ("ganzoo evaluate dc", ["dcgan-mnist"]),
        ("ganzoo compare dcgan-mnist wg", ["wgan-gp-mnist", "wgan-mnist"]),
        ("ganzoo pull ca", []),
        ("ganzoo pull cg", ["cgan-critters", "cgan-mnist"]),
        ("ganzoo train dcgan --data ci", ["cifar10"]),
        ("ganzoo train dcgan --init va", ["vanilla-mnist"]),
        ("ganzoo train dcgan --loss relat", ["relativistic"]),
        ("ganzoo train dcgan --loss r1,ev", ["r1,every="]),
        ("ganzoo train dcgan --pre", ["--precision"]),
        ("ganzoo train dcgan --precision bf", ["bf16"]),
        ("ganzoo train dcgan --device cu", ["cuda"]),
        ("ganzoo train dcgan -o train.em", ["train.ema=", "train.ema_every="]),
        ("ganzoo train dcgan -o train.prec", [f"train.precision={name}" for name in ("auto", "fp32", "bf16", "fp16")]),
        ("ganzoo train dcgan -o optimizer.generator.l", ["optimizer.generator.lr="]),
        ("ganzoo info hin", ["hinge"]),
        ("ganzoo info train.ste", ["train.steps"]),
        ("ganzoo plugins ganzoo-dc", ["ganzoo-dcgan"]),
        ("ganzoo check ganzoo-dc", ["ganzoo-dcgan"]),
    ],
)
def test_names_of_the_right_kind_are_completed(ask, typed, found):
    assert plain(ask(typed)) == found


def test_runs_are_completed_the_newest_first_and_folders_are_left_to_the_shell(ask, command):
    for number, name in enumerate(("old", "new")):
        folder = command.folder / "runs" / name
        folder.mkdir(parents=True)
        (folder / "recipe.toml").write_text("")
        os.utime(folder, (number, number))
    for typed in ("ganzoo train --resume runs/", "ganzoo sample runs/"):
        answer = ask(typed)
        assert plain(answer) == ["runs/new", "runs/old"]
        assert answer.splitlines()[0] == "dir,runs/"


def test_every_shell_is_answered(ask):
    assert "plain\nvanilla\n" in ask("ganzoo train van", "zsh")
    assert "plain,vanilla" in ask("ganzoo train van", "fish")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_for_a_shell_is_printed(command, shell):
    done = command(_GANZOO_COMPLETE=f"{shell}_source")
    assert (done.returncode, done.stderr) == (0, "")
    assert f"_GANZOO_COMPLETE={shell}_complete" in done.stdout
    assert "_GANZOO_COMPLETE=bash_source" in command("--help").stdout


@pytest.mark.parametrize(
    "environment",
    [
        {"_GANZOO_COMPLETE": "bash_complete"},
        {"_GANZOO_COMPLETE": "nonsense"},
    ],
)
def test_what_a_shell_asks_wrongly_is_answered_with_silence(command, environment):
    done = command.python("-m", "ganzoo", **environment)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_a_broken_registry_and_plugin_leave_the_other_names(ask, command):
    (command.folder / "registry.toml").write_text("[broken")
    assert plain(ask("ganzoo sample dc", GANZOO_REGISTRY=str(command.folder / "registry.toml"))) == ["dcgan-mnist"]


@pytest.mark.skipif(not shutil.which("bash"), reason="needs bash")
def test_a_real_bash_completes(command, tmp_path):
    program = tmp_path / "bin" / "ganzoo"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m ganzoo "$@"\n')
    program.chmod(0o755)
    script = 'eval "$(_GANZOO_COMPLETE=bash_source ganzoo)"; COMP_WORDS=(ganzoo train van); COMP_CWORD=2; '
    script += '_ganzoo_completion ganzoo 2>/dev/null; echo "${COMPREPLY[@]}"; complete -p ganzoo'
    surroundings = command.environment | {"PATH": f"{program.parent}:{os.environ['PATH']}"}
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, env=surroundings, cwd=tmp_path)
    names, registered = done.stdout.splitlines()
    assert names.split() == ["vanilla", "vanilla-mnist"]
    assert "-F _ganzoo_completion ganzoo" in registered
