"""Conformance checks for plugin authors: does everything that a plugin registers keep the promises of the contract?

A plugin's whole test is one line, `test_plugin = ganzoo.testing.checks("ganzoo-dcgan")`; `ganzoo check` makes the same
checks without pytest.
"""

from ganzoo.testing.check import Check, Skipped
from ganzoo.testing.suite import checks, checks_of

__all__ = ["Check", "Skipped", "checks", "checks_of"]
