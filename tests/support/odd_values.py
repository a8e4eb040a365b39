"""Folders of images with more than 8 bits, with the range that is to be found in each."""

import numpy as np

from odd_files import Odd, also, deep, deep_colour, greys, specks, text, tiff

WHITE_IS_ZERO = {"tiffinfo": {262: 0}}
WHOLE = "0 is shown as black, 65535 as white"

VALUES: dict[str, Odd] = {
    "16 bits": Odd(
        deep("a.png", [0, 21845, 43690, 65535], np.uint16), [127.5], notes=["1 images to grey .1 16-bit", WHOLE]
    ),
    "12 bits": Odd(
        also(deep("a.tif", [0, 4095], np.uint16), deep("b.tif", [1365, 2730], np.uint16)),
        [127.5, 127.5],
        notes=[
            r"^in 2 images with more than 8 bits 0 is shown as black, 4095 as white .data\.range.$",
            "2 16-b",
        ],
    ),
    "12 bits, other way round": Odd(
        text("a.tif", tiff([0, 4095], ">u2")), [127.5], notes=["4095 as white", "1 16-bit"]
    ),
    "tomography": Odd(
        deep("a.tif", [-1000, 3000], np.int32), [127.5], notes=["-1000 is shown as black, 3000 as", "1 32-bit"]
    ),
    "a window": Odd(
        deep("a.tif", [-1000, 100], np.int32),
        [63.75],
        notes=["1 32-bit", "8 bits 0 is .*, 200 as"],
        options={"range": [0, 200]},
    ),
    "floating point": Odd(
        deep("a.tif", [0, 0.5, 0.5, 1], np.float32), [127.75], notes=["0 is shown as black, 1 as", "1 floating-point"]
    ),
    "no numbers": Odd(
        also(deep("a.tif", [0, 1], np.float32), deep("b.tif", [np.nan, 1], np.float32)),
        [127.5, 127.5],
        notes=["0 is shown as black, 1 as", "2 floating-point", "'b.tif': some pixels are not finite numbers"],
    ),
    "white is zero": Odd(
        deep("a.tif", [0, 0, 0, 65535], np.uint16, **WHITE_IS_ZERO), [191.25], notes=["1 16-bit", WHOLE]
    ),
    "numbers from 0 in 32 bits": Odd(
        text("a.tif", tiff([0, 4_000_000_000], "<u4")), [127.5], notes=[r"4e\+09 as white", "1 32-bit"]
    ),
    "numbers below 0 in 16 bits": Odd(
        text("a.tif", tiff([-1000, 1000], "<i2")), [127.5], notes=["-1000 is shown as black, 1000 as", "1 16-bit"]
    ),
    "one level": Odd(deep("a.tif", [7], np.uint16), [0], notes=["7 is shown as black, 8 as", "1 16-bit"]),
    "one hot pixel": Odd(
        also(deep("a.png", [0, 4095], np.uint16), specks("b.png", np.uint16, 65535)),
        [127.5, 35.5],
        notes=[
            "0 is shown as black, 4095 as white .data.range.; a few values far outside are cut off in 'b.png'$",
            "2 16",
        ],
    ),
    "one cold pixel": Odd(
        also(deep("a.tif", [0, 4095], np.int32), specks("b.tif", np.int32, -99999)),
        [127.5, 31.9],
        notes=["0 is shown as black, 4095 as white .*'b.tif'$", "2 32"],
    ),
    "few pixels that are not 0": Odd(specks("a.png", np.uint16, 65535, 0), [3.98], notes=[WHOLE, "1 16"]),
    "a range for 8 bits": Odd(
        greys("a.png"),
        [10],
        notes=["^data.range changes nothing: no image is grey with more than 8 bits$"],
        options={"range": [0, 99]},
    ),
    "16-bit colour": Odd(deep_colour("a.png", 65535, 32768, 0), [[255, 128, 0]], notes=["16-bit colour the upper 8"]),
    "12-bit colour": Odd(deep_colour("a.png", 4095, 2000, 0), refused="16-bit colour .* 'a.png' they reach 15 of 255"),
}
