"""What ganzoo itself brings, through the same hooks as a plugin."""

from importlib.metadata import EntryPoint

from ganzoo._version import __version__
from ganzoo.plugins import hookspecs
from ganzoo.plugins.registration import Plugin


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


def register_kinds(register: hookspecs.RegisterKind) -> None:
    """Name the kinds of samples that ganzoo knows."""
    register("image", "ganzoo.kinds.image:Image")
    register("point", "ganzoo.kinds.point:Point")
    register("sound", "ganzoo.kinds.sound:Sound")
    register("text", "ganzoo.kinds.text:Text")
    register("table", "ganzoo.kinds.table:Table")
    register("video", "ganzoo.kinds.video:Video")
    register("label", "ganzoo.kinds.label:Label")
    register("other", "ganzoo.kind:Kind")


def register_metrics(register: hookspecs.RegisterMetrics) -> None:
    """Name the suites of metrics that ganzoo knows."""
