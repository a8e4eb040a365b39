"""How much clips move."""

import ganzoo


class Motion(ganzoo.Suite):
    """The mean difference between a frame and the next."""

    name = "frames"
    metrics = {"motion": ganzoo.Metric("motion", lambda moved: sum(moved) / len(moved), better="higher")}
    watched = ("motion",)

    def observe(self, pieces):
        return [
            each.item() for clips, _ in pieces for each in (clips[:, :, 1:] - clips[:, :, :-1]).abs().mean((1, 2, 3, 4))
        ]
