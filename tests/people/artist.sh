# Has a folder of photographs, wants pictures in their manner, and to know how long that takes.

### install it, as README says (pip; torch is taken from uv's cache)
uv pip install --quiet torch torchvision
pip install --quiet "$CHECKOUT" $MORE

### take 60 colour photographs from the camera's folder
python - <<'PYTHON'
from pathlib import Path
import numpy
from PIL import Image
Path("photos/holiday").mkdir(parents=True)
rng = numpy.random.default_rng(0)
for number in range(60):
    low = rng.integers(0, 255, (6, 8, 3), dtype=numpy.uint8)
    Image.fromarray(low).resize((640, 480), Image.Resampling.BICUBIC).save(f"photos/holiday/{number}.jpg")
PYTHON

### begin a training on them; be told at once how long it will take and where pictures appear
ganzoo train dcgan --data photos -o train.steps=40 -o data.size=32 --out runs/photos 2>&1 | tee said.txt
grep -qiE "takes|left|minute|second" said.txt
grep -q "runs/photos/samples" said.txt

### stop and go on another day
ganzoo train --resume runs/photos -o train.steps=60

### fewer steps than were trained: a sentence
ganzoo train --resume runs/photos -o train.steps=20 2>&1 | tee fewer.txt
grep -qi "finished\|trained for" fewer.txt

### begin with a pretrained model: be told that photographs become grey
ganzoo train dcgan --init dcgan-mnist --data photos -o train.steps=5 --out runs/init 2>&1 | tee init.txt
grep -qi "gr[ea]y" init.txt
ganzoo train dcgan --init dcgan-mnist --data photos -o data.size=28 -o train.steps=5 --out runs/init28

### large pictures to show
ganzoo sample runs/photos -n 16 --scale 4 --out large.png
python -c "from PIL import Image; assert Image.open('large.png').width >= 512"

### single files
ganzoo sample runs/photos -n 5 --out singles
test "$(ls singles | grep -c png)" = 5

### see all that was made until now
ganzoo runs | tee runs.txt
grep -q photos runs.txt
