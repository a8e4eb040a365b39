"""`python -m ganzoo` is the command `ganzoo`."""

from ganzoo.cli.main import main

main()
