"""The version of ganzoo; packaging and the program both read it here."""

__version__ = "0.1.0"
