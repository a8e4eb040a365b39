"""What ganzoo itself brings, through the same hooks as a plugin."""

from importlib.metadata import EntryPoint

from ganzoo._version import __version__
from ganzoo.plugins import hookspecs
from ganzoo.plugins.registration import Plugin

LSUN_CATEGORIES = (
    "bedroom",
    "bridge",
    "church_outdoor",
    "classroom",
    "conference_room",
    "dining_room",
    "kitchen",
    "living_room",
    "restaurant",
    "tower",
)
AVATAR_STYLES = """
    blobs cameo clay constellation critters cutouts disco gaze glass identicon initial-face initials landscape
    line-face loops lorelei-neutral lorelei marbles moods notionists-neutral notionists open-peeps patchwork
    pixel-art-neutral pixel-art pixelbot planets rings shadows shape-grid shapes slice sprouts squircles stack
    stripes thumbs triangles voxel-art voxel-bot waves weave
"""
"""The styles of avatars that are in the public domain. Those of a newer package can be used, too."""
DATA_SETS = {
    "avatars": (
        "avatars.drawn:Avatars",
        "faces, creatures, landscapes in 42 styles, any number and size; needs the packages of ganzoo[avatars]",
    ),
    "avatars-5k": (
        "avatars.bundled:Avatars5k",
        "5,000 creatures, 32 x 32 colour, labels by body or another attribute; comes with ganzoo",
    ),
    "mnist-10k": ("named:Mnist10k", "10,000 handwritten digits, 28 x 28 grey, 10 classes; comes with ganzoo"),
    "mnist": ("named:Mnist", "60,000 handwritten digits, 28 x 28 grey, 10 classes; 12 MB download"),
    "stacked-mnist": (
        "stacked:StackedMnist",
        "three digits of mnist as RGB, 28 x 28, 1,000 classes, for counting modes",
    ),
    "fashion-mnist": ("named:FashionMnist", "60,000 pictures of clothes, 28 x 28 grey, 10 classes; 31 MB download"),
    "cifar10": ("named:Cifar10", "50,000 photographs, 32 x 32 colour, 10 classes; 170 MB download"),
    "celeba": ("named:CelebA", "162,770 faces, colour, no classes; 1.4 GB download, needs the package gdown"),
    "lsun": (
        "named:LsunImages",
        "photographs of one kind of place, colour, no classes; unpacked by hand, needs the package lmdb",
    ),
    "hf": (
        "hub:HubImages",
        "images of the Hugging Face Hub, hf:owner/name; downloaded by the package datasets, of ganzoo[hf]",
    ),
    "ring8": ("named:Ring8", "100,000 points of 8 Gaussians on a circle; drawn on the spot, for counting modes"),
    "grid25": ("named:Grid25", "100,000 points of 25 Gaussians on a grid; drawn on the spot, for counting modes"),
}
"""The class of each data set, below `ganzoo.data`, and its line in `ganzoo list data`."""
BUNDLED_DATA = ("avatars-5k", "mnist-10k", "ring8", "grid25")
"""Those that need no download and no other package."""

PARTS = {
    "lsun": ("category", LSUN_CATEGORIES),
    "avatars": ("style", AVATAR_STYLES.split()),
    "hf": ("repository", ()),
}
"""The option that a name sets behind a colon, and its values."""


class Builtin(Plugin):
    """ganzoo as a plugin of itself, which is always there."""

    @property
    def version(self) -> str:
        """The version of ganzoo."""
        return __version__


def builtin() -> Builtin:
    """Return a plugin with all that ganzoo itself registers."""
    own = Builtin(EntryPoint("ganzoo", __name__, "ganzoo"))
    register_data(own.register_data)
    register_kinds(own.register_kind)
    register_metrics(own.register_metrics)
    return own


def register_data(register: hookspecs.RegisterData) -> None:
    """Name the data sets that ganzoo knows."""
    for name, (cls, about) in DATA_SETS.items():
        part, parts = PARTS.get(name, ("", ()))
        register(name, f"ganzoo.data.{cls}", about=about, part=part, parts=parts)


def register_kinds(register: hookspecs.RegisterKind) -> None:
    """Name the kinds of samples that ganzoo knows."""
    register("image", "ganzoo.kinds.image:Image", about="pictures of any number of channels, written as PNG")
    register("point", "ganzoo.kinds.point:Point", about="points in a space, drawn as a plot")
    register("sound", "ganzoo.kinds.sound:Sound", about="sounds, written as WAV; fact: rate")
    register("text", "ganzoo.kinds.text:Text", about="lines of letters or words, written as TXT; fact: alphabet")
    register("table", "ganzoo.kinds.table:Table", about="rows of numbers, written as CSV; fact: columns")
    register("video", "ganzoo.kinds.video:Video", about="frames of pictures, written as animated GIF; fact: rate")
    register("label", "ganzoo.kinds.label:Label", about="numbers of classes")
    register("other", "ganzoo.kind:Kind", about="numbers of any shape, written as NPY")


def register_metrics(register: hookspecs.RegisterMetrics) -> None:
    """Name the suites of metrics that ganzoo knows."""
    register(
        "digits",
        "ganzoo.evaluation.mnist:DigitSuite",
        data=("mnist", "mnist-10k"),
        about="eleven metrics of digits, two of them for labelled ones",
    )
    register(
        "mixtures",
        "ganzoo.evaluation.mixtures:MixtureSuite",
        data=("ring8", "grid25"),
        about="how many modes of a mixture are covered, and how well",
    )
    register(
        "lite0",
        "ganzoo.evaluation.lite0:Lite0Suite",
        kind="image",
        about="FD, KID, precision, recall, density, coverage of any images, by EfficientNet-Lite0",
    )
    register(
        "pixel-neighbours",
        "ganzoo.evaluation.neighbours:PixelNeighbours",
        kind="image",
        about="how many samples are copies of training pictures, by their pixels, on request",
    )
    register(
        "lite0-neighbours",
        "ganzoo.evaluation.neighbours:Lite0Neighbours",
        kind="image",
        about="how many samples are copies of training pictures, by EfficientNet-Lite0, on request",
    )
    register(
        "inception",
        "ganzoo.evaluation.inception:InceptionSuite",
        kind="image",
        about="FID, KID and Inception Score, on request",
    )
    register(
        "dinov2",
        "ganzoo.evaluation.fidelity:DinoSuite",
        kind="image",
        about="the metrics of lite0 by DINOv2, which is downloaded, on request",
    )
    register(
        "clip",
        "ganzoo.evaluation.fidelity:ClipSuite",
        kind="image",
        about="the metrics of lite0 by CLIP, which is downloaded, on request",
    )
