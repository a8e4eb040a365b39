"""What surrounds the code: metadata, version, changelog, citation, workflows and hooks agree and are valid."""

import re
import shutil
import subprocess
import sys
import tomllib
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import pytest
from trove_classifiers import classifiers

import ganzoo
from ganzoo.plugins.firstparty import first_party

ROOT = Path(__file__).parent.parent
FOLDERS = [ROOT, *sorted(path.parent for path in ROOT.glob("plugins/*/pyproject.toml"))]
SAME = ("authors", "requires-python", "license", "license-files", "classifiers")
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))


def table(folder, name):
    return tomllib.loads((folder / "pyproject.toml").read_text())[name]


def project(folder):
    return table(folder, "project")


def package(folder):
    return folder / project(folder)["name"].replace("-", "_")


def load_script(name):
    spec = spec_from_file_location(f"scripts_{name}", ROOT / "scripts" / f"{name}.py")
    module = sys.modules[spec.name] = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


version = load_script("version")


def run(*words):
    return subprocess.run([sys.executable, "-m", *map(str, words)], cwd=ROOT, capture_output=True, text=True)


def test_the_distributions_are_those_of_the_list():
    assert [project(folder)["name"] for folder in FOLDERS] == ["ganzoo", *sorted(first_party())]


@pytest.mark.parametrize("key", SAME)
def test_all_distributions_agree(key):
    assert len({str(project(folder)[key]) for folder in FOLDERS}) == 1


def test_all_distributions_are_built_alike():
    (requires,) = {tuple(table(folder, "build-system")["requires"]) for folder in FOLDERS}
    assert set(requires) <= set(project(ROOT)["optional-dependencies"]["test"])


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_what_the_metadata_says_is_there(folder):
    about = project(folder)
    assert about["keywords"]
    assert about["license"] == "MIT"
    assert not any("email" in author for author in about["authors"])
    assert set(about["classifiers"]) <= classifiers
    assert (folder / "LICENSE").read_bytes() == (ROOT / "LICENSE").read_bytes()
    assert (folder / about["readme"]).is_file()
    assert (package(folder) / "py.typed").is_file()  # what "Typing :: Typed" promises


def test_every_place_says_the_same_version(capsys):
    assert version.main([]) == 0
    assert len(capsys.readouterr().out.splitlines()) == len(version.places(ROOT)) == 5 + 2 * len(first_party())


