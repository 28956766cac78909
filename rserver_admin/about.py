"""The verb version."""

import platform

from rserver_admin.verb import Context, Result
from rserver_core.version import VERSION


def version(_context: Context) -> Result:
    """Which version this is, and on what it runs."""
    system = _system()
    return Result(
        f"{VERSION} (rserver) for {system}",
        {"version": VERSION, "system": system, "python": platform.python_version()},
    )


def _system() -> str:
    try:
        return platform.freedesktop_os_release()["PRETTY_NAME"]
    except (OSError, KeyError):
        return platform.system()
