"""Films: (1, frames, height, width), in [0, 1] for users and in [-1, 1] for networks; written as a GIF."""

import numpy as np
from PIL import Image

import ganzoo


class Clip(ganzoo.Kind):
    plural = "clips"
    suffix = ".gif"
    range = (-1.0, 1.0)
    public_range = (0.0, 1.0)

    def write(self, path, sample, mark):
        first, *more = [self.frame(frame) for frame in sample[0]]
        milliseconds = 1000 // self.facts.get("frames_per_second", 4)
        first.save(path, save_all=True, append_images=more, duration=milliseconds, loop=0, comment=str(dict(mark)))

    def read(self, path):
        film = Image.open(path)
        frames = []
        for number in range(film.n_frames):
            film.seek(number)
            frames.append(np.asarray(film.convert("L"), np.float32) / 255)
        return np.stack(frames)[None]

    def draw(self, samples, columns=0, row_names=(), title=""):
        rows = [np.concatenate(list(sample[0]), 1) for sample in samples]
        return self.frame(np.concatenate(rows))

    def describe(self):
        _, frames, height, width = self.spec.shape
        return f"{height} x {width} clips of {frames} frames"

    def card(self, files):
        return "\n".join(f"![a clip]({name})" for name in files)

    @staticmethod
    def frame(values):
        return Image.fromarray((values * 255).round().astype("uint8"))
