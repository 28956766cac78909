"""A second real R of another version: R 4.0.4, from the packages of Debian 11, moved to a place of its own.

Built by nobody here, so it is ready in seconds; what its packages were linked with and this machine has not lies in
its lib folder.
"""

import os
import re
import shutil
import subprocess
from pathlib import Path

from tests.apt import SourceUnavailableError, cache_directory, download, run

VERSION = "4.0.4"
_SUITE = "bullseye"
_PACKAGES = ("r-base-core", "libicu67", "libtiff5", "libwebp6")


def other_r() -> Path:
    """Its home, which every account can read; SourceUnavailableError."""
    # Sessions of other accounts run it, and those cannot enter root's own cache folder.
    parent = cache_directory() if os.geteuid() else Path("/var/cache/rserver-tests")
    home = parent / "R" / VERSION
    if not home.is_dir():
        _make(home)
    return home


def _make(home: Path) -> None:
    home.parent.mkdir(parents=True, exist_ok=True)
    work = cache_directory() / f"{_SUITE}.{os.getpid()}"
    try:
        download(work, _SUITE, "deb", ["download", "-qq", *(f"{package}/{_SUITE}" for package in _PACKAGES)])
        root = work / "root"
        for package in work.glob("*.deb"):
            run(["dpkg-deb", "--extract", str(package), str(root)], work)
        _move(root, work / "home", home)
        _check(work / "home", home)
    except (OSError, subprocess.SubprocessError) as error:
        raise SourceUnavailableError(str(error)) from error
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _move(root: Path, made: Path, home: Path) -> None:
    """As the R of `make install`: everything below one home, named in its start script."""
    shutil.copytree(root / "usr/lib/R", made, symlinks=True, ignore=shutil.ignore_patterns("COPYING"))
    for name in ("share", "include", "doc"):
        shutil.copytree(root / "usr/share/R" / name, made / name, symlinks=True)
    for name in ("Makeconf", "Renviron", "Renviron.site", "Rprofile.site", "ldpaths", "repositories"):
        (made / "etc" / name).unlink(missing_ok=True)
    shutil.copytree(root / "etc/R", made / "etc", dirs_exist_ok=True)
    shutil.copy(made / "etc" / "Renviron.orig", made / "etc" / "Renviron")
    for library in (root / "usr/lib/x86_64-linux-gnu").glob("*.so.*"):
        shutil.copy2(library, made / "lib", follow_symlinks=False)
    script = made / "bin" / "R"
    text = re.sub(r"^R_HOME_DIR=.*$", f"R_HOME_DIR={home}", script.read_text(), count=1, flags=re.MULTILINE)
    script.write_text(text.replace("=/usr/share/R/", f"={home}/"))


def _check(made: Path, home: Path) -> None:
    if home.exists():
        return
    shutil.copytree(made, home.with_name(f"{home.name}.{os.getpid()}"), symlinks=True)
    home.with_name(f"{home.name}.{os.getpid()}").rename(home)
    said = subprocess.run([home / "bin" / "R", "--version"], capture_output=True, text=True, timeout=60, check=True)
    if f"R version {VERSION} " not in said.stdout:
        shutil.rmtree(home)
        raise SourceUnavailableError(f"the R of Debian {_SUITE} does not run here: {said.stdout}{said.stderr}")
