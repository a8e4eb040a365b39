# Has a paper of his own, wants others to install the network and the loss by name.

### install it, as README says
uv pip install --quiet "$CHECKOUT" $MORE

### begin with a file, see that it works
cat > nets.py <<'PYTHON'
from math import prod

import ganzoo
from torch import nn


class G(ganzoo.Generator):
    def __init__(self, image, width: int = 64):
        super().__init__()
        self.network = nn.Sequential(
            nn.Linear(self.latent_size, width), nn.ReLU(), nn.Linear(width, prod(image)), nn.Tanh(), nn.Unflatten(1, image)
        )

    def forward(self, given):
        return self.network(given["z"])


class D(nn.Module):
    def __init__(self, image, width: int = 64):
        super().__init__()
        self.network = nn.Sequential(nn.Flatten(), nn.Linear(prod(image), width), nn.ReLU(), nn.Linear(width, 1))

    def forward(self, images, given):
        return self.network(images)
PYTHON
cat > mine.toml <<'TOML'
# My own two networks.
loss = "non-saturating"

[architecture]
generator = "./nets.py:G"
discriminator = "./nets.py:D"

[train]
steps = 40
TOML
ganzoo train mine.toml --out runs/mine
ganzoo train --resume runs/mine -o train.steps=60

### publish: be told how to make a plugin of it
if ganzoo publish runs/mine me/mine --license mit --dry-run 2>said.txt >said2.txt; then :; fi
cat said.txt said2.txt
grep -q "ganzoo new" said.txt said2.txt

### make a plugin of the file
ganzoo new ganzoo-mine --from runs/mine
test -s ganzoo-mine/LICENSE
grep -q "classifiers" ganzoo-mine/pyproject.toml
test -n "$(find ganzoo-mine/.github -name '*.yml' -o -name '*.yaml')"

### install it, check it, train by its name
ganzoo install -e ./ganzoo-mine
ganzoo plugins | tee plugins.txt
grep -q ganzoo-mine plugins.txt
ganzoo check ganzoo-mine
ganzoo train mine -o train.steps=20 --out runs/again

### begin with nothing instead: a whole plugin in a minute, its test passes
ganzoo new other
uv pip install --quiet pytest
ganzoo install -e ./ganzoo-other
(cd ganzoo-other && python -m pytest -q)

### mistakes: one sentence with the nearest right word
for wrong in "--loss ./nets.py:Nothing" "--loss ./nets.py:D" "--loss ./absent.py:D" "--loss hinje"; do
  if ganzoo train vanilla $wrong -o train.steps=1 2>err.txt; then exit 1; fi
  cat err.txt
  if grep -q Traceback err.txt; then exit 1; fi
done
