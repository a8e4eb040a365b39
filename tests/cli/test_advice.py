"""Help in groups, and words that are no command, no option or another kind of thing: each is answered with what is."""

import pytest

from ganzoo.cli.group import GROUPS, summary
from ganzoo.cli.main import commands


def test_bare_ganzoo_shows_the_help_in_groups(typed):
    code, out, err = typed()
    assert (code, err) == (0, "")
    assert out == typed("--help")[1]
    places = [out.index(f"\n{title}:\n") for title in GROUPS]
    assert places == sorted(places)


def test_every_command_is_in_one_group_and_has_a_whole_sentence(typed):
    grouped = [name for names in GROUPS.values() for name in names]
    assert set(commands.commands) <= set(grouped)
    assert len(set(grouped)) == len(grouped)
    for command in commands.commands.values():
        assert summary(command).endswith(".")
        assert summary(command) in " ".join(typed()[1].split())


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ("train dcgan --steps 100", "there is no option --steps; it is a key of the recipe: -o train.steps=100"),
        ("train dcgan --epochs=3", "-o train.epochs=3"),
        ("train dcgan --batch-size 32", "-o train.batch=32"),
        ("train dcgan --batch 32", "-o train.batch=32"),
        ("train dcgan --lr 1e-4", "-o optimizer.lr=1e-4"),
        ("train dcgan -lr 1e-4", "-o optimizer.lr=1e-4"),
        ("train dcgan --learning-rate 1e-4", "-o optimizer.lr=1e-4"),
        ("train dcgan --size 64", "-o data.size=64"),
        ("train dcgan --workers 2", "-o data.workers=2"),
        ("train dcgan --epoch 2", "-o train.epochs=2"),
        ("train dcgan --name mine", "-o name=mine"),
        ("train dcgan --ema", "-o train.ema=..."),
        ("train dcgan --qqq", "-o section.key=value: see 'ganzoo list keys'"),
        ("train dcgan --sed 3", "'--seed'"),
        ("train dcgan train.steps=8000", "'train.steps=8000' needs -o before it: -o train.steps=8000"),
        ("train --resume runs/a train.steps=8000", "'train.steps=8000' needs -o before it"),
        ("train", "give a recipe, such as 'ganzoo train dcgan' ('ganzoo list recipes' shows all), or --resume RUN"),
        ("train mnist", "'mnist' is a data set, not a recipe; train a recipe on it, such as: dcgan --data mnist"),
        ("train .", "'.' is a folder, not a recipe"),
        ("train hinge", "unknown recipe 'hinge', which is a loss; allowed: "),
        ("train dcgan --loss vanilla", "unknown loss 'vanilla', which is an architecture and a recipe; allowed: "),
        ("train dcgan --data hinge", "there is no data set or folder 'hinge', which is a loss"),
        (
            "sample dcgan",
            "an architecture and a recipe: train it first (ganzoo train dcgan); did you mean 'dcgan",
        ),
        ("sample hinge", "there is no registered model, run or folder 'hinge', which is a loss; "),
        ("sample conditional", "did you mean 'cgan-critters'"),
        ("sample dcgan-mnist --label 7", "to fix a latent: --set label=7"),
        ("sample dcgan-mnist --n 4", "there is no option --n; write -n 4"),
        ("sample dcgan-mnist -o foo.png", "there is no option -o; write --out foo.png"),
        ("sample x --grey model.safetensors", "to make samples from files: --input grey=model.safetensors"),
        ("sample dcgan-mnist --size 512", "write --scale N, which draws each pixel as N x N"),
        ("sample dcgan-mnist --count 5", "write -n 5"),
        ("train DCGAN", "did you mean 'dcgan'?"),
        ("train dcgan --device gpu -o train.steps=1", "did you mean 'cuda'?"),
        ("publish dcgan-mnist me/x --license mit --dry-run", "'dcgan-mnist' comes with "),
        ("uninstall ganzoo", "ganzoo itself is not a plugin"),
        ("new My_Loss", "did you mean 'my-loss'?"),
        ("plugins dcgan", "an architecture and a recipe of that name: ganzoo-dcgan"),
        ("check hinge", "no plugin 'hinge' is installed; a loss of that name: ganzoo-losses"),
        ("dcgan", "'dcgan' is an architecture and a recipe: 'ganzoo info dcgan' describes it"),
        ("trian", "there is no command 'trian'; did you mean 'train'?"),
        ("info /dev/zero", "nothing is called '/dev/zero'; 'ganzoo list' and 'ganzoo list keys' show all names"),
        ("list recipe", "'recipe' is not a section; did you mean 'recipes'?"),
        ("sample /dev/zero", "'/dev/zero' is not a folder"),
        ("sample model.safetensors", "'model.safetensors' is a file"),
        ("train dcgan --init /dev/null", "'/dev/null' is not a folder"),
    ],
)
def test_a_word_in_the_wrong_place_is_answered_with_the_right_one(typed, tmp_path, words, sentence):
    (tmp_path / "model.safetensors").write_bytes(b"x")
    code, out, err = typed(*words.split())
    assert (code, out) == (2, "")
    assert sentence in err
    assert len(err.splitlines()) == 1


def test_a_run_is_suggested_and_its_model_is_no_run(typed, tmp_path):
    model = tmp_path / "runs" / "ring-001" / "model"
    model.mkdir(parents=True)
    for file in ("recipe.toml", "config.json"):
        (model / file).write_text("")
    for word in ("ring-001", "runs/ring-01", "./runs/rings-001"):
        code, _, err = typed("sample", word)
        assert (code, "did you mean 'runs/ring-001'?" in err) == (2, True)
    assert typed("runs", "runs/ring-001/model")[0] == 2
    assert "is a run" in typed("train", "dcgan", "--data", "runs/ring-001/model")[2]


def test_a_run_in_place_of_a_recipe_is_known(typed, tmp_path):
    (tmp_path / "runs" / "a").mkdir(parents=True)
    (tmp_path / "runs" / "a" / "recipe.toml").write_text("")
    assert "continue a run with ganzoo train --resume runs/a" in typed("train", "runs/a")[2]
