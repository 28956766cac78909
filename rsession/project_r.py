"""Which R the project of a session wants: by its `.Rproj`, else the one that it ran last."""

import os
from contextlib import suppress

from rserver_core.options.rsession import RsessionSettings
from rserver_core.r_version import MOST_CHARACTERS
from rsession.projects.folder import CannotOpen, open_project
from rsession.state_home import state_home


def wish_of_project(settings: RsessionSettings) -> str:
    """As an RWish; empty when there is no project, or it does not care."""
    if not settings.project:
        return ""
    try:
        written = open_project(settings.project).options.r_version
    except CannotOpen:
        return ""
    return written or _remembered(settings)


def remember(settings: RsessionSettings, key: str) -> None:
    """Keep which R the project ran; what cannot be kept is no harm."""
    if not settings.project:
        return
    path = _path(settings)
    with suppress(OSError):
        os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
        aside = f"{path}.{os.getpid()}"
        with open(aside, "w", encoding="utf-8") as file:
            file.write(key + "\n")
            file.flush()
            os.fsync(file.fileno())
        os.rename(aside, path)


def _remembered(settings: RsessionSettings) -> str:
    try:
        with open(_path(settings), encoding="utf-8", errors="replace") as file:
            return file.read(MOST_CHARACTERS + 1).strip()
    except OSError:
        return ""


def _path(settings: RsessionSettings) -> str:
    """By the project's id, which stands between the owner's and the session's in the session id."""
    home = os.path.expanduser("~")
    return f"{state_home(home).path}/rversion-settings/{settings.session_id[5:13]}-RVersion"
