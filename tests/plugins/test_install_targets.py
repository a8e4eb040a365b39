"""What the words after `ganzoo install` stand for, and the command lines that they become."""

import sys
from pathlib import Path

import pytest

from ganzoo.errors import BadInput
from ganzoo.plugins.firstparty import first_party, how_to_install
from ganzoo.plugins.install.guarded import pins
from ganzoo.plugins.install.targets import FOUNDATIONS, InstallTarget, parse_target
from ganzoo.plugins.install.tools import Pip, Uv
from installed import ROOT, wheel


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["install", "a b"], "'a b' is not a package name, a folder"),
        (["install", "toy", "ganzoo-dcgan"], "'ganzoo-dcgan' is not fetched by name"),
        (["install", "-e", "toy"], "--editable needs a folder with a pyproject.toml, which 'toy' is not"),
        (["uninstall", "ganzoo-vanila"], "'ganzoo-vanila' is not an installed plugin; did you mean 'ganzoo-vanilla'"),
        (["uninstall", "ganzoo"], "ganzoo itself is not a plugin"),
        (["uninstall", "ganzoo-vanilla", "torch"], "'torch' is not an installed plugin; allowed: ganzoo-"),
    ],
)
def test_what_cannot_be_is_refused_in_a_sentence_before_any_installer_runs(environment, words, said):
    done = environment(*words)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1), done.stderr
    assert said in done.stderr


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("", "'' is not a package name, a folder with a pyproject.toml, a wheel or an address"),
        ("toy==", "'toy==' is not a package name, a folder"),
        ("hinge", "'hinge' is the loss of ganzoo-losses, which is already installed"),
        ("Non_Saturating>=1", "'Non_Saturating>=1' is the loss of ganzoo-vanilla, which is already installed"),
        ("-r", "'-r' is not a package name, a folder"),
        ("./nowhere", "'./nowhere' is not a package name, a folder"),
        ("owner/name", "'owner/name' is not a package name, a folder"),
        ("./empty", "'./empty' is not a package name, a folder"),
        ("toy-1.0-py3-none-any.whl", "there is no wheel toy-1.0-py3-none-any.whl"),
        ("toy.whl", "toy.whl is not a wheel: "),
        ("./rotten", "rotten/pyproject.toml is not valid TOML: "),
        ("~nobody-of-this-name/x", "cannot read ~nobody-of-this-name/x: "),
        ("x" * 300, "File name too long"),
        ("ganzoo", "install ganzoo itself with pip or uv"),
        ("Torch>=2", "install torch itself with pip or uv"),
        (str(ROOT), "install ganzoo itself with pip or uv"),
        ("file:///somewhere/ganzoo-0.1.0-py3-none-any.whl", "install ganzoo itself with pip or uv"),
        ("https://host/torch-2.13.0%2Bcpu-py3-none-any.whl#sha256=0", "install torch itself with pip or uv"),
        ("https://host/toy.whl", "is not a wheel: "),
        ("toy one @ https://host/toy-1.0-py3-none-any.whl", "is not a package name, a folder"),
        ("torch @ https://host/torch-2.13.0-py3-none-any.whl", "install torch itself with pip or uv"),
        ("ganzoo @ git+https://github.com/owner/name", "install ganzoo itself with pip or uv"),
        ("Ganzoo_DCGAN[x]>=0.1", f"ganzoo's checkout: ganzoo install {ROOT / 'plugins' / 'ganzoo-dcgan'}"),
    ],
)
def test_a_word_that_stands_for_nothing_is_refused(tmp_path, monkeypatch, word, said):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    (tmp_path / "rotten").mkdir()
    (tmp_path / "rotten" / "pyproject.toml").write_text("[project")
    (tmp_path / "toy.whl").touch()
    with pytest.raises(BadInput) as refusal:
        parse_target(word)
    assert said in str(refusal.value)


