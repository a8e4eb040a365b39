"""The command line as a person meets it: what it prints, where it writes, and one clear sentence for bad input."""

import json
import resource
import subprocess
import sys

import pytest
from PIL import Image
from torch import nn

import ganzoo

QUICK = ["-o", "train.steps=2", "-o", "train.batch=8", "--precision", "fp32", "--device", "cpu"]


@pytest.fixture
def run(typed):
    """A command as it is typed."""
    return typed


def pictures(folder, count=12, size=(40, 30), mode="RGB"):
    folder.mkdir(parents=True)
    for number in range(count):
        Image.new(mode, size, number * 10).save(folder / f"{number}.png")
    return folder


BAD = {
    "unknown recipe": (["train", "vanila"], "unknown recipe 'vanila'; did you mean 'vanilla' or"),
    "no recipe": (["train"], "give either a recipe"),
    "recipe and resume": (["train", "dcgan", "--resume", "x"], "give either a recipe"),
    "resume of nothing": (["train", "--resume", "runs/x"], "'runs/x' is not a run"),
    "unknown architecture": (
        ["train", "dcgan", "-o", "architecture.name=dcgna"],
        "unknown architecture 'dcgna'; did you",
    ),
    "unknown loss": (["train", "dcgan", "--loss", "hing"], "unknown loss 'hing'; did you mean 'hinge'?"),
    "unknown data": (
        ["train", "dcgan", "--data", "mnits"],
        "there is no data set or folder 'mnits'; did you mean 'mnist",
    ),
    "unknown device": (["train", "dcgan", "--device", "tpu"], "unknown device 'tpu'; did you mean 'cpu'?"),
    "absent device": (["train", "dcgan", "--device", "cuda:99"], "this machine has no device 'cuda:99'; it has "),
    "unknown precision": (["train", "dcgan", "--precision", "fp8"], "train.precision: input should be 'auto', 'fp32'"),
    "unknown key": (["train", "dcgan", "-o", "train.stepz=3"], "unknown key 'train.stepz'; did you mean 'steps'?"),
    "unknown option": (["train", "dcgan", "-o", "architecture.widht=3"], "'architecture.widht'; did you mean 'width'"),
    "unknown loss option": (
        ["train", "dcgan", "--loss", "r1,gama=3"],
        "unknown key 'loss.r1.gama'; did you mean 'gamma'?",
    ),
    "bad loss option": (
        ["train", "dcgan", "--loss", "r1,gamma=-3"],
        "loss 'r1': gamma must be a number greater than 0",
    ),
    "loss renamed": (["train", "dcgan", "--loss", "hinge,name=r1"], "the name comes first and alone"),
    "empty key": (["train", "dcgan", "-o", "train..steps=3"], "'-o train..steps=3' is not section.key=value"),
    "long name": (["train", "x" * 5000], "unknown recipe"),
    "long data": (["train", "dcgan", "--data", "x" * 5000], "there is no data set or folder"),
    "unknown home": (["train", "dcgan", "--data", "~nobody-here/x"], "there is no data set or folder '~nobody-here/x'"),
    "huge size": (["train", "dcgan", "-o", "data.size=4096"], "mnist-10k at 4096 x 4096 pixels does not fit in memory"),
    "one-sided losses": (["train", "dcgan", "--loss", "r1"], "nothing would train the generator"),
    "misplaced key": (["train", "dcgan", "-o", "train.lr=1"], "unknown key 'train.lr'; did you mean 'optimizer.lr'?"),
    "key alone": (["train", "dcgan", "-o", "lr=1"], "'-o lr=1' is not section.key=value, such as -o optimizer.lr=..."),
    "no value": (["train", "dcgan", "-o", "train.steps"], "'-o train.steps' is not section.key=value"),
    "loss without value": (["train", "dcgan", "--loss", "r1,gamma"], "'gamma' is not option=value"),
    "wrong type": (["train", "dcgan", "-o", "train.steps=soon"], "train.steps: input should be a valid integer"),
    "out of range": (["train", "dcgan", "-o", "train.ema=1.5"], "train.ema: input should be less than 1, got 1.5"),
    "negative seed": (["train", "dcgan", "--seed", "-1"], "train.seed: input should be greater than or equal to 0"),
    "malformed TOML": (["train", "bad.toml"], "bad.toml is not valid TOML: Invalid value (at line 2, column 9)"),
    "no losses": (["train", "lossless.toml"], "the recipe has no loss; add a [[loss]] section"),
    "loss against architecture": (
        ["train", "dcgan", "--loss", "wasserstein", "--loss", "gradient-penalty,weight=10"],
        "loss 'gradient-penalty': the critic's layer 'network.3' is batch norm",
    ),
    "impossible size": (["train", "dcgan", "-o", "data.size=30"], "architecture 'dcgan': images must be square, 28"),
    "empty folder": (["train", "dcgan", "--data", "empty"], "there is no image below 'empty'"),
    "broken image": (["train", "dcgan", "--data", "broken"], "cannot read the image 'broken/photo.png'"),
    "data is a file": (["train", "dcgan", "--data", "bad.toml"], "'bad.toml' is a file; data is a folder of images"),
    "out not empty": (["train", "dcgan", "--out", "broken"], "'broken' is not empty; choose another --out"),
    "overwrite no run": (
        ["train", "dcgan", "--out", "broken", "--overwrite"],
        "'broken' is not just a run, so --overwrite",
    ),
    "unwritable": (["train", "dcgan", "--out", "bad.toml/run"], "cannot write bad.toml/run"),
    "sample of nothing": (["sample", "runs/x"], "there is no run or model 'runs/x'"),
    "sample of no model": (["sample", "broken"], "'broken' is neither a run with a saved model nor a model folder"),
    "info on nothing": (["info", "dcgann"], "nothing is called 'dcgann'; did you mean"),
}


