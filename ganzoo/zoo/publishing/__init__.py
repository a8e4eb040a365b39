"""Models on their way out: to a repository on the Hub, or into a package, each with its card and registry entry.

Pulling is in `ganzoo.zoo.hub`; samples as files are in `ganzoo.zoo.export`.
"""

import ganzoo.zoo.hub  # noqa: F401  # first: it looks at the variables that the Hub's client reads
