"""The command line as a person meets it: what it prints, where, and with which exit code."""

import json
import resource
import subprocess
import sys

import pytest

import ganzoo
from needy import Conditional
from pictures import write_images

QUICK = ["-o", "train.steps=2", "-o", "train.batch=8", "--precision", "fp32", "--device", "cpu"]


def test_a_reader_that_closes_early_is_no_fault(command):
    line = f"{sys.executable} -m ganzoo list --json | head -n 1; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", line], cwd=command.folder, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_training_prints_the_paths_it_wrote_and_counts_up(run, tmp_path):
    code, out, err = run("train", "vanilla", *QUICK)
    assert code == 0, err
    paths = out.splitlines()
    assert paths[0] == "runs/vanilla-001/samples/step-000002.png"
    assert paths[-1] == "runs/vanilla-001"
    assert all((tmp_path / path).exists() for path in paths)
    assert run("train", "vanilla", *QUICK)[1].splitlines()[-1] == "runs/vanilla-002"


def test_losses_on_the_command_line_replace_the_recipes(run, tmp_path):
    code, _, err = run("train", "vanilla", "--loss", "hinge", "--loss", "r1,weight=2,every=2,gamma=3", *QUICK)
    assert code == 0, err
    recipe = ganzoo.Run(tmp_path / "runs/vanilla-001").recipe
    assert [(loss.name, loss.weight, loss.every) for loss in recipe.loss] == [
        ("ganzoo-losses:hinge", 1, 1),
        ("ganzoo-losses:r1", 2, 2),
    ]
    assert recipe.loss[1].options() == {"gamma": 3}


def test_a_recipe_file_names_the_run(run, tmp_path):
    (tmp_path / "mine.toml").write_text('loss = ["hinge"]\narchitecture = "vanilla"\n')
    assert run("train", "mine.toml", *QUICK)[1].splitlines()[-1] == "runs/mine-001"


def test_a_folder_of_pictures_is_trained_on(run, tmp_path):
    for name in ("cats", "dogs"):
        write_images(tmp_path / "pets" / name, 12, (40, 30), "RGB")
    code, _, err = run("train", "dcgan", "--data", "pets", "-o", "architecture.width=8", *QUICK)
    assert code == 0, err
    assert "resized 24 to 64 x 64" in err
    config = json.loads((tmp_path / "runs/dcgan-001/model/config.json").read_text())
    assert (config["data"]["shape"], config["data"]["classes"]) == ([3, 64, 64], ["cats", "dogs"])


def test_fewer_pictures_than_a_batch_are_enough(run, tmp_path):
    write_images(tmp_path / "few", 3, (40, 30), "RGB")
    assert run("train", "dcgan", "--data", "few", "-o", "architecture.width=8", *QUICK)[0] == 0


def test_sampling_prints_where_it_wrote(run, tmp_path):
    run("train", "vanilla", *QUICK)
    code, out, _ = run("sample", "runs/vanilla-001", "-n", "5", "--seed", "3")
    assert (code, out.strip()) == (0, "vanilla-001-seed3-n5.png")
    assert (tmp_path / "vanilla-001-seed3-n5.png").exists()
    code, _, err = run("sample", "runs/vanilla-001", "--out", "vanilla-001-seed3-n5.png")
    assert (code, "exists already" in err) == (2, True)


@pytest.mark.parametrize(
    ("section", "kinds"),
    [
        ("architectures", {"architecture"}),
        ("losses", {"loss"}),
        ("recipes", {"recipe"}),
        ("data", {"data"}),
        ("models", {"model"}),
        ("kinds", {"kind"}),
        ("metrics", {"metrics"}),
    ],
)
def test_one_section_can_be_listed(run, section, kinds):
    code, out, _ = run("list", section, "--json")
    assert (code, {row["kind"] for row in json.loads(out)}) == (0, kinds)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("dcgan", ["architecture 'dcgan' from ganzoo-dcgan", "width = 64   (int)", "[optimizer]"]),
        ("r1", ["loss 'r1' from ganzoo-losses", "gamma = 10.0   (float)"]),
        ("mnist-10k", ["10,000 handwritten digits"]),
        ("ganzoo-wgan:wgan", ["architecture 'wgan' from ganzoo-wgan"]),
    ],
)
def test_info_tells_what_a_name_is(run, name, words):
    code, out, _ = run("info", name)
    assert code == 0
    assert all(word in out for word in words), out


