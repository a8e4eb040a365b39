# Compares losses for a paper: seeds, sweeps, tables, curves, trackers, exact resume.

### install it, with TensorBoard
uv pip install --quiet "$CHECKOUT[tensorboard]" $MORE

### which keys are there, with type, default and meaning
ganzoo info train | grep -q train.ema_decay || ganzoo info train | grep -q train.ema
ganzoo info optimizer | grep -q optimizer.lr

### facts for a program, not for eyes
ganzoo info dcgan --json | python -m json.tool > dcgan.json
ganzoo list models --json | python -c "import json, sys; rows = json.load(sys.stdin); assert all(isinstance(row['size'], int) for row in rows), rows"

### the same recipe with three seeds: mean and standard error
ganzoo train ring8 -o train.steps=60 -o train.evaluate_every=30 --seeds 0,1,2 --out runs/seeds | tee seeds.txt
grep -E "mean of 3.*(±|[+]-)" seeds.txt

### a grid, resumable, ends with a table
ganzoo sweep ring8 -o optimizer.lr=1e-3,2e-4 -o train.steps=60 --out runs/grid | tee grid.txt
grep -q "0.0002\|2e-4\|2e-04" grid.txt
ganzoo sweep ring8 -o optimizer.lr=1e-3,2e-4 -o train.steps=60 --out runs/grid

### a misspelt key of a sweep: the nearest right one
if ganzoo sweep ring8 -o optimizer.lrr=1,2 2>wrong.txt; then exit 1; fi
cat wrong.txt
grep -q "optimizer.lr" wrong.txt

### runs at a glance, and as JSON
ganzoo runs runs/grid
ganzoo runs --json | python -m json.tool > runs.json

### compare two losses: what differs stands in the title, tables for the paper
ganzoo train vanilla -o train.steps=60 --out runs/ns
ganzoo train vanilla --loss hinge -o train.steps=60 --out runs/hinge -o train.tensorboard=true
ganzoo compare runs/ns runs/hinge --out t.csv
ganzoo compare runs/ns runs/hinge --out t.md
ganzoo compare runs/ns runs/hinge --out t.json
ganzoo compare runs/ns runs/hinge --out page.png
grep -q hinge t.md
python -m json.tool t.json > /dev/null

### the log as a table for pandas or Excel
python - <<'PYTHON'
import ganzoo
ganzoo.Run("runs/ns").to_csv("ns.csv")
print(open("ns.csv").readline())
PYTHON

### scores with their protocol
ganzoo evaluate dcgan-mnist -n 1000 --json | python -m json.tool > scores.json
