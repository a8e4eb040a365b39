"""Virtual environments in which the tests install, and which see what the tests see."""

import subprocess
import sys
import sysconfig
from pathlib import Path


def site_packages(environment: Path) -> Path:
    """Where a virtual environment of this Python has its packages."""
    return Path(sysconfig.get_path("purelib", vars={"base": environment}))


def see_ours(environment: Path, more: str = "") -> None:
    """Have an environment see the packages of this one behind its own: those need not be the system's."""
    line = f"import site; site.addsitedir({sysconfig.get_path('purelib')!r})\n"
    (site_packages(environment) / "zz_parent.pth").write_text(line + more)


def make_without_ours(environment: Path) -> Path:
    """Make a virtual environment that has all packages of this one but ganzoo and its plugins; return its Python.

    They are links, in real folders where uv wants these: pip and uv find them installed, and nothing is copied.
    """
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", environment], check=True, timeout=100)
    for package in {each for kind in ("purelib", "platlib") for each in Path(sysconfig.get_path(kind)).iterdir()}:
        if "ganzoo" not in package.name and package.suffix != ".pth" and package.name != "__pycache__":
            link(package, site_packages(environment) / package.name)
    return environment / "bin" / "python"


def link(package: Path, target: Path) -> None:
    """Link a package or a module; of a folder with metadata, each file in it."""
    if package.suffix != ".dist-info":
        target.symlink_to(package)
        return
    target.mkdir()
    for file in package.iterdir():
        (target / file.name).symlink_to(file)
