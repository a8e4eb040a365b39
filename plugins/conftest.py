"""Import ganzoo before any test: it puts the plugins that come with it on Python's path."""

import ganzoo  # noqa: F401
