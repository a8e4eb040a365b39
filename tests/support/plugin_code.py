"""Plugins in short, whole and broken, and what the catalog says of them."""

from ganzoo.plugins.catalog import catalog

GOOD = """
    import ganzoo

    @ganzoo.hookimpl
    def register_architectures(register):
        register("tiny", generator="{0}.networks:G", discriminator="{0}.networks:D")

    @ganzoo.hookimpl
    def register_losses(register):
        register("gentle", "{0}.losses:Gentle")
"""


LOSS = """
import ganzoo

@ganzoo.hookimpl
def register_losses(register):
    register("{0}", "a:B")
"""
COUNTED = "open({0!r}, 'a').write('x')\n"
"""Counts in a file how often it is loaded."""


CALLBACK = """
    import ganzoo

    @ganzoo.hookimpl
    def register_callbacks(register):
        register("bell", "{0}.callbacks:Bell")
"""


def plugin(distribution):
    return next(p for p in catalog().plugins if p.distribution == distribution)


def entry_points(site, module, **entries):
    """Give an installed distribution these entry points instead of its own."""
    lines = [f"{name} = {value}" for name, value in entries.items()]
    (site.folder / f"{module}-1.0.dist-info" / "entry_points.txt").write_text("\n".join(["[ganzoo]", *lines]))


def recipe(site, path):
    """Leave a file there, with the folders that it takes."""
    file = site.folder / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("# A game.\n")
    return file
