"""Folders of images as strangers have them, with what is to be read from each.

`python tests/support/odd_folders.py OUT` writes them all below OUT, to look at or to train on.
"""

import os
import sys
from pathlib import Path

from PIL import Image

from odd_files import (
    SIZE,
    Odd,
    also,
    cut_short,
    drawn,
    frames,
    grey,
    greys,
    huge,
    link,
    nest,
    picture,
    rotated,
    scans,
    text,
    write,
)
from odd_values import VALUES

UNREADABLE_EXIF = b"Exif\0\0nonsense"
POSTSCRIPT = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 8 8\n%%EndComments\nshowpage\n%%EOF\n"
TWO = greys("a/1.png", "b/1.png")
LEFT_OUT = r"^left out 1 file in no format that is read: "
SKIPPED = r"^skipped 1 of 2 images that cannot be read, the next one takes the place of each: "

FOLDERS: dict[str, Odd] = {
    **VALUES,
    # which sub-folders are classes, and in which order
    "numbers": Odd(
        greys(*(f"{number}/x.png" for number in range(1, 13))),
        classes=[str(number) for number in range(1, 13)],
        labels=[0, 9, 10, 11, 1, 2, 3, 4, 5, 6, 7, 8],  # of the files in the order of their names
        colours=[10, 100, 110, 120, 20, 30, 40, 50, 60, 70, 80, 90],
        notes=["12 classes by sub-folder: 1, 2, 3, 4, 5, ..."],
    ),
    "padded": Odd(
        greys("01/x.png", "02/x.png", "10/x.png"), [10, 20, 30], ["01", "02", "10"], [0, 1, 2], ["3 classes"]
    ),
    "worded": Odd(
        greys("c10/x.png", "c9/x.png"), [10, 20], ["c9", "c10"], [1, 0], ["2 classes by sub-folder: c9, c10"]
    ),
    "wrapper": Odd(
        greys("all/a/1.png", "all/b/1.png"), [10, 20], ["a", "b"], [0, 1], ["2 classes by sub-folder of 'all': a, b"]
    ),
    "wrappers": Odd(greys("x/y/a/1.png", "x/y/b/1.png"), [10, 20], ["a", "b"], [0, 1], ["sub-folder of 'x/y': a, b"]),
    "one class": Odd(greys("a/1.png", "a/2.png"), [10, 20]),
    "stray": Odd(
        greys("a/1.png", "b/1.png", "cover.png"),
        [10, 20, 30],
        notes=["no labels, because 1 of 3 images lie beside the sub-folders: 'cover.png'"],
    ),
    "parts": Odd(
        greys("test/a/1.png", "train/a/1.png", "train/b/1.png", "val/b/1.png"),
        [20, 30],
        ["a", "b"],
        [0, 1],
        ["of a data set in parts, 'train' is used and not 'test', 'val'", "2 classes by sub-folder of 'train': a, b"],
    ),
    "parts without classes": Odd(
        greys("Train/1.png", "Valid/1.png"), [10], notes=["a data set in parts, 'Train' is used and not 'Valid'"]
    ),
    "parts and a cover": Odd(
        greys("cover.png", "test/1.png", "train/1.png"),
        [30],
        notes=["is used and not 'test', nor the images beside them$"],
    ),
    "parts in a wrapper": Odd(
        greys("set/test/1.png", "set/train/1.png"), [20], notes=["'set/train' is used and not 'test'"]
    ),
    "other parts": Odd(greys("test/1.png", "val/1.png"), [10, 20], notes=["parts of a data set and no classes"]),
    "COCO": Odd(
        greys("test2017/1.png", "train2017/1.png", "unlabeled/1.png", "val2017/1.png"),
        [20],
        notes=["'train2017' is used and not 'test2017', 'unlabeled', 'val2017'"],
    ),
    "parts by hyphen": Odd(
        greys("train_images/a/1.png", "train_images/b/1.png", "val-images/1.png"),
        [10, 20],
        ["a", "b"],
        [0, 1],
        ["'train_images' is used and not 'val-images'", "2 classes by sub-folder of 'train_images': a, b"],
    ),
    "two domains": Odd(
        greys("trainA/1.png", "trainB/1.png", "testA/1.png", "testB/1.png"),
        [30, 40, 10, 20],
        notes=["^no labels, because .* parts of .* and no classes: 'testA', .*, and all of them are used; data may be"],
    ),
    "names that begin like parts": Odd(
        greys("trains/1.png", "device/1.png", "value/1.png"),
        [20, 10, 30],
        ["device", "trains", "value"],
        [0, 1, 2],
        ["3 classes"],
    ),
    "one part and a class": Odd(greys("train/1.png", "a/1.png"), [20, 10], ["a", "train"], [0, 1], ["2 classes"]),
    "NAS": Odd(
        also(TWO, greys("a/@eaDir/1.png", "@eaDir/2.png", "#recycle/3.png")),
        [10, 20],
        ["a", "b"],
        [0, 1],
        ["passed over 3 service folders: '#recycle', '@eaDir', 'a/@eaDir'", "2 classes"],
    ),
    "zip of a Mac": Odd(
        also(greys("pets/a/1.png", "pets/b/1.png", "__MACOSX/pets/a/1.png"), text("__MACOSX/pets/a/._1.png")),
        [10, 20],
        ["a", "b"],
        [0, 1],
        ["passed over 1 service folder: '__MACOSX'", "2 classes by sub-folder of 'pets'"],
    ),
    "thumbnails": Odd(also(TWO, greys("Thumbnails/1.png")), [10, 20], ["a", "b"], [0, 1], ["1 service", "2 classes"]),
    "hidden": Odd(also(greys("1.png"), greys(".2.png", ".cache/3.png")), [10]),
    "a class in no Unicode": Odd(
        greys("b\udcff/1.png", "a/1.png"), refused=r"the class of .* 'b\\xff' has a name that is not UTF-8; rename it"
    ),
    "an image in no Unicode": Odd(greys("a/1.png", "b/\udcff.png"), [10, 20], ["a", "b"], [0, 1], ["2 classes"]),
    "both forms of Unicode": Odd(
        greys("cafe\u0301/1.png", "caf\u00e9/2.png", "b/3.png"),
        [30, 10, 20],
        ["b", "caf\u00e9"],
        [0, 1, 1],
        ["2 classes"],
    ),
    # which files are images
    "endings": Odd(
        lambda top: [
            grey(top / name, 40, "JPEG") for name in ("a/1.jfif", "b/2.jpe", "c/3", "d/4.JPG", "d/5.dat", "d/6.png")
        ],
        [40] * 6,
        ["a", "b", "c", "d"],
        [0, 1, 2, 3, 3, 3],
        ["4 classes"],
    ),
    "avif": Odd(lambda top: grey(top / "a.avif", 40, "AVIF"), [40], notes=[]),
    "portable maps": Odd(lambda top: [grey(top / "a.pgm", 40, "PPM"), grey(top / "b", 50, "PPM")], [40, 50]),
    "captions": Odd(also(greys("1.png"), text("1.txt")), [10], notes=[LEFT_OUT + r"1 \.txt$"]),
    "other formats": Odd(
        also(greys("1.png"), text("2.heic"), text("3.heic"), text("4"), text("5.psd")),
        [10],
        notes=[
            r"^left out 4 files in no format that is read: 2 \.heic, 1 without ending, 1 \.psd; save .* as JPEG first$"
        ],
    ),
    "a class in another format": Odd(
        also(greys("a/1.png", "b/1.png"), text("c/1.heic"), text("d/e/1.heic")),
        [10, 20],
        ["a", "b"],
        [0, 1],
        [r"2 \.heic; save", "^no image in 2 sub-folders: 'c', 'd'$", "2 classes"],
    ),
    "camera raw": Odd(
        also(greys("1.png"), lambda top: grey(top / "2.dng", 99, "TIFF")), [10], notes=[LEFT_OUT + r"1 \.dng$"]
    ),
    "PostScript": Odd(
        also(greys("a.png"), text("b.png", POSTSCRIPT)), [10, 10], notes=[SKIPPED + "'b.png': it is not"]
    ),
    "no image": Odd(text("a.heic"), refused=r"no image below .*; left out 1 file .*1 \.heic; .*; read are PNG, JPEG"),
    # kinds
    "palette": Odd(lambda top: write(top / "a.gif", Image.new("P", SIZE, 0), "GIF"), [[0] * 3], notes=["1 palette"]),
    "CMYK": Odd(picture("a.tif", "CMYK", (0, 0, 0, 55)), [[200] * 3], notes=["1 CMYK"]),
    "black and white": Odd(picture("a.png", "1", 1), [255], notes=["1 black and white"]),
    "transparent": Odd(picture("a.png", "LA", (0, 0)), [255], notes=["1 with transparency"]),
    "white on transparent": Odd(
        drawn,
        [[255] * 3],
        notes=[
            "1 with transparency",
            "1 image with transparency became blank on white; data.background='black' may show",
        ],
    ),
    "white on transparent, on black": Odd(
        drawn, [[127.5] * 3], notes=["1 with transparency"], options={"background": "black"}
    ),
    "animation": Odd(
        frames("a.gif", "GIF"), [[50] * 3], notes=["1 palette", "several frames or pages the first .*a.gif"]
    ),
    "pages": Odd(
        frames("a.tif", "TIFF"), [50], notes=["of 1 image with several frames or pages the first is used: 'a.tif'"]
    ),
    "two lenses": Odd(frames("a.jpg", "MPO"), [50]),
    "panorama": Odd(
        picture("a.png", "L", 60, (400, 20)),
        [60],
        notes=["resized 1", r"cut 1 image to a square: up to 95 % of one .'a.png'"],
    ),
    "turned": Odd(rotated, [100]),
    "turned by nonsense": Odd(lambda top: grey(top / "a.jpg", 60, "JPEG", exif=UNREADABLE_EXIF), [60]),
    # broken
    "one broken": Odd(
        also(greys("a.png"), cut_short("b.png")), [10, 10], notes=[SKIPPED + "'b.png': .*truncated", "."]
    ),
    "five broken": Odd(
        also(greys("a/0.png", "b/9.png"), *(text(f"a/{number}.png", b"") for number in range(1, 6))),
        [10, 20, 20, 20, 20, 20, 20],
        ["a", "b"],
        [0, 1, 1, 1, 1, 1, 1],
        ["2 classes", "^skipped 5 of 7 images .*'a/1.png': .*'a/2.png': .*'a/3.png': .*'a/4.png': .*'a/5.png': "],
    ),
    "broken, refused": Odd(
        also(greys("a.png"), text("b.png"), text("c.png")),
        refused="^cannot read 2 of 3 images: 'b.png': it is .*; 'c.png': it is .*; data.broken='skip' leaves them out$",
        options={"broken": "refuse"},
    ),
    "all broken": Odd(
        also(text("a.png"), text("b.png")),
        refused="no file below .* can be read as an image: 'a.png': it is not .*; 'b.png': it is not",
    ),
    "too many pixels": Odd(
        also(greys("a.png"), huge("b.png", 8200)),
        [10, 10],
        notes=["'b.png': 8200 x 8200 are 67 million pixels, up to 67 are read", "."],
    ),
    "too many scans": Odd(
        also(greys("a.png"), scans("b.jpg", 9000)),
        [10, 10],
        notes=["'b.jpg': it goes over its 8000 x 8000 pixels 9,0.. times", "resized 1"],
    ),
    # links and nesting
    "a link to itself": Odd(
        also(greys("a.png"), link("b", "b")), [10], notes=["passed over 1 .links in a circle.*: 'b'$"]
    ),
    "a link to nothing": Odd(also(greys("a.png"), link("b.png", "c")), [10], notes=["passed over 1 .*'b.png'"]),
    "a circle": Odd(also(greys("x/a.png"), link("x/up", "..")), [10], notes=["passed over 1 .*'x/up/'"]),
    "a crowd of links": Odd(
        also(
            greys(*(f"d{i}/a.png" for i in range(20))),
            *(link(f"d{i}/{j}", f"../d{i - 1}") for i in range(1, 20) for j in "xy"),
        ),
        notes=["passed over .*links in a circle", "20 classes"],
        classes=[f"d{number}" for number in range(20)],
    ),
    "150 levels": Odd(
        also(greys("a.png"), nest(150)),
        [10],
        notes=["passed over 1 .*below 100 levels of folders.*n/n", "no image in 1 sub-folder"],
    ),
    "a pipe": Odd(
        also(greys("a.png"), lambda top: os.mkfifo(top / "b.png")),
        [10],
        notes=[r"^passed over 1 .no files, such as pipes.: 'b\.png'$"],
    ),
}


if __name__ == "__main__":
    for name, odd in FOLDERS.items():
        (Path(sys.argv[1]) / name).mkdir(parents=True)
        odd.make(Path(sys.argv[1]) / name)
    print(f"{len(FOLDERS)} folders in {sys.argv[1]}")
