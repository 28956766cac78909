"""Which folder keeps the state of a user's sessions: one in the home, or a spare one while that cannot be used."""

import os
import pwd
import stat
from functools import cache
from typing import NamedTuple

SPARE_PARENT = "/var/tmp"


class StateHome(NamedTuple):
    """The folder, and a sentence for the user unless it is the usual one in a usable home."""

    path: str
    complaint: str = ""


@cache
def state_home(home: str) -> StateHome:
    """Decided once in a process, so that all its parts write to the same place."""
    path = _in_home(home)
    fault = _fault(path)
    if not fault:
        return StateHome(path)
    spare = _spare()
    if spare:
        return StateHome(spare, f"{_unusable(home, fault)} What this session keeps is kept in {spare} meanwhile.")
    return StateHome(path, f"{_unusable(home, fault)} Nothing can be kept: neither objects nor the text of scripts.")


def spare_path() -> str:
    """Of this user; by name and number, so that an account that gets an old number does not find another's."""
    uid = os.getuid()
    try:
        name = pwd.getpwuid(uid).pw_name
    except KeyError:
        name = "unknown"
    return f"{SPARE_PARENT}/rserver-{name}-{uid}"


def _in_home(home: str) -> str:
    """Where RStudio has it today; what an old RStudio left in `~/.rstudio` is moved there once."""
    path, old_place = folder_in_home(home), f"{home}/.rstudio"
    if os.path.islink(old_place) or not os.path.isdir(old_place) or os.path.lexists(path):
        return path
    try:
        os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
        os.rename(old_place, path)
    except FileNotFoundError:  # another session of the user was faster
        return path
    except OSError:
        return old_place
    return path


def folder_in_home(home: str) -> str:
    """Named as RStudio's variables say; a relative path counts as none, as the XDG specification wants it."""
    for name, below in (("RSTUDIO_DATA_HOME", ""), ("XDG_DATA_HOME", "/rstudio")):
        if (given := os.environ.get(name, "")).startswith("/"):
            return given + below
    return f"{home}/.local/share/rstudio"


def _fault(path: str) -> str:
    """Why nothing can be written there; empty when it can."""
    try:
        os.makedirs(path, mode=0o700, exist_ok=True)
    except FileExistsError:
        return f"{path} is no directory"
    except OSError as error:
        return f"{error.strerror}: {error.filename}"
    return "" if os.access(path, os.W_OK | os.X_OK) else f"{path} cannot be written"


def _unusable(home: str, fault: str) -> str:
    return f"The home directory {home} cannot be used as it should be ({fault})."


def _spare() -> str:
    path = spare_path()
    try:
        os.mkdir(path, mode=0o700)
    except FileExistsError:
        return path if is_own_folder(path) else ""
    except OSError:
        return ""
    return path


def is_own_folder(path: str) -> bool:
    """Anybody may make a folder of that name before us: only a private one of our own is used."""
    try:
        found = os.lstat(path)
    except OSError:
        return False
    return stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid() and not found.st_mode & 0o077
