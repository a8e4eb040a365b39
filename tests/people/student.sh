# Follows a tutorial, has a laptop, wants to see a GAN learn, and to try an idea of his own.

### install it, as README says (uv)
uv pip install --quiet "$CHECKOUT" $MORE

### see what there is to do: the bare command shows the help
ganzoo | tee help.txt
grep -q sample help.txt

### see what it is, before anything is trained: 64 digits
ganzoo sample dcgan-mnist -n 64
test "$(find . -name '*.png' | wc -l)" -ge 1

### type what every tutorial has: --epochs, --batch-size; be told what to type
for typed in "--epochs 5:train.epochs=5" "--batch-size 64:train.batch=64" "--lr 1e-3:optimizer.lr=1e-3" "--steps 9:train.steps=9"; do
  if ganzoo train vanilla ${typed%%:*} 2>answer.txt; then exit 1; fi
  cat answer.txt
  grep -qF -- "-o ${typed##*:}" answer.txt
done

### train for a minute, whatever the machine
ganzoo train dcgan -o train.minutes=0.5 --out runs/minute 2>&1 | tee minute.txt
grep -qi "minute\|second" minute.txt
test -s runs/minute/model/model.safetensors

### know what the words of the progress line mean
ganzoo info train.ema
ganzoo info train | grep -q train.minutes

### try an own loss, one file, no packaging
cat > mine.py <<'PYTHON'
import ganzoo
from torch.nn.functional import softplus


class Mine(ganzoo.Loss):
    def discriminator(self, step):
        return {"pairs": softplus(step.fake_scores - step.real_scores).mean()}

    def generator(self, step):
        return {"pairs": softplus(step.real_scores - step.fake_scores).mean()}
PYTHON
ganzoo train vanilla --loss ./mine.py:Mine -o train.steps=60 --out runs/mine
test -s runs/mine/curves.png
ganzoo sample runs/mine -n 16 --out mine.png

### put the two side by side
ganzoo compare runs/minute runs/mine --out table.md
grep -q "|" table.md

### see mode collapse on data where one can see it
ganzoo train ring8 -o train.steps=300 --out runs/ring
test -s runs/ring/game.gif
