"""`ganzoo install` and `uninstall`, with the real pip and uv in throw-away environments, and without a network."""

import importlib.metadata
import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import ganzoo
from command import Command
from environments import see_ours, site_packages
from ganzoo.errors import BadInput
from ganzoo.plugins.firstparty import first_party, how_to_install
from ganzoo.plugins.install.guarded import pins
from ganzoo.plugins.install.targets import FOUNDATIONS, InstallTarget, parse_target
from ganzoo.plugins.install.tools import Pip, Uv

ROOT = Path(ganzoo.__file__).parent.parent
QUICK = ["-o", "train.steps=2", "-o", "train.batch=8", "--precision", "fp32"]
UV = shutil.which("uv", path=os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")]))


def wheel(folder, name, version="1.0", requires=(), code="", entry="ganzoo"):
    """A wheel of one module, with an entry point in that group."""
    module = name.replace("-", "_")
    about = f"{module}-{version}.dist-info"
    lines = [
        "Metadata-Version: 2.1",
        f"Name: {name}",
        f"Version: {version}",
        *(f"Requires-Dist: {r}" for r in requires),
    ]
    files = {
        f"{module}.py": code,
        f"{about}/METADATA": "\n".join(lines) + "\n",
        f"{about}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{about}/entry_points.txt": f"[{entry}]\n{name} = {module}\n",
    }
    files[f"{about}/RECORD"] = "".join(f"{path},,\n" for path in [*files, f"{about}/RECORD"])
    path = folder / f"{module}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for file, content in files.items():
            archive.writestr(file, content)
    return path


def loss(name):
    """The code of a plugin that registers a loss."""
    return f'import ganzoo\n@ganzoo.hookimpl\ndef register_losses(register):\n    register("{name}", "some:Loss")\n'


def remember(site, name, version):
    """Leave the metadata of a distribution without requirements; its code is in the parent environment."""
    about = site / f"{name}-{version}.dist-info"
    about.mkdir()
    (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")


class Environment(Command):
    """A virtual environment that has everything of this one, and an index of strangers' wheels."""

    def __init__(self, folder, more=""):
        make = [sys.executable, "-m", "venv", "--without-pip", folder / "venv"]
        subprocess.run(make, check=True, timeout=100)
        super().__init__(folder, folder / "venv" / "bin" / "python")
        self.index = folder / "index"
        self.index.mkdir()
        self.site = site_packages(folder / "venv")
        see_ours(folder / "venv", more)
        # What these need is no business of these tests; and a local version must satisfy the pins.
        for name in ("torch", "torchvision"):
            remember(self.site, name, importlib.metadata.version(name).partition("+")[0] + "+local")
        self.environment |= {
            "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(self.index), "PIP_CONFIG_FILE": os.devnull,
            "PIP_NO_BUILD_ISOLATION": "0", "PIP_NO_CACHE_DIR": "1", "UV_NO_INDEX": "1", "UV_OFFLINE": "1",
            "UV_FIND_LINKS": str(self.index), "UV_NO_BUILD_ISOLATION": "1", "UV_NO_CONFIG": "1", "UV_NO_CACHE": "1",
        }  # fmt: skip

    def plugins(self):
        return {row["distribution"]: row["version"] for row in json.loads(self("plugins", "--json").stdout)}

    def installed(self):
        """Names and versions that lie in this environment itself."""
        found = importlib.metadata.distributions(path=[str(self.site)])
        return {one.metadata["Name"]: one.version for one in found}


@pytest.fixture(scope="module")
def environment(tmp_path_factory):
    """An environment in which pip is to be found."""
    return Environment(tmp_path_factory.mktemp("pip"))


@pytest.fixture(scope="module")
def with_uv(tmp_path_factory):
    """An environment in which only uv is to be found, and which has ganzoo to itself, as uv wants it."""
    if not UV:
        pytest.skip("uv is not installed")
    environment = Environment(tmp_path_factory.mktemp("uv"), "import sys; sys.modules['pip'] = None\n")
    remember(environment.site, "ganzoo", importlib.metadata.version("ganzoo"))
    environment.environment["PATH"] = str(Path(UV).parent)
    return environment


def good(done, code=0):
    assert done.returncode == code, done.stderr
    return done


def sentence(done, code):
    """The last line of standard error, which alone is ganzoo's."""
    assert done.returncode == code, done.stderr
    assert "bug in ganzoo" not in done.stderr
    return done.stderr.splitlines()[-1]


def test_a_new_architecture_installs_is_listed_trains_and_goes(environment):
    good(environment("new", "ganzoo-mine"))
    done = good(environment("install", "ganzoo-mine"))  # the folder: there is no such name on the index
    assert done.stdout.splitlines() == ["architecture mine (ganzoo-mine 0.1.0)", "recipe mine (ganzoo-mine 0.1.0)"]
    assert "Successfully installed" in done.stderr
    good(environment("train", "mine", "--out", "run", *QUICK))
    done = good(environment("uninstall", "Ganzoo_Mine"))
    assert done.stdout.splitlines() == [
        "gone: architecture mine (ganzoo-mine 0.1.0)",
        "gone: recipe mine (ganzoo-mine 0.1.0)",
    ]
    assert "ganzoo-mine" not in environment.plugins()


def test_a_new_loss_is_edited_where_it_lies_and_trains(environment):
    good(environment("new", "sharpness", "--loss"))
    done = good(environment("install", "-e", "./sharpness"))
    assert done.stdout.splitlines() == ["loss sharpness (sharpness 0.1.0)", "recipe sharpness (sharpness 0.1.0)"]
    code = environment.folder / "sharpness" / "sharpness" / "losses.py"
    code.write_text(code.read_text().replace('"pairs"', '"couples"'))
    done = good(environment("train", "sharpness", "--out", "other-run", *QUICK))
    assert "generator/sharpness/couples" in (environment.folder / "other-run" / "metrics.jsonl").read_text()
    done = good(environment("install", "./sharpness"))  # in another place, but the same
    assert (done.stdout, sentence(done, 0)) == ("", "sharpness is installed; it brings the same as before")
    good(environment("uninstall", "sharpness"))


def test_a_wheel_that_was_built_of_a_new_plugin_has_all_of_it(environment):
    good(environment("new", "ganzoo-shipped"))
    flags = ["--no-deps", "--quiet", "--wheel-dir", "wheels"]
    good(environment.python("-m", "pip", "wheel", *flags, "./ganzoo-shipped"))
    done = good(environment("install", "wheels/ganzoo_shipped-0.1.0-py3-none-any.whl"))
    assert [line.split()[:2] for line in done.stdout.splitlines()] == [
        ["architecture", "shipped"],
        ["recipe", "shipped"],
    ]
    good(environment("uninstall", "ganzoo-shipped"))


def test_names_come_from_the_index_are_upgraded_and_replace_nothing_that_was_not_named(environment):
    here = importlib.metadata.version("ganzoo")
    for version in ("1.0", "2.0"):
        wheel(environment.index, "toy", version, [f"ganzoo>={here}", "torch"], loss("toy"))
    for version in (here, "99.0"):
        wheel(environment.index, "ganzoo", version, code="raise ImportError('a stranger')")
    wheel(environment.index, "torch", "99.0")
    assert good(environment("install", "toy<2")).stdout == "loss toy (toy 1.0)\n"
    assert sentence(environment("install", "toy"), 0) == "toy is installed; it brings the same as before"
    assert good(environment("install", "--upgrade", "toy")).stdout == "loss toy (toy 2.0)\n"
    assert "ganzoo" not in environment.installed()
    assert environment.installed()["torch"].endswith("+local")
    good(environment("uninstall", "toy"))


@pytest.mark.parametrize("need", ["ganzoo>=9,<10", "torch>=99", "ganzoo-vanilla>=9"])
def test_a_plugin_for_another_ganzoo_is_refused_and_nothing_of_it_fetched(environment, need):
    name = need.partition(">")[0]
    wheel(environment.index, name, "9.9" if name != "torch" else "99.0", code="raise ImportError('a stranger')")
    file = wheel(environment.folder, "demanding", requires=[need])
    before = environment.installed()
    done = environment("install", file)
    assert "error: pip failed and changed nothing; its message is above" in sentence(done, 4)
    assert f"demanding 1.0 depends on {name}" in done.stderr, "pip's own words are seen"
    assert environment.installed() == before


def marked(marker):
    """The code of a stranger's module that leaves a file behind when it is executed."""
    return f"open({str(marker)!r}, 'w')\n"


@pytest.mark.parametrize(
    ("which", "name"), [("environment", "ganzoo"), ("environment", "ganzoo-vanilla"), ("with_uv", "ganzoo")]
)
def test_no_requirement_by_address_replaces_what_was_not_named(request, which, name):
    either = request.getfixturevalue(which)
    (either.folder / "elsewhere").mkdir(exist_ok=True)
    stranger = wheel(either.folder / "elsewhere", name, importlib.metadata.version(name))
    before = either.installed()
    done = either("install", wheel(either.folder, "sly", requires=[f"{name} @ {stranger.as_uri()}"]))
    assert f"nothing was installed: this would install another {name}" in sentence(done, 2)
    assert either.installed() == before


def test_ganzoo_itself_is_not_installed_from_an_address_that_tells_no_name(environment):
    (environment.folder / "checkout").mkdir()
    text = '[build-system]\nrequires = ["hatchling"]\nbuild-backend = "hatchling.build"\n'
    text += '[project]\nname = "ganzoo"\nversion = "0.1.0"\n[tool.hatch.build.targets.wheel]\nbypass-selection = true\n'
    (environment.folder / "checkout" / "pyproject.toml").write_text(text)
    done = environment("install", (environment.folder / "checkout").as_uri())
    assert "this would install another ganzoo, which was not asked for" in sentence(done, 2)
    assert "ganzoo" not in environment.installed()


def test_a_plugin_of_our_own_is_installed_from_a_wheel_by_address_and_replaced(environment):
    own = wheel(environment.folder, "ganzoo-vanilla", "77.0", code=loss("mended"))
    done = good(environment("install", own.as_uri()))
    assert "loss mended (ganzoo-vanilla 77.0)" in done.stdout.splitlines()
    assert "gone: architecture vanilla (ganzoo-vanilla" in done.stdout
    good(environment("uninstall", "ganzoo-vanilla"))


@pytest.mark.parametrize(("which", "name"), [("environment", "ganzoo-vanilla"), ("with_uv", "ganzoo")])
def test_no_build_fetches_what_has_a_name_of_our_own(request, which, name):
    either = request.getfixturevalue(which)
    marker = either.folder / f"executed-{name}"
    wheel(either.index, name, "9.9", code=marked(marker))
    folder = either.folder / f"building-on-{name}"
    folder.mkdir()
    (folder / "backend.py").write_text(f"import {name.replace('-', '_')}\n")
    (folder / "pyproject.toml").write_text(
        f'[build-system]\nrequires = ["{name}"]\nbuild-backend = "backend"\nbackend-path = ["."]\n[project]\n'
    )
    del either.environment["PIP_NO_BUILD_ISOLATION"], either.environment["UV_NO_BUILD_ISOLATION"]
    done = either("install", folder)
    either.environment |= {"PIP_NO_BUILD_ISOLATION": "0", "UV_NO_BUILD_ISOLATION": "1"}
    assert "failed and changed nothing" in sentence(done, 4)
    assert not marker.exists()


def test_what_is_to_stay_missing_is_not_fetched_for_a_plugin_that_needs_it(environment):
    name = "ganzoo-of-another-time"
    wheel(environment.index, name, code="raise ImportError('a stranger')")
    file = wheel(environment.folder, "demanding", requires=[name])
    code = "import ganzoo.plugins.firstparty as own; names = own.first_party()\n"
    code += f"own.first_party = lambda: [*names, {name!r}]\n"
    code += f"from ganzoo.cli.main import main; main(['install', {str(file)!r}])"
    done = environment.python("-c", code)
    assert "pip failed and changed nothing" in sentence(done, 4)
    assert f"; first ganzoo install ./plugins/{name} in a checkout" in sentence(done, 4)
    assert not {name, "demanding"} & set(environment.installed())


def test_what_was_installed_before_the_installer_failed_is_told(environment):
    wheel(environment.index, "early")
    late = wheel(environment.folder, "late", requires=["early"])
    with zipfile.ZipFile(late, "a") as archive:
        archive.writestr("early.py/no_folder.py", "")
    done = environment("install", late)
    assert sentence(done, 4) == ("error: pip failed after these changes: early 1.0, late 1.0; its message is above")
    assert environment.installed()["early"] == "1.0"
    good(environment("uninstall", "early", "late"))


def test_an_installer_that_does_nothing_is_found_out(with_uv, tmp_path):
    (tmp_path / "uv").write_text("#!/bin/sh\n")
    (tmp_path / "uv").chmod(0o755)
    done = with_uv("install", wheel(with_uv.folder, "toy-of-none"), PATH=str(tmp_path))
    assert sentence(done, 4) == "error: uv reported success, but toy-of-none is not installed"


def test_neither_a_file_called_pip_nor_a_plugin_that_writes_to_standard_output_disturbs(environment):
    marker = environment.folder / "executed"
    (environment.folder / "pip.py").write_text(marked(marker))
    code = "import atexit, os\nos.write(1, b'noise')\natexit.register(print, 'noise')\n" + loss("loud")
    done = good(environment("install", wheel(environment.folder, "loud", code=code)))
    assert done.stdout == "loss loud (loud 1.0)\n"
    assert good(environment("uninstall", "loud")).stdout == "gone: loss loud (loud 1.0)\n"
    (environment.folder / "pip.py").unlink()
    assert not marker.exists()


def test_a_plugin_that_ends_the_process_is_told_of_and_can_be_removed(environment):
    done = environment("install", wheel(environment.folder, "deadly", code="import os; os._exit(0)"))
    assert sentence(done, 1).startswith("error: deadly is installed, but now a new process of ")
    assert good(environment("uninstall", "deadly")).stdout == "gone: deadly\n"
    assert "deadly" not in environment.installed()


def test_a_plugin_that_does_not_work_is_installed_and_says_why(environment):
    file = wheel(environment.folder, "broken", code="import no_such_module")
    done = environment("install", file)
    assert sentence(done, 2) == (
        "error: broken 1.0 is installed, but does not work: failed: "
        "ModuleNotFoundError: No module named 'no_such_module'"
    )
    good(environment("uninstall", "broken"))


def test_a_package_that_is_no_plugin_is_installed_and_says_so(environment):
    done = environment("install", wheel(environment.folder, "bystander", entry="something.else"))
    assert sentence(done, 0) == "bystander is installed, but is not a plugin: it has no entry point in group 'ganzoo'"
    assert environment.installed()["bystander"] == "1.0"
    assert "error: 'bystander' is not an installed plugin; " in sentence(environment("uninstall", "bystander"), 2)


def test_a_name_that_two_plugins_bring_is_told(environment):
    done = environment("install", wheel(environment.folder, "twin", code=loss("minimax")))
    assert done.stdout == "loss minimax (twin 1.0)\n"
    assert sentence(done, 0).startswith("twin: loss 'minimax' also comes from ganzoo-vanilla")
    assert "'twin:minimax'" in sentence(done, 0)
    good(environment("uninstall", "twin"))


def test_where_one_of_two_cannot_be_built_neither_is_installed(environment):
    good(environment("new", "sound", "--loss"))
    broken = environment.folder / "unsound"
    broken.mkdir()
    (broken / "pyproject.toml").write_text('[build-system]\nrequires = []\nbuild-backend = "none"\n[project]\n')
    before = environment.installed()
    done = environment("install", "sound", "unsound")
    assert sentence(done, 4) == "error: pip failed and changed nothing; its message is above"
    assert environment.installed() == before


def test_what_lies_outside_the_environment_is_not_said_to_be_gone(environment):
    done = environment("uninstall", "ganzoo-vanilla")
    assert sentence(done, 4).startswith("error: ganzoo-vanilla cannot be uninstalled here")
    assert (done.stdout, "outside environment" in done.stderr) == ("", True)


def test_uv_does_the_same(with_uv):
    wheel(with_uv.index, "toy", "1.0", ["ganzoo"], loss("toy"))
    wheel(with_uv.index, "ganzoo", "99.0", code="raise ImportError('a stranger')")
    good(with_uv("new", "ganzoo-mine"))
    done = good(with_uv("install", "ganzoo-mine", "toy"))
    assert done.stdout.splitlines() == [
        "architecture mine (ganzoo-mine 0.1.0)",
        "recipe mine (ganzoo-mine 0.1.0)",
        "loss toy (toy 1.0)",
    ]
    wheel(with_uv.index, "toy", "2.0", ["ganzoo", "torch"], loss("toy"))
    assert good(with_uv("install", "--upgrade", "toy")).stdout == "loss toy (toy 2.0)\n"
    assert with_uv.installed()["ganzoo"] == importlib.metadata.version("ganzoo")
    done = good(with_uv("uninstall", "ganzoo-mine", "toy"))
    assert done.stdout.splitlines()[-1] == "gone: loss toy (toy 2.0)"


def test_uv_installs_a_changed_folder_anew(with_uv):
    good(with_uv("new", "changing", "--loss"))
    good(with_uv("install", "./changing"))
    code = with_uv.folder / "changing" / "changing" / "__init__.py"
    code.write_text(code.read_text().replace('"changing",', '"changed",'))
    assert good(with_uv("install", "./changing")).stdout.splitlines() == [
        "loss changed (changing 0.1.0)",
        "gone: loss changing (changing 0.1.0)",
    ]
    good(with_uv("uninstall", "changing"))


@pytest.mark.parametrize("need", ["ganzoo>=9,<10", "ganzoo-vanilla"])
def test_uv_fetches_no_other_ganzoo_either(with_uv, need):
    name = need.partition(">")[0]
    wheel(with_uv.index, name, "9.9", code="raise ImportError('a stranger')")
    before = with_uv.installed()
    done = with_uv("install", wheel(with_uv.folder, "demanding", requires=[need]))
    assert "error: uv failed and changed nothing; its message is above" in sentence(done, 4)
    assert name in done.stderr.rpartition("error: uv failed")[0]
    assert with_uv.installed() == before


def test_uv_is_not_asked_where_it_would_fetch_ganzoo_once_more(environment):
    if not UV:
        pytest.skip("uv is not installed")
    code = "import sys; sys.modules['pip'] = None; from ganzoo.cli.main import main; main(['install', 'toy'])"
    done = environment.python("-c", code, PATH=str(Path(UV).parent))
    assert sentence(done, 2).startswith("error: uv does not see that ganzoo")


@pytest.mark.parametrize("words", [["install", "toy"], ["uninstall", "ganzoo-vanilla"]])
def test_without_pip_and_uv_the_command_that_brings_pip_is_said(environment, words):
    code = f"import sys; sys.modules['pip'] = None; from ganzoo.cli.main import main; main({words!r})"
    done = environment.python("-c", code, PATH="")
    assert sentence(done, 2) == (
        f"error: neither pip nor uv is available; install pip, then try again: {environment.executable} -m ensurepip"
    )
    assert done.stdout == ""


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["install", "a b"], "'a b' is not a package name, a folder"),
        (["install", "toy", "ganzoo-dcgan"], "'ganzoo-dcgan' is not fetched by name"),
        (["install", "-e", "toy"], "--editable needs a folder with a pyproject.toml, which 'toy' is not"),
        (["uninstall", "ganzoo-vanila"], "'ganzoo-vanila' is not an installed plugin; did you mean 'ganzoo-vanilla'"),
        (["uninstall", "ganzoo"], "'ganzoo' is not an installed plugin"),
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
