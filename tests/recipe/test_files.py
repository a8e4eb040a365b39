"""Classes in files: how a recipe names them, which file is meant, and what is refused in a sentence."""

import os
import shutil
import sys
from pathlib import Path

import pytest

import own_code
from ganzoo import Recipe
from ganzoo.errors import BadInput
from ganzoo.plugins.catalog import catalog
from ganzoo.plugins.files import split_reference
from ganzoo.recipe.build import resolve

FILE = Path(own_code.__file__)


@pytest.fixture
def here(tmp_path, monkeypatch):
    """An empty folder to work in, with the file mine.py."""
    monkeypatch.chdir(tmp_path)
    shutil.copy(FILE, tmp_path / "mine.py")
    return tmp_path


def losses(*names, **more):
    """The losses that a recipe with these names comes to, and their classes."""
    found = resolve(Recipe.load("vanilla", loss=[{"name": str(name), **more} for name in names]))
    return [(loss.name, each.cls) for loss, each in zip(found.recipe.loss, found.losses, strict=True)]


@pytest.mark.parametrize(
    "name", ["./mine.py:Mine", "mine.py:Mine", "mine.py", "{here}/mine.py:Mine", "../{name}/mine.py"]
)
def test_a_class_in_a_file_has_one_full_name(here, name):
    [(found, cls)] = losses(name.format(here=here, name=here.name))
    assert found == f"{here}/mine.py:Mine"
    assert (cls.__name__, cls.__module__.startswith("ganzoo_file_")) == ("Mine", True)


def test_a_path_begins_in_the_folder_of_the_recipe_or_where_one_works(here):
    (here / "there").mkdir()
    shutil.move(here / "mine.py", here / "there" / "nets.py")
    (here / "there" / "own.toml").write_text('loss = "nets.py"\narchitecture = "./nets.py"\n')
    found = resolve(Recipe.load("there/own.toml"))
    assert found.recipe.architecture.side_name("generator") == f"{here}/there/nets.py:G"
    assert found.recipe.architecture.side_name("discriminator") == f"{here}/there/nets.py:D"
    (here / "nets.py").write_text(FILE.read_text())
    changed = resolve(Recipe.load("there/own.toml", **{"architecture.generator": "./nets.py:G"}))
    assert changed.recipe.architecture.side_name("generator") == f"{here}/nets.py:G"
    (here / "there" / "nets.py").unlink()
    with pytest.raises(BadInput, match=r"there is ./nets.py: a path in a recipe begins in the folder of the recipe"):
        resolve(Recipe.load("there/own.toml"))


def test_a_class_is_named_by_its_bare_name_where_the_recipe_has_it(here):
    recipe = resolve(Recipe.load("vanilla", loss=["mine.py:Mine", "r1"])).recipe
    changed = recipe.replace(**{"loss.Mine.scale": 3, "loss.Mine.weight": 2})
    assert (changed.loss[0].options(), changed.loss[0].weight) == ({"scale": 3}, 2)
    assert changed.replace(loss=["Mine"]).loss[0].name == f"{here}/mine.py:Mine"


def test_two_files_of_one_name_are_two(here):
    (here / "a b").mkdir()
    (here / "a b" / "mine.py").write_text(FILE.read_text().replace("Mine", "Other"))
    (here / "same").mkdir()
    shutil.copy(FILE, here / "same" / "mine.py")
    found = losses("mine.py", "a b/mine.py", "same/mine.py")
    assert [name.removeprefix(str(here)) for name, _ in found] == [
        *("/mine.py:Mine", "/a b/mine.py:Other", "/same/mine.py:Mine")
    ]
    assert len({cls for _, cls in found}) == 3


def test_a_file_called_like_a_module_is_not_that_module_and_is_read_again_when_it_changes(here):
    for name in ("random", "torch", "ganzoo"):
        shutil.copy(FILE, here / f"{name}.py")
        before = sys.modules.get(name)
        [(_, first)] = losses(f"{name}.py:Mine")
        assert sys.modules.get(name) is before
        assert losses(f"{name}.py:Mine")[0][1] is first
    times = (here / "torch.py").stat()
    (here / "torch.py").write_text(FILE.read_text().replace('"pairs"', '"PAIRS"'))
    os.utime(here / "torch.py", ns=(times.st_atime_ns, times.st_mtime_ns))
    assert losses("torch.py:Mine")[0][1] is not first
    assert not (here / "__pycache__").exists()


def test_a_plugin_may_be_called_like_a_file(here, site):
    site.install(
        "mine.py",
        """
        import ganzoo

        @ganzoo.hookimpl
        def register_losses(register):
            register("sharp", "own_code:Mine")
        """,
        entry="mine",
    )
    (site.folder / "mine.py").rename(site.folder / "mine_plugin")
    about = next(site.folder.glob("*.dist-info"))
    (about / "entry_points.txt").write_text("[ganzoo]\nmine = mine_plugin\n")
    catalog.cache_clear()
    assert losses("mine.py:sharp", "./mine.py:Mine")[0] == ("mine.py:sharp", own_code.Mine)


def test_a_default_that_no_recipe_can_hold_is_left_to_the_class(here):
    text = (
        FILE.read_text()
        .replace("width: int = 4):", "width: int = 4, act=nn.Tanh):")
        .replace("nn.Tanh(), nn.L", "act(), nn.L")
    )
    (here / "mine.py").write_text(text)
    recipe = Recipe.load(
        "vanilla", **{"architecture.generator": "mine.py:G", "architecture.discriminator": "mine.py:D"}
    )
    assert dict(resolve(recipe).architecture.generator.options) == {"width": 4}


