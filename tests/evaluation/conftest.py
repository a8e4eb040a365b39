"""What the tests of measurements share."""

from evaluated import folder, run

__all__ = ["folder", "run"]
