"""What an importer returns: a trained generator of another program, in the words of ganzoo. No torch here."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ganzoo.dataset import Spec

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True, kw_only=True)
class Imported:
    """A trained generator that a function registered by `register_importers` has read from a file.

    ganzoo builds the architecture, loads the weights strictly, draws samples, and only then writes a model folder.
    """

    architecture: str
    """The name of an architecture, as a recipe has it; the importer's own distribution is searched first."""
    data: Mapping[str, Spec]
    """What each key of the data holds, the first one what the generator makes: {"image": Spec("image", (3, 64, 64))}.

    Classes are those of `Spec("label", classes=(...))` under the key "label".
    """
    generator: Mapping[str, "Tensor"]
    """The state of the generator, with all names, shapes and types of the architecture's own."""
    discriminator: Mapping[str, "Tensor"] | None = None
    """The state of the discriminator, if the file has one that fits the architecture's."""
    options: Mapping[str, Any] = field(default_factory=dict)
    """Options of the architecture, as a recipe has them: those of one side alone in a dict under "generator" or so."""
    facts: Mapping[str, Any] = field(default_factory=dict)
    """Further arguments that the networks take from their data, plain values."""
    notes: tuple[str, ...] = ()
    """Sentences for the user and the model card: what was left out, what is known of where the weights come from."""
