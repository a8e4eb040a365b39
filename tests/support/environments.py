"""Virtual environments in which the tests install, and which see what the tests see."""

import sysconfig
from pathlib import Path


def site_packages(environment: Path) -> Path:
    """Where a virtual environment of this Python has its packages."""
    return Path(sysconfig.get_path("purelib", vars={"base": environment}))


def see_ours(environment: Path, more: str = "") -> None:
    """Have an environment see the packages of this one behind its own: those need not be the system's."""
    line = f"import site; site.addsitedir({sysconfig.get_path('purelib')!r})\n"
    (site_packages(environment) / "zz_parent.pth").write_text(line + more)
