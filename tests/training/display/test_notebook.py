"""Trainings in a real kernel: what stands below the cells, while they run and afterwards."""

import base64
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

nbformat = pytest.importorskip("nbformat", reason="nbformat is not installed")
nbclient = pytest.importorskip("nbclient", reason="nbclient is not installed")
pytest.importorskip("ipykernel", reason="ipykernel is not installed")

NOTEBOOK = Path(__file__).parents[3] / "docs" / "notebooks" / "first.ipynb"
TRAIN = 'ganzoo.train("vanilla", train={"steps": %d, "log_every": 5}, out="runs/%s", quiet=%s)'

WARNED = """
class Warns(ganzoo.Callback):
    def on_step_end(self, trainer):
        import logging
        logging.getLogger("ganzoo").warning("mind this")

warned = ganzoo.train("vanilla", train={"steps": 1}, callbacks=[Warns()], out="runs/warned")
"""


class Client(nbclient.NotebookClient):
    """Keeps what a kernel sends while it runs each cell, and interrupts cells that say so once their training runs."""

    def process_message(self, message, cell, index):
        content = message["content"]
        shown = content.get("data", {})
        if message["msg_type"] in ("display_data", "update_display_data", "execute_result"):
            self.sent.setdefault(index, []).append((message["msg_type"], shown))
        if (
            "interrupted" in cell.source
            and re.match("step [1-9]", shown.get("text/plain", ""))
            and not self.interrupted
        ):
            self.interrupted = True  # a second signal would not wait for the end of the step
            os.kill(self.km.provisioner.pid, signal.SIGINT)
        return super().process_message(message, cell, index)


@pytest.fixture(scope="module")
def played(tmp_path_factory):
    """The notebook of the documentation and four more cells, with what came while they ran, and their folder."""
    folder = tmp_path_factory.mktemp("notebook")
    notebook = nbformat.read(NOTEBOOK, 4)
    more = [
        TRAIN % (5, "quiet", True) + ";",
        TRAIN % (100_000, "interrupted", False),
        WARNED,
        "import sys; 'ipywidgets' in sys.modules",
    ]
    notebook.cells += [nbformat.v4.new_code_cell(source) for source in more]
    notebook.cells[-3].metadata["tags"] = ["raises-exception"]
    client = Client(notebook, timeout=300, kernel_name="python3", resources={"metadata": {"path": str(folder)}})
    client.sent, client.interrupted = {}, False
    client.execute()
    return notebook.cells, client.sent, folder


def find(cells, text):
    """The number of the code cell that has a text."""
    return next(number for number, cell in enumerate(cells) if cell.cell_type == "code" and text in cell.source)


def test_a_training_updates_its_bar_and_its_picture(played):
    cells, sent, _ = played
    messages = sent[find(cells, "ganzoo.train")]
    kinds = {(kind, *sorted(data)) for kind, data in messages}
    assert kinds == {
        ("display_data", "text/html", "text/plain"),
        ("update_display_data", "text/html", "text/plain"),
        ("display_data", "image/png", "text/plain"),
        ("update_display_data", "image/png", "text/plain"),
    }
    lines = [data["text/plain"] for _, data in messages]
    assert any(re.match(r"step \d+/60  [\d,]+ images/s  \d:\d\d:\d\d left\nD fake \d", line) for line in lines)
    assert any('<progress value="10" max="60"' in data.get("text/html", "") for _, data in messages)
    assert [line for line in lines if line.startswith("samples")] == [
        f"samples of step {step}" for step in (20, 40, 60)
    ]


def test_the_last_samples_and_one_line_stay(played):
    cells, _, folder = played
    line, picture = cells[find(cells, "ganzoo.train")].outputs
    assert re.fullmatch(r"vanilla: 60 steps in \d:\d\d:\d\d, in runs/first", line.data["text/plain"])
    assert "progress" not in line.data["text/html"]
    newest = folder / "runs" / "first" / "samples" / "step-000060.png"
    assert base64.b64decode(picture.data["image/png"]) == newest.read_bytes()


def test_results_say_what_they_are_and_samples_are_pictures(played):
    cells, _, _ = played
    results = [cell for cell in cells if cell.cell_type == "code" and cell.outputs]
    plain = {cell.source: cell.outputs[0].get("data", {}) for cell in results}
    assert plain["run"]["text/plain"] == "<ganzoo.Run 'runs/first': vanilla on mnist-10k, 60 of 60 steps>"
    assert plain['model.sample_grid(rows="label")']["image/png"]
    assert plain["import sys; 'ipywidgets' in sys.modules"]["text/plain"] == "False"


def test_quiet_shows_nothing(played):
    cells, _, folder = played
    assert cells[find(cells, "quiet=True")].outputs == []
    assert (folder / "runs" / "quiet" / "model").is_dir()


def test_a_warning_stays(played):
    cells, _, _ = played
    streams = [output for output in cells[find(cells, "mind this")].outputs if output.output_type == "stream"]
    assert [(stream.name, stream.text) for stream in streams] == [("stdout", "mind this\n")]


def test_an_interrupted_kernel_ends_the_training_and_saves_it(played):
    cells, _, folder = played
    line, _, error = cells[find(cells, "interrupted")].outputs
    step = re.fullmatch(r"vanilla: stopped after step ([\d,]+) in .*, in runs/interrupted", line.data["text/plain"])[1]
    assert (error.ename, error.evalue[:18]) == ("Interrupted", "stopped after step")
    assert (folder / "runs" / "interrupted" / "checkpoints" / f"step-{int(step.replace(',', '')):06d}").is_dir()


def test_outside_a_kernel_ipython_is_not_imported(tmp_path):
    code = TRAIN % (2, "plain", False) + "; import sys; print('IPython' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", f"import ganzoo; {code}"], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.stdout == "False\n", done.stderr
    assert "step 2" in done.stderr