BROKEN = {
    "syntax.py": "x = 1\nclass Mine(:\n",
    "import.py": "import ganzoo\nimport nothing_of_that_name\n",
    "neighbour.py": "import mine\n",
    "raises.py": "x = 1\n\nx / 0\n",
    "exits.py": "raise SystemExit(3)\n",
    "null.py": "x\0 = 1\n",
    "latin.py": "x = 'é'\n".encode("latin-1"),
    "empty.py": "",
    "two.py": "import ganzoo\nclass A(ganzoo.Loss):\n    pass\nclass B(ganzoo.Loss):\n    pass\n",
    "things.py": "from ganzoo import Loss\ndef mine(step):\n    return {}\nloss = Loss()\nnumber = 3\n",
}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["absent.py:Mine"], "there is no file '{here}/absent.py'; did you mean "),
        (["mines.py:Mine"], "there is no file '{here}/mines.py'; did you mean 'mine.py' or "),
        (["mine.py:Mind"], "'{here}/mine.py' has no 'Mind'; did you mean 'Mine'?"),
        (["mine.py:G"], "'{here}/mine.py:G' is a class, and not a subclass of ganzoo.Loss; allowed: Mine"),
        (["things.py:mine"], "'{here}/things.py:mine' is a function, and not a subclass of ganzoo.Loss"),
        (["things.py:loss"], "'{here}/things.py:loss' is a Loss object, and not a subclass of ganzoo.Loss"),
        (["things.py:number"], "is a int object, and not a subclass"),
        (["things.py"], "'{here}/things.py' without a class stands for the only loss in it, and it has none"),
        (["two.py"], "the only loss in it, and it has A, B; write one of them, as in two.py:A"),
        (["empty.py:Mine"], "'{here}/empty.py' has no 'Mine'; there is nothing to choose from"),
        (["syntax.py"], "{here}/syntax.py cannot be run: line 2: SyntaxError: "),
        (["import.py"], "import.py cannot be run: line 2: ModuleNotFoundError: No module named 'nothing_of_that_name'"),
        (["neighbour.py"], "line 1: ModuleNotFoundError: No module named 'mine'; files beside it are not found: put"),
        (["raises.py"], "raises.py cannot be run: line 3: ZeroDivisionError: division by zero"),
        (["exits.py"], "exits.py cannot be run: line 1: SystemExit: 3"),
        (["null.py"], "null.py cannot be run: "),
        (["latin.py"], "latin.py cannot be run: line 1: SyntaxError: "),
        (["folder.py:Mine"], "cannot read {here}/folder.py: Is a directory"),
        (["mine:Mine"], "unknown loss 'mine:Mine'; did you mean './mine.py:Mine'?"),
        (["mine.Mine"], "unknown loss 'mine.Mine'; did you mean './mine.py:Mine'?"),
        (["./mine"], "unknown loss './mine'; did you mean './mine.py'?"),
        (["mine.py::Mine"], "unknown loss 'mine.py::Mine'; did you mean './mine.py:Mine'?"),
        ([r"C:\x\mine.py:Mine"], r"there is no file '{here}/C:\x\mine.py'"),
        (["mine.py:Mine,scales=2"], "unknown key 'loss.{here}/mine.py:Mine.scales'; did you mean 'scale'?"),
        (
            ["r1", "-oarchitecture.generator=mine.py:D"],
            "'{here}/mine.py:D' is a class, and not a subclass of ganzoo.Gen",
        ),
        (["r1", "-oarchitecture.discriminator=mine.py:G"], "'{here}/mine.py:G' is a generator, and cannot be the disc"),
        (["r1", "-oarchitecture.discriminator=mine.py:Mine"], "is a loss, and cannot be the discriminator"),
    ],
)
def test_bad_input_is_refused_in_a_sentence(here, typed, words, said):
    (here / "folder.py").mkdir()
    for name, text in BROKEN.items():
        (here / name).write_bytes(text if isinstance(text, bytes) else text.encode())
    code, out, error = typed("train", "vanilla", "--device=cpu", "--loss", *words)
    assert (code, out, error.count("\n")) == (2, "", 1), error
    assert said.replace("{here}", str(here)) in error
    assert not (here / "runs").exists()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            'loss = "hinge"\n[architecture]\ngenerator = "mine.py:G"\n',
            "no architecture for the discriminator: set name",
        ),
        ('loss = "mine.py:Mine"\n', "'architecture' is missing"),
        ('loss = "hinge"\narchitecture = "mine.py:G"\n', "is a generator, and cannot be the discriminator"),
    ],
)
def test_a_recipe_that_is_not_whole_is_refused_in_a_sentence(here, typed, text, said):
    (here / "own.toml").write_text(text)
    code, _, error = typed("train", "own.toml", "--device=cpu")
    assert (code, error.count("\n")) == (2, 1), error
    assert said in error


@pytest.mark.parametrize(
    ("name", "file", "cls"),
    [
        (r"C:\x\nets.py:G", r"C:\x\nets.py", "G"),
        (r"C:\x y\nets.py", r"C:\x y\nets.py", ""),
        ("./a:b/nets.py:G", "a:b/nets.py", "G"),
        ("nets.py:", "nets.py", ""),
    ],
)
def test_a_colon_in_a_path_does_not_end_it(name, file, cls):
    assert split_reference(name) == (Path(file), cls)


def test_info_describes_a_class_in_a_file(here, typed):
    code, said, _ = typed("info", "./mine.py:Mine")
    assert code == 0
    assert "A relativistic loss with an option" in said and "scale" in said
