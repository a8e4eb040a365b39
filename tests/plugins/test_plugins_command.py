"""`ganzoo list` and `ganzoo plugins`: rows, JSON, and what finding each plugin costs."""

import json
import textwrap

import ganzoo
from plugin_code import CALLBACK, GOOD


def test_listing_needs_no_torch_and_prints_clean_json(site, command):
    site.install("ganzoo-noisy", "print('hello from the import')\n")
    for words in (["list", "--json"], ["plugins", "--json"], ["list"], ["plugins"]):
        code = f"import sys\nsys.argv[1:] = {words}\nfrom ganzoo.cli.main import main\ntry:\n    main()\nfinally:\n"
        code += "    assert not {'torch', 'torchvision', 'pydantic'} & set(sys.modules)"
        done = command.python("-c", code, PYTHONPATH=str(site.folder))
        assert done.returncode == 0, done.stderr
        if "--json" in words:
            json.loads(done.stdout)


def test_the_json_of_list_and_plugins_has_the_promised_keys(site, command):
    site.install("ganzoo-good", GOOD.format("ganzoo_good"), version="1.2")
    site.install("aa-broken", "import nowhere_to_be_found")
    rows = json.loads(command("list", "--json", PYTHONPATH=str(site.folder)).stdout)
    assert all(set(row) == {"kind", "name", "summary", "distribution", "version"} for row in rows)
    told = [(row["kind"], row["name"], row["distribution"], row["version"]) for row in rows]
    assert ("loss", "gentle", "ganzoo-good", "1.2") in told
    assert ("data", "mnist-10k", "ganzoo", ganzoo.__version__) in told
    rows = json.loads(command("plugins", "--json", PYTHONPATH=str(site.folder)).stdout)
    promised = {"distribution", "version", "entry_point", "status", "reason", "ms", "provides", "traceback"}
    assert all(set(row) == promised for row in rows)
    status = {row["distribution"]: row["status"] for row in rows}
    assert (status["aa-broken"], status["ganzoo-good"]) == ("failed", "ok")


def test_callbacks_are_listed(site, command):
    site.install("ganzoo-bell", CALLBACK.format("ganzoo_bell"))
    (listed,) = json.loads(command("list", "callbacks", "--json", PYTHONPATH=str(site.folder)).stdout)
    wanted = {"kind": "callback", "name": "bell", "summary": "", "distribution": "ganzoo-bell", "version": "1.0"}
    assert listed == wanted
    assert "bell" in command("list", "callbacks", PYTHONPATH=str(site.folder)).stdout
    (row,) = json.loads(command("plugins", "ganzoo-bell", "--json", PYTHONPATH=str(site.folder)).stdout)
    targets = {"callback": "ganzoo_bell.callbacks:Bell"}
    assert row["provides"] == [{"kind": "callback", "name": "bell", "targets": targets}]


SLOW = """
    import time
    import ganzoo

    time.sleep(0.25)

    @ganzoo.hookimpl
    def register_losses(register):
        register("sleepy", "a:B")
"""


def test_plugins_says_what_finding_one_costs_and_where_it_failed(site, command):
    site.install("aa-broken", "def deep():\n    raise RuntimeError('no luck')\ndeep()")
    site.install("ganzoo-slow", SLOW)

    def rows(*words):
        return json.loads(command("plugins", *words, "--json", PYTHONPATH=str(site.folder)).stdout)

    (slow,) = rows("Ganzoo.Slow")
    assert slow["ms"] >= 250
    assert slow["provides"] == [{"kind": "loss", "name": "sleepy", "targets": {"loss": "a:B"}}]
    (broken,) = rows("aa-broken")
    assert "in deep" in broken["traceback"]
    shown = command("plugins", "aa-broken", "--traceback", PYTHONPATH=str(site.folder)).stdout
    assert shown.rstrip().endswith("RuntimeError: no luck")
    assert len(rows()) > 2


def test_one_plugin_is_asked_for_by_its_distribution(site, command):
    site.install("ganzoo-good", GOOD.format("ganzoo_good"))
    done = command("plugins", "ganzoo-goood", PYTHONPATH=str(site.folder))
    assert (done.returncode, done.stdout) == (2, "")
    assert "no plugin 'ganzoo-goood' is installed; did you mean 'ganzoo-good'" in done.stderr
    assert command("plugins", "--traceback").returncode == 2
    assert "ganzoo_good.networks:G" in command("plugins", "ganzoo-good", PYTHONPATH=str(site.folder)).stdout


def test_a_plugin_that_imports_torch_to_be_found_works_and_is_told(site, command):
    site.install("ganzoo-good", "import torch\n" + textwrap.dedent(GOOD.format("ganzoo_good")))
    done = command("plugins", "ganzoo-good", "--json", PYTHONPATH=str(site.folder))
    (row,) = json.loads(done.stdout)
    assert (row["status"], row["reason"]) == ("ok", "loading it imports torch, which slows down every command")


def test_importing_ganzoo_imports_no_torch(command):
    done = command.python("-c", "import sys, ganzoo; dir(ganzoo); assert 'torch' not in sys.modules")
    assert done.returncode == 0, done.stderr
