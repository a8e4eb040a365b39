"""`ganzoo install` and `uninstall`, with the real pip in throw-away environments, and without a network."""

import importlib.metadata
import json
import zipfile

from installed import QUICK, good, loss, marked, sentence, wheel


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
    done = good(environment("install", "-e", "./ganzoo-sharpness"))
    assert done.stdout.splitlines() == [f"{kind} sharpness (ganzoo-sharpness 0.1.0)" for kind in ("loss", "recipe")]
    code = environment.folder / "ganzoo-sharpness" / "ganzoo_sharpness" / "losses.py"
    code.write_text(code.read_text().replace('"pairs"', '"couples"'))
    done = good(environment("train", "sharpness", "--out", "other-run", *QUICK))
    assert "generator/sharpness/couples" in (environment.folder / "other-run" / "metrics.jsonl").read_text()
    done = good(environment("install", "./ganzoo-sharpness"))  # in another place, but the same
    assert (done.stdout, sentence(done, 0)) == ("", "ganzoo-sharpness is installed; it brings the same as before")
    good(environment("uninstall", "ganzoo-sharpness"))


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
    assert sentence(done, 2) == (
        "error: deadly 1.0 is installed, but does not work: failed: loading it ends the process with exit code 0; "
        "'ganzoo plugins deadly' tries it again"
    )
    assert good(environment("uninstall", "deadly")).stdout == "gone: deadly\n"
    assert "deadly" not in environment.installed()


def test_an_entry_point_to_the_module_of_another_distribution_brings_nothing_of_that_one(environment):
    codes = {"mine": loss("mine"), "yours": "import mine as other\n" + loss("yours")}
    good(environment("install", *(wheel(environment.folder, name, code=code) for name, code in codes.items())))
    entries = environment.site / "yours-1.0.dist-info" / "entry_points.txt"
    entries.write_text("[ganzoo]\na = mine\nb = yours:other\nc = yours\n")
    rows = [row for row in json.loads(environment("plugins", "--json").stdout) if row["distribution"] in codes]
    assert [(row["distribution"], row["status"]) for row in rows] == [
        ("mine", "ok"), ("yours", "failed"), ("yours", "failed"), ("yours", "ok")
    ]  # fmt: skip
    assert {row["reason"] for row in rows[1:3]} == {"ValueError: its entry point names mine, which belongs to mine"}
    good(environment("uninstall", "mine", "yours"))


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
    outside = environment.folder / "outside"
    with zipfile.ZipFile(wheel(environment.folder, "distant", code=loss("distant"))) as archive:
        archive.extractall(outside)
    (environment.site / "outside.pth").write_text(str(outside))
    done = environment("uninstall", "distant")
    assert sentence(done, 4).startswith("error: distant cannot be uninstalled here")
    assert (done.stdout, "outside environment" in done.stderr) == ("", True)
    (environment.site / "outside.pth").unlink()
