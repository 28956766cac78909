"""The real command `module`, from Debian's package in a place of its own: an installed one is in every login shell."""

import os
import shutil
import subprocess
from pathlib import Path

from tests.apt import SourceUnavailableError, cache_directory, download, run, suite_of_machine

_PLACES = ("/usr/lib/x86_64-linux-gnu/modulecmd.tcl", "/usr/share/modules", "/etc/environment-modules")
_FILES = ("usr/share/modules/init/bash", "usr/lib/x86_64-linux-gnu/modulecmd.tcl")


def modules_script() -> Path:
    """What modules-bin-path may name, readable by every account; SourceUnavailableError."""
    if shutil.which("tclsh8.6") is None:
        raise SourceUnavailableError("there is no tclsh8.6 for environment modules")
    place = Path("/var/cache/rserver-tests") if os.geteuid() == 0 else cache_directory()
    home = place / "environment-modules"
    if not home.is_dir():
        _make(home)
    return home / _FILES[0]


def _make(home: Path) -> None:
    work = cache_directory() / f"modules.{os.getpid()}"
    try:
        download(work, suite_of_machine(), "deb", ["download", "-qq", "environment-modules"])
        root = work / "root"
        for package in work.glob("*.deb"):
            run(["dpkg-deb", "--extract", str(package), str(root)], work)
        for name in _FILES:
            text = (root / name).read_text(encoding="utf-8")
            for place in _PLACES:
                text = text.replace(place, f"{home}{place}")
            (root / name).write_text(text, encoding="utf-8")
        home.parent.mkdir(parents=True, exist_ok=True)
        shutil.move(root, home)
    except (OSError, subprocess.SubprocessError) as error:
        raise SourceUnavailableError(str(error)) from error
    finally:
        shutil.rmtree(work, ignore_errors=True)
