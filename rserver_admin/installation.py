"""Where the programs lie that this command starts, and the environment they get."""

import os
import sys
from collections.abc import Mapping

ROOT = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))
RSERVER = os.path.join(ROOT, "rserver", "__main__.py")
RSESSION = os.path.join(ROOT, "rsession", "__main__.py")
RSESSION_RUN = os.path.join(ROOT, "rsession_run.sh")
WEB_PAGE = os.path.join(ROOT, "ide", "dist", "index.html")


def python(program: str) -> list[str]:
    """The argv that runs one of our programs, isolated from the caller's Python settings."""
    return [sys.executable, "-I", "-S", program]


def environment(environ: Mapping[str, str]) -> dict[str, str]:
    """environ without what would make the server believe that systemd watches it."""
    return {name: value for name, value in environ.items() if name not in {"INVOCATION_ID", "NOTIFY_SOCKET"}}