def test_the_changelog_begins_with_the_version_of_the_code():
    """Only "Unreleased" may stand above it."""
    headings = re.findall(r"^## (\S+)", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert next(heading for heading in headings if heading != "Unreleased") == ganzoo.__version__
    assert "Unreleased" not in headings[1:]


@pytest.fixture
def copy(tmp_path):
    """Every file that says the version, in a folder of its own."""
    for place in version.places(ROOT):
        target = tmp_path / place.path.relative_to(ROOT)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(place.path, target)
    return tmp_path


def test_one_command_sets_the_version_of_all_distributions(copy, capsys):
    changelog = copy / "CHANGELOG.md"
    changelog.write_text(changelog.read_text().replace("## Unreleased\n", "## Unreleased\n\n## 7.2.0 - 2030-01-01\n"))
    assert version.main(["7.2.0"], copy) == 0
    said = {place.path.name: place.read() for place in version.places(copy) if not place.is_range}
    assert said == dict.fromkeys(["_version.py", "pyproject.toml", "CITATION.cff", "CHANGELOG.md"], "7.2.0")
    for folder in copy.glob("plugins/*"):
        assert project(folder)["version"] == "7.2.0"
        assert project(folder)["dependencies"] == ["ganzoo>=7.2,<8"]
    assert "ganzoo>=7.2,<8" in (copy / "docs" / "plugins.md").read_text()
    assert "<-" not in capsys.readouterr().out
    assert version.main([], copy) == 0


def test_a_version_that_the_changelog_lacks_is_noticed(copy, capsys):
    assert version.main(["99.0.0"], copy) == 1
    (wrong,) = [line for line in capsys.readouterr().out.splitlines() if "<-" in line]
    assert wrong.split()[0] == "CHANGELOG.md"
    assert wrong.endswith("should be 99.0.0")


def test_setting_the_version_that_is_there_changes_nothing(copy):
    assert version.main([ganzoo.__version__], copy) == 0
    for place in version.places(copy):
        assert place.path.read_bytes() == (ROOT / place.path.relative_to(copy)).read_bytes()


def test_a_plugin_that_stayed_behind_is_noticed(copy, capsys):
    path = copy / "plugins" / "ganzoo-wgan" / "pyproject.toml"
    path.write_text(path.read_text().replace(f'version = "{ganzoo.__version__}"', 'version = "0.0.7"'))
    assert version.main([], copy) == 1
    assert "ganzoo-wgan/pyproject.toml" in capsys.readouterr().out.partition("<-")[0].splitlines()[-1]


@pytest.mark.parametrize("words", [["next"], ["1.0.0.0.x"], ["01.2"], ["0.2.0", "0.3.0"]])
def test_what_is_not_one_version_is_refused(copy, words, capsys):
    assert version.main(words, copy) == 2
    assert "say one version" in capsys.readouterr().err
    assert version.main([], copy) == 0


def test_the_citation_follows_its_schema():
    done = run("check_jsonschema", "--builtin-schema", "vendor.citation-file-format", "CITATION.cff")
    assert done.returncode == 0, done.stdout


def test_the_workflows_follow_their_schema():
    assert WORKFLOWS
    done = run("check_jsonschema", "--builtin-schema", "vendor.github-workflows", *WORKFLOWS)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_the_workflows_install_our_distributions_from_the_checkout(path):
    text = path.read_text()
    assert "permissions:\n  contents: read\n" in text
    assert "for folder in . plugins/*; do python -m build" in text
    installed = re.findall(r"pip install +(?:-\S+ +)*(\S+)", text)
    assert installed
    assert not [each for each in installed if each.startswith("ganzoo")]


def test_the_workflows_try_the_oldest_torch_that_is_allowed():
    (oldest,) = re.findall(r"pins: torch==([\d.]+)\.\* torchvision==([\d.]+)\.\*", WORKFLOWS[0].read_text())
    assert {f"torch>={oldest[0]}", f"torchvision>={oldest[1]}"} <= set(project(ROOT)["dependencies"])


def test_the_hooks_are_valid():
    done = run("pre_commit", "validate-config")
    assert done.returncode == 0, done.stdout


def test_contributing_has_a_line_for_each_room_of_the_house():
    rooms = re.findall(r"^\| `(\w+)/` \|", (ROOT / "CONTRIBUTING.md").read_text(), re.MULTILINE)
    package = ROOT / "ganzoo"
    folders = {path.name for path in package.iterdir() if path.is_dir() and path.name != "__pycache__"}
    assert sorted(rooms) == sorted(folders)


@pytest.mark.parametrize("name", ["CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md"])
def test_what_the_pages_point_to_is_there(name):
    text = (ROOT / name).read_text()
    paths = re.findall(r"\]\((?!http)([^)#]+)\)", text) + re.findall(
        r"`((?:ganzoo|docs|scripts|tests)/[\w/.-]+)`", text
    )
    assert not [path for path in paths if not (ROOT / path).exists()]
    targets = (ROOT / "Makefile").read_text()
    assert not [target for target in re.findall(r"`make (\w+)", text) if f"\n{target}:" not in targets]


NAMES = {"ganzoo", *first_party()}
FETCHES = re.compile(r"\b(?:(?:pip|pipx|tool|ganzoo) install|uv add|uvx|pipx run)((?: +-\S+)*) +['\"]?([\w.-]+)")


def test_nothing_here_tells_or_asks_to_fetch_a_name_of_ours_which_on_an_index_belongs_to_others():
    files = [ROOT / name for name in ("README.md", "SECURITY.md", "CONTRIBUTING.md", "Makefile", "mkdocs.yml")]
    files += [*ROOT.glob("README.*.md"), *WORKFLOWS, *ROOT.glob("plugins/*/README.md"), *ROOT.glob("docs/**/*.md")]
    files += [path for path in (ROOT / "ganzoo").rglob("*") if path.suffix in (".py", ".md", ".toml", ".yml")]
    told = {name for path in files for _, name in FETCHES.findall(path.read_text(encoding="utf-8"))}
    assert {"trackio", "."} & told, "the pattern finds nothing"
    assert not told & NAMES


def test_no_distribution_of_ours_requires_one_but_ganzoo_and_ganzoo_requires_none():
    for folder in FOLDERS:
        about = project(folder)
        needed = [
            *about["dependencies"],
            *(each for extra in about.get("optional-dependencies", {}).values() for each in extra),
        ]
        ours = [each for each in needed if re.split(r"[^\w.-]", each)[0] in NAMES]
        assert [each.partition(">=")[0] for each in ours] == ([] if folder == ROOT else ["ganzoo"])


def test_the_extra_that_is_prepared_for_the_day_when_the_names_are_ours_has_every_plugin():
    (table,) = re.findall(r"^ *(zoo = \[.*?\])$", (ROOT / "CONTRIBUTING.md").read_text(), re.MULTILINE | re.DOTALL)
    assert tomllib.loads(table)["zoo"] == first_party()


def test_make_demo_names_the_run_that_it_wrote(tmp_path):
    """With a program in place of the training, which would take minutes."""
    program = tmp_path / ".venv" / "bin" / "ganzoo"
    program.parent.mkdir(parents=True)
    program.write_text("#!/bin/sh\necho training >&2; echo runs/creatures-002/samples/1.png; echo runs/creatures-002\n")
    program.chmod(0o755)
    command = ["make", "--no-print-directory", "-f", ROOT / "Makefile", "-o", ".venv/installed", "demo"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert "ganzoo sample runs/creatures-002 --set " in done.stdout
    assert done.stdout.startswith("runs/creatures-002/samples/1.png\nruns/creatures-002\n")
    program.write_text("#!/bin/sh\nexit 130\n")
    assert subprocess.run(command, cwd=tmp_path, capture_output=True, check=False).returncode != 0


def test_the_environment_of_make_is_made_anew_where_what_an_installation_copies_has_changed():
    (line,) = re.findall(r"^\.venv/installed: (.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert {"pyproject.toml", "hatch_build.py", "plugins/*/pyproject.toml"} <= set(re.findall(r"[\w/*.]+", line))