def test_info_describes_the_others_of_a_name_where_one_is_broken(run, site):
    hook = "import ganzoo\n@ganzoo.hookimpl\ndef register_losses(register):\n    for name in ('r1', 'gone'):\n"
    site.install("aa-broken", f"{hook}        register(name, 'nowhere:Loss')\n")
    code, out, err = run("info", "r1")
    assert (code, err) == (0, "")
    broken, sound = out.split("\n\n", 1)
    assert broken.startswith("not available: loss 'r1' of aa-broken 1.0 cannot be loaded from 'nowhere:Loss'")
    assert sound.startswith("loss 'r1' from ganzoo-losses")
    assert "gamma = 10.0   (float)" in sound
    code, out, err = run("info", "gone")
    assert (code, out) == (2, "")
    assert "loss 'gone' of aa-broken 1.0 cannot be loaded" in err


def test_an_absent_download_is_exit_code_4(command):
    done = command("train", "cifar10-recipe.toml")
    assert done.returncode == 2
    (command.folder / "r.toml").write_text('loss = ["hinge"]\narchitecture = "vanilla"\ndata = "cifar10"\n')
    # A proxy that nobody answers at: the download fails at once, network or not.
    done = command(
        "train", "r.toml", "--data-root", "here", https_proxy="http://127.0.0.1:9", http_proxy="http://127.0.0.1:9"
    )
    assert done.returncode == 4, done.stderr
    assert "error: cifar10 is not complete in 'here' and cannot be downloaded" in done.stderr
    assert "Traceback" not in done.stderr


def test_what_breaks_in_a_plugin_is_one_sentence_that_names_it(needy, run, monkeypatch):
    monkeypatch.setattr(Conditional, "forward", lambda self, given: 1 / 0)
    words = ["train", "vanilla", "-o", "architecture.name=needy", *QUICK]
    code, _, err = run(*words)
    assert code == 1
    assert err.endswith("needy.Conditional failed: ZeroDivisionError: division by zero (--debug shows where)\n")
    assert err.count("\n") == 1
    assert "in <lambda>" in run(*words, "--debug")[2]


def test_a_bug_shows_its_traceback_and_exits_1(run, monkeypatch):
    monkeypatch.setattr(ganzoo.Run, "write_curves", lambda self: 1 / 0)
    code, _, err = run("train", "vanilla", *QUICK)
    assert code == 1
    assert "ZeroDivisionError" in err
    assert "please report" in err


def test_debug_shows_the_traceback_of_bad_input(run):
    code, _, err = run("--debug", "train", "vanila")
    assert code == 2
    assert "Traceback" in err


def test_divergence_is_exit_code_3(run, tmp_path):
    code, _, err = run(
        "train", "vanilla", "-o", "optimizer.name=sgd", "-o", "optimizer.lr=1e30", "-o", "train.steps=9", *QUICK[2:]
    )
    assert code == 3, err
    assert "is not a finite number" in err
    assert "no checkpoint had been saved yet; begin again with: ganzoo train --resume runs/vanilla-001" in err


def test_a_disk_that_fills_up_is_said_and_the_last_checkpoint_stays(command):
    words = ["train", "vanilla", "--out", "run", "-o", "train.batch=8", "--precision", "fp32"]
    assert command(*words, "-o", "train.steps=2").returncode == 0
    limit = "import resource, signal, sys; signal.signal(signal.SIGXFSZ, signal.SIG_IGN); "
    limit += "resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000)); "
    limit += "from ganzoo.cli.main import main; main(sys.argv[1:])"
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] == resource.RLIM_INFINITY
    done = command.python("-c", limit, "train", "--resume", "run", "-o", "train.steps=4")
    assert done.returncode == 2, done.stderr
    assert "cannot write" in done.stderr
    assert "go on from step-000002 with: ganzoo train --resume run" in done.stderr
    assert command("train", "--resume", "run", "-o", "train.steps=4").returncode == 0


def test_python_m_ganzoo_is_the_same_command(command):
    done = command("--version")
    assert (done.returncode, done.stdout.strip()) == (0, f"ganzoo, version {ganzoo.__version__}")
