"""Bad input gets one clear sentence and exit code 2, and changes nothing."""

import pytest

from pictures import write_images

QUICK = ["-o", "train.steps=2", "-o", "train.batch=8", "--precision", "fp32", "--device", "cpu"]


BAD = {
    "unknown recipe": (["train", "vanila"], "unknown recipe 'vanila'; did you mean 'vanilla' or"),
    "no recipe": (["train"], "give a recipe, such as 'ganzoo train dcgan'"),
    "recipe and resume": (["train", "dcgan", "--resume", "x"], "by the recipe that it has; leave out 'dcgan'"),
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
    "impossible size": (
        ["train", "dcgan", "-o", "data.size=30"],
        "architecture 'dcgan': images must be multiples of 4 pixels from 16 up",
    ),
    "empty folder": (["train", "dcgan", "--data", "empty"], "there is no image below 'empty'"),
    "broken image": (
        ["train", "dcgan", "--data", "broken", "-o", "data.broken=refuse"],
        "cannot read 1 of 13 images: 'photo.png': it is not in a format that is read; data.broken=",
    ),
    "data is a file": (
        ["train", "dcgan", "--data", "bad.toml"],
        "'bad.toml' is a file; data is a folder or ZIP file of images",
    ),
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
    write_images(tmp_path / "broken", 12, (40, 30), "RGB")
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


def test_data_without_labels_is_refused_by_what_needs_classes(needy, run, tmp_path):
    write_images(tmp_path / "folder", 12, (40, 30))
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