@pytest.mark.parametrize("what", BAD)
def test_bad_input_gets_one_clear_sentence_and_changes_nothing(run, tmp_path, what):
    words, sentence = BAD[what]
    (tmp_path / "empty").mkdir()
    pictures(tmp_path / "broken")
    (tmp_path / "broken" / "photo.png").write_bytes(b"not a photo")
    (tmp_path / "bad.toml").write_text("[train]\nsteps = = 3\n")
    (tmp_path / "lossless.toml").write_text('[architecture]\nname = "vanilla"\n')
    before = sorted(tmp_path.rglob("*"))
    quick = QUICK if words[0] == "train" and "-o" not in words else []
    code, out, err = run(words[0], *quick, *words[1:])
    assert code == 2, err
    assert sentence in err
    assert "Traceback" not in err
    assert len(err.strip().splitlines()) == 1
    assert out == ""
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize(
    "words", [["trian"], ["train", "dcgan", "--lots"], ["sample", "x", "-n", "0"], ["list", "lossez"]]
)
def test_a_misspelt_command_or_flag_is_bad_input_too(run, words):
    code, _, err = run(*words)
    assert code == 2
    assert err.startswith("error: ")
    assert len(err.splitlines()) == 1


def test_a_reader_that_closes_early_is_no_fault(command):
    line = f"{sys.executable} -m ganzoo list --json | head -n 1; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", line], cwd=command.folder, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


class Conditional(ganzoo.Generator):
    """Cannot work without labels."""

    needs = ("label",)

    def __init__(self, image, classes):
        super().__init__()
        self.net = nn.Linear(100, 28 * 28)

    def forward(self, given):
        return self.net(given["z"]).tanh().unflatten(1, (1, 28, 28))


CONDITIONAL = """
    import ganzoo

    @ganzoo.hookimpl
    def register_architectures(register):
        register("needy", generator="test_cli:Conditional", discriminator="ganzoo_vanilla.networks:Discriminator")
        register("needs-depth", generator="test_cli:NeedsDepth", discriminator="ganzoo_vanilla.networks:Discriminator")
"""


class NeedsDepth(Conditional):
    """Cannot work without a key that no image set has."""

    needs = ("depth",)

    def __init__(self, image):
        super().__init__(image, 1)


@pytest.fixture
def needy(site, monkeypatch):
    monkeypatch.setitem(sys.modules, "test_cli", sys.modules[__name__])
    site.install("ganzoo-needy", CONDITIONAL)


def test_data_without_labels_is_refused_by_what_needs_classes(needy, run, tmp_path):
    pictures(tmp_path / "folder", mode="L")
    small = ["--loss", "hinge", "--data", "folder", "-o", "data.size=28"]
    code, _, err = run("train", "vanilla", "-o", "architecture.name=needy", *small, *QUICK)
    assert (
        code,
        "architecture 'needy' needs 'classes', which this data does not have; sub-folders of a folder" in err,
    ) == (2, True), err


def test_a_missing_batch_key_is_named(needy, run):
    code, _, err = run("train", "vanilla", "-o", "architecture.name=needs-depth", *QUICK)
    assert code == 2
    assert "the generator needs 'depth' in every batch; the data has image, label" in err


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
    assert [(loss.name, loss.weight, loss.every) for loss in recipe.loss] == [("hinge", 1, 1), ("r1", 2, 2)]
    assert recipe.loss[1].options() == {"gamma": 3}


def test_a_recipe_file_names_the_run(run, tmp_path):
    (tmp_path / "mine.toml").write_text('loss = ["hinge"]\narchitecture = "vanilla"\n')
    assert run("train", "mine.toml", *QUICK)[1].splitlines()[-1] == "runs/mine-001"


def test_a_folder_of_pictures_is_trained_on(run, tmp_path):
    for name in ("cats", "dogs"):
        pictures(tmp_path / "pets" / name)
    code, _, err = run("train", "dcgan", "--data", "pets", "-o", "architecture.width=8", *QUICK)
    assert code == 0, err
    assert "resized 24 to 64 x 64" in err
    config = json.loads((tmp_path / "runs/dcgan-001/model/config.json").read_text())
    assert (config["data"]["shape"], config["data"]["classes"]) == ([3, 64, 64], ["cats", "dogs"])


def test_fewer_pictures_than_a_batch_are_enough(run, tmp_path):
    pictures(tmp_path / "few", count=3)
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
    assert err.endswith("test_cli.Conditional failed: ZeroDivisionError: division by zero (--debug shows where)\n")
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
