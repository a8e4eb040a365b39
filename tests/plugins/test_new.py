"""`ganzoo new`: the project that it writes, and what it refuses. That it installs and trains is in test_install.py."""

import ast
import importlib.util
import os
import re
import resource
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import trove_classifiers
from packaging.requirements import Requirement

import ganzoo
from ganzoo._seeds import make_rng
from ganzoo.errors import BadInput
from ganzoo.plugins.catalog import catalog
from ganzoo.plugins.scaffold import TEMPLATES, placeholders, requirement, scaffold

KINDS = ("architecture", "loss")
RUFF = shutil.which("ruff", path=os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")]))


def texts(folder):
    return {str(path.relative_to(folder)): path.read_text() for path in sorted(folder.rglob("*")) if path.is_file()}


@pytest.mark.parametrize(("kind", "module"), [("architecture", "networks"), ("loss", "losses")])
def test_a_new_project_is_complete(tmp_path, kind, module):
    folder, name = scaffold("ganzoo-my.own", kind, tmp_path)
    made = texts(folder)
    assert (folder, name) == (tmp_path / "ganzoo-my.own", "my-own")
    assert set(texts(folder)) == {
        ".github/workflows/test.yml",
        ".gitignore",
        "LICENSE",
        "README.md",
        "ganzoo_my_own/__init__.py",
        f"ganzoo_my_own/{module}.py",
        "ganzoo_my_own/py.typed",
        "ganzoo_my_own/recipes/my-own.toml",
        "pyproject.toml",
        "tests/test_ganzoo_my_own.py",
    }
    assert "MIT License\n\nCopyright (c) 2026 The authors of ganzoo-my.own\n" in made["LICENSE"]
    project = tomllib.loads(made["pyproject.toml"])["project"]
    assert (project["license"], project["license-files"]) == ("MIT", ["LICENSE"])
    assert project["description"] == f"The {kind} my-own for ganzoo."
    assert set(project["classifiers"]) <= trove_classifiers.classifiers
    assert project["name"] == "ganzoo-my.own"
    assert project["entry-points"]["ganzoo"] == {"my-own": "ganzoo_my_own"}
    assert Requirement(project["dependencies"][0]).specifier.contains(ganzoo.__version__)


@pytest.mark.parametrize("kind", KINDS)
def test_no_word_of_the_template_is_left_and_the_python_is_valid(tmp_path, kind):
    folder, _ = scaffold("ganzoo-mine", kind, tmp_path)
    for path, text in texts(folder).items():
        assert not re.search("|".join(placeholders("ganzoo-mine")), path + text), path
        if path.endswith(".py"):
            ast.parse(text)


@pytest.mark.skipif(not RUFF, reason="ruff is not installed")
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ["x1", "ganzoo-a-rather-long-name-of-somebody"])
def test_a_new_project_is_clean_for_ruff_as_it_comes(tmp_path, kind, name):
    folder, _ = scaffold(name, kind, tmp_path)
    for words in (["check"], ["format", "--check"]):
        done = subprocess.run([RUFF, *words, "--isolated", "--no-cache", folder], capture_output=True, text=True)
        assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(("kind", "module", "most"), [("architecture", "networks", 50), ("loss", "losses", 15)])
def test_a_template_is_read_in_one_sitting(kind, module, most):
    lines = (TEMPLATES / kind / "PACKAGE" / f"{module}.py").read_text().splitlines()
    assert len([line for line in lines if line.strip()]) <= most


@pytest.mark.parametrize(
    ("version", "text", "outside"),
    [
        ("0.1.0", "ganzoo>=0.1,<0.2", ["0.0.9", "0.2.0", "1.0"]),
        ("0.9.3", "ganzoo>=0.9,<0.10", ["0.8.9", "0.10.0"]),
        ("1.4.2", "ganzoo>=1.4,<2", ["1.3.9", "2.0"]),
        ("0.3.0.dev1", "ganzoo>=0.3.0.dev1,<0.4", ["0.2.9", "0.4.0"]),
    ],
)
def test_a_new_plugin_goes_with_this_ganzoo_until_the_next_that_may_break_it(version, text, outside):
    assert requirement(version) == text
    specifier = Requirement(text).specifier
    assert specifier.contains(version, prereleases=True)
    assert not [other for other in outside if specifier.contains(other)]


@pytest.mark.parametrize("image", [(1, 28, 28), (3, 5, 18), (3, 33, 1), (2, 64, 64)])
def test_the_networks_of_a_new_architecture_take_images_of_any_size(tmp_path, site, image):
    scaffold("ganzoo-anysize", "architecture", tmp_path)
    site.install("ganzoo-anysize", "")
    shutil.copytree(tmp_path / "ganzoo-anysize" / "ganzoo_anysize", site.folder / "ganzoo_anysize", dirs_exist_ok=True)
    catalog.cache_clear()
    generator, discriminator = ganzoo.create("anysize", image=image, width=4, generator={"latent_size": 7})
    images = generator(generator.latent(3, make_rng(0)))
    assert images.shape == (3, *image)
    assert discriminator(images, {}).shape == (3, 1)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["Mine"], "'Mine' is not a valid name for a plugin: use lower-case letters and digits"),
        (["my_-own"], "'my_-own' is not a valid name for a plugin"),
        (["../mine"], "'../mine' is not a valid name for a plugin"),
        ([""], "'' is not a valid name for a plugin"),
        (["ganzoo"], "'ganzoo' is ganzoo itself; choose another name, such as ganzoo-mine"),
        (["ganzoo-vanilla"], "'ganzoo-vanilla' is one of ganzoo's own plugins"),
        (["vanilla"], "'ganzoo-vanilla' is one of ganzoo's own plugins"),
        (["non-saturating", "--loss"], "ganzoo-vanilla already brings the loss 'non-saturating'; choose another name"),
        (["non.saturating", "--loss"], "ganzoo-vanilla already brings the loss 'non-saturating'"),
        (["wgan-gp", "--loss"], "ganzoo-wgan already brings the recipe 'wgan-gp'"),
        (["ganzoo-mine", "--loss", "--architecture"], "with no two of them"),
        (["ganzoo-mine", "--loss", "--from", "file"], "with no two of them"),
        (["ganzoo-mine", "--from", "file"], "cannot read file/recipe.toml: Not a directory"),
        (["ganzoo-mine", "--from", "absent"], "'absent' is neither a run, which has a recipe.toml, nor a Python file"),
        (["ganzoo-mine", "--from", "absent.py"], "there is no file 'absent.py'"),
        (["ganzoo-mine", "--out", "file"], "cannot read file/ganzoo-mine: Not a directory"),
        (["ganzoo-" + "x" * 300], "File name too long"),
    ],
)
def test_what_cannot_be_is_refused_in_a_sentence_and_leaves_nothing(command, words, said):
    (command.folder / "file").touch()
    done = command("new", *words)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1), done.stderr
    assert said in done.stderr
    assert [path.name for path in command.folder.iterdir()] == ["file"]


