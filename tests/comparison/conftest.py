"""What the tests of comparisons share."""

from evaluated import folder, run

__all__ = ["folder", "run"]