def test_a_word_becomes_what_an_installer_takes(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "my-gan").mkdir()
    (tmp_path / "my-gan" / "pyproject.toml").write_text('[project]\nname = "My.GAN"\n')
    file = wheel(tmp_path, "toy")
    assert (
        parse_target("my-gan") == parse_target("./my-gan/") == InstallTarget(str(tmp_path / "my-gan"), "my-gan", True)
    )
    assert parse_target(file.name) == InstallTarget(str(file), "toy")
    assert parse_target("Some_Thing[extra]>=1") == InstallTarget("Some_Thing[extra]>=1", "some-thing")
    assert parse_target("https://github.com/owner/name@v1") == InstallTarget("git+https://github.com/owner/name@v1")
    address = "https://somewhere.org/ganzoo_dcgan-1-py3-none-any.whl"
    assert parse_target(address) == InstallTarget(address, "ganzoo-dcgan")
    assert parse_target("git+ssh://git@host/owner/name") == InstallTarget("git+ssh://git@host/owner/name")
    named = "ganzoo-dcgan @ git+https://github.com/owner/name"
    assert parse_target(named) == InstallTarget(named, "ganzoo-dcgan")
    for named in (f"ganzoo-dcgan @ {address}", f"Ganzoo_DCGAN[x]@{address}", "ganzoo-dcgan @ file:///a/b-1.whl"):
        assert parse_target(named) == InstallTarget(named, "ganzoo-dcgan")
    named = parse_target("toy[x] @ https://github.com/owner/name")
    assert named == InstallTarget("toy[x] @ git+https://github.com/owner/name", "toy")


def test_the_command_lines_of_pip_and_uv():
    folder, name, address = (
        InstallTarget("/a/mine", "mine", True),
        InstallTarget("toy>=1", "toy"),
        InstallTarget("git+https://host/x"),
    )
    pip = [sys.executable, "-P", "-m", "pip", "--disable-pip-version-check"]
    assert Pip().install([name, address], Path("c"), editable=False, upgrade=True) == [
        *pip, "install", "--constraint", "c/constraints.txt", "--upgrade", "toy>=1", "git+https://host/x"
    ]  # fmt: skip
    assert Pip().uninstall(["mine"]) == [*pip, "uninstall", "--yes", "mine"]
    begin = ["/bin/uv", "pip", "install", "--python", sys.executable, "--constraint", "c/constraints.txt"]
    begin += ["--build-constraint", "c/build-constraints.txt"]
    assert Uv("/bin/uv").install([folder], Path("c"), editable=True, upgrade=False) == [
        *begin, "--reinstall-package=mine", "--editable", "/a/mine"
    ]  # fmt: skip
    assert Uv("/bin/uv").install([name], Path("c"), editable=False, upgrade=True) == [
        *begin, "--upgrade-package=toy", "toy>=1"
    ]  # fmt: skip
    with pytest.raises(BadInput, match="with uv, --upgrade needs the name as well"):
        Uv("/bin/uv").install([name, address], Path("c"), editable=False, upgrade=True)


def test_what_is_there_is_pinned_and_what_is_missing_stays_missing_unless_it_was_asked_for():
    versions = {"ganzoo": "0.1.0", "torch": "2.13.0+cpu", "torchvision": "0.28.0", "ganzoo-dcgan": "0.1.0"}
    lines = pins([*FOUNDATIONS, *first_party()], {"ganzoo-wgan"}, lambda name: versions.get(name, ""))
    assert {"ganzoo==0.1.0", "torch==2.13.0+cpu", "torchvision==0.28.0", "ganzoo-dcgan==0.1.0"} <= set(lines)
    assert "ganzoo-vanilla<0" in lines
    assert not [line for line in lines if "wgan" in line]


def test_every_plugin_of_the_checkout_is_one_of_our_own():
    assert {path.parent.name for path in (ROOT / "plugins").glob("*/pyproject.toml")} <= set(first_party())
    assert first_party() == sorted(first_party())


def test_how_to_install_never_names_one_of_our_own_alone():
    assert how_to_install("ganzoo_dcgan") == f"ganzoo install {ROOT / 'plugins' / 'ganzoo-dcgan'}"
    assert how_to_install("../../x").endswith("ganzoo install ../../x")
    for name in first_party():
        assert f"plugins/{name}" in how_to_install(name)