def test_a_folder_that_is_there_is_left_as_it_is(command):
    kept = command.folder / "ganzoo-mine" / "precious.txt"
    kept.parent.mkdir()
    kept.write_text("mine")
    done = command("new", "ganzoo-mine")
    assert done.returncode == 2
    assert "ganzoo-mine already exists; choose another name, or another place with --out" in done.stderr
    assert list(kept.parent.iterdir()) == [kept]


def test_a_name_that_an_installed_plugin_registers_is_not_given_twice(site, tmp_path):
    site.install(
        "ganzoo-other",
        """
        import ganzoo

        @ganzoo.hookimpl
        def register_losses(register):
            register("sharp", "ganzoo_other:Sharp")
        """,
    )
    with pytest.raises(BadInput, match="ganzoo-other already brings the loss 'sharp'; choose another name"):
        scaffold("ganzoo-sharp", "loss", tmp_path)
    with pytest.raises(BadInput, match=r"the package 'ganzoo_other' would hide the one in .*ganzoo_other"):
        scaffold("ganzoo-other", "loss", tmp_path)
    scaffold("ganzoo-sharp", "architecture", tmp_path)


def test_a_disk_that_takes_no_more_leaves_nothing_half_written(command):
    limited = subprocess.run(
        [sys.executable, "-m", "ganzoo", "new", "ganzoo-mine"],
        cwd=command.folder,
        env=command.environment,
        capture_output=True,
        text=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000)),
    )
    assert limited.returncode == 2, limited.stderr
    assert "cannot write" in limited.stderr
    assert list(command.folder.iterdir()) == []


def test_it_says_where_the_plugin_is_and_what_to_type_next(command):
    done = command("new", "ganzoo-mine")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[2:] == [
        "    ganzoo install -e ./ganzoo-mine",
        "    python -m pytest ganzoo-mine",
        "    ganzoo train mine",
    ]
    there = command.folder / "some where"
    done = command("new", "other", "--loss", "--out", there)
    assert done.stderr == "'other' becomes 'ganzoo-other': the names of plugins begin with ganzoo-\n"
    assert f"ganzoo install -e '{there}/ganzoo-other'" in done.stdout
    assert (there / "ganzoo-other" / "ganzoo_other" / "losses.py").is_file()


@pytest.mark.skipif(not importlib.util.find_spec("check_jsonschema"), reason="check-jsonschema is not installed")
def test_the_workflow_of_a_new_project_is_one(tmp_path):
    folder, _ = scaffold("mine", "loss", tmp_path)
    words = ["--builtin-schema", "vendor.github-workflows", folder / ".github" / "workflows" / "test.yml"]
    done = subprocess.run([sys.executable, "-m", "check_jsonschema", *words], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("name", ["1gan", "class", "torch", "json", "runs", "ganzoo_own", "x"])
def test_every_name_gets_the_prefix_and_makes_a_package(tmp_path, name):
    folder, short = scaffold(name, "architecture", tmp_path)
    assert folder.name == (name if name.startswith("ganzoo") else f"ganzoo-{name}")
    assert short == name.removeprefix("ganzoo_")
    assert (folder / folder.name.replace("-", "_")).is_dir()


def test_the_tests_of_two_new_plugins_are_collected_together(command):
    for name in ("ganzoo-one", "ganzoo-two"):
        assert command("new", name, "--loss").returncode == 0
    (command.folder / "pyproject.toml").write_text("[tool.pytest.ini_options]\n")
    done = command.python("-m", "pytest", "--collect-only", "-q", "ganzoo-one", "ganzoo-two")
    assert done.returncode == 0, done.stdout
    assert [name in done.stdout for name in ("test_ganzoo_one.py", "test_ganzoo_two.py")] == [True, True]


@pytest.mark.skipif(not shutil.which("git"), reason="git is not installed")
@pytest.mark.parametrize("kind", KINDS)
def test_git_ignores_what_is_made_beside_the_package_and_nothing_in_it(tmp_path, kind):
    folder, _ = scaffold("ganzoo-mine", kind, tmp_path)
    subprocess.run(["git", "init", "--quiet", folder], check=True)
    made = ["build/x", "dist/x", "runs/x", "ganzoo_mine/runs/x", "ganzoo_mine/build/x"]
    done = subprocess.run(["git", "-C", folder, "check-ignore", *made], capture_output=True, text=True)
    assert done.stdout.split() == made[:3]
