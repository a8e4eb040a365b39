# Builds an app: wants images in Python, quickly, small, offline, without surprises.

### install it, as README says, with the small CPU build where the index has it
uv pip install --quiet "$CHECKOUT" $MORE

### images in three lines
python - <<'PYTHON'
import ganzoo
model = ganzoo.load("dcgan-mnist")
images = model.sample(64, seed=1)
assert images.shape == (64, 1, 28, 28)
PYTHON

### know what one holds
python - <<'PYTHON'
import ganzoo
print(repr(ganzoo.load("dcgan-mnist")))
assert "dcgan" in repr(ganzoo.load("dcgan-mnist")) and "object at" not in repr(ganzoo.load("dcgan-mnist"))
PYTHON

### pictures, not tensors
python - <<'PYTHON'
import ganzoo
model = ganzoo.load("cgan-mnist")
model.sample_grid(64).save("grid.png")
for number, picture in enumerate(ganzoo.to_pil(model.sample(3, label=7))):
    picture.save(f"{number}.png")
PYTHON

### the words of other libraries
python - <<'PYTHON'
import ganzoo
assert ganzoo.Model.from_pretrained("dcgan-mnist").sample(2).shape[0] == 2
assert hasattr(ganzoo.Model, "push_to_hub")
PYTHON

### only what a sampler needs is imported
python - <<'PYTHON'
import sys
import ganzoo
ganzoo.load("dcgan-mnist").sample_grid(4)
heavy = {"torchvision", "matplotlib", "torch._dynamo", "torchmetrics"} & set(sys.modules)
assert not heavy, heavy
PYTHON

### a run is accepted wherever a run is meant
python - <<'PYTHON'
import ganzoo
run = ganzoo.train("vanilla", train={"steps": 20}, quiet=True)
print(run)
assert ganzoo.load(run).sample(1).shape[0] == 1
ganzoo.train(resume=True, out=run, train={"steps": 30}, quiet=True)
PYTHON

### own networks as objects
python - <<'PYTHON'
import torch
from torch import nn
import ganzoo


class G(ganzoo.Generator):
    def __init__(self):
        super().__init__()
        self.network = nn.Sequential(nn.Linear(self.latent_size, 784), nn.Tanh(), nn.Unflatten(1, (1, 28, 28)))

    def forward(self, given):
        return self.network(given["z"])


class D(nn.Module):
    def __init__(self):
        super().__init__()
        self.network = nn.Sequential(nn.Flatten(), nn.Linear(784, 1))

    def forward(self, images, given):
        return self.network(images)


run = ganzoo.train("dcgan", generator=G(), discriminator=D(), train={"steps": 20}, quiet=True)
assert run.metrics
PYTHON

### a notebook shows a bar and pictures
uv pip install --quiet nbclient ipykernel
python - <<'PYTHON'
import nbformat
from nbclient import NotebookClient
cell = "import ganzoo\nrun = ganzoo.train('vanilla', train={'steps': 60}, out='runs/notebook')\nrun"
book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell)])
NotebookClient(book, timeout=300).execute()
kinds = {kind for output in book.cells[0].outputs for kind in output.get("data", {})}
print(kinds)
assert "image/png" in kinds, kinds
PYTHON

### wrong names: exit code 2, one sentence, no traceback
ganzoo sample dcgan-mnis -n 4 2>err.txt && exit 1 || test $? = 2
cat err.txt
grep -q "dcgan-mnist" err.txt

### completion in the shell
_GANZOO_COMPLETE=bash_complete COMP_WORDS="ganzoo train dc" COMP_CWORD=2 ganzoo | tee words.txt
grep -q dcgan words.txt

### what a core by itself says
python - <<'PYTHON'
import importlib.metadata, shutil
bundled = importlib.metadata.distribution("ganzoo").locate_file("ganzoo_bundled")
shutil.rmtree(bundled, ignore_errors=True)
PYTHON
if ganzoo sample dcgan-mnist -n 4 2>err.txt; then exit 1; fi
cat err.txt
grep -q "ganzoo-dcgan" err.txt
