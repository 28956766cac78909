"""Which folder keeps the state of a user's sessions: one in the home, or a spare one while that cannot be used."""

import os
import pwd
import stat
import time
from dataclasses import dataclass
from functools import cache

SPARE_PARENT = "/var/tmp"
_KINDS = ("sessions/active", "sources")
_HISTORY = "history_database"


@dataclass(frozen=True, slots=True)
class StateHome:
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


def bring_home(home: str, session_id: str) -> str:
    """Move what an earlier process of this session kept in the spare folder; a sentence when there was something."""
    chosen, spare = state_home(home), spare_path()
    if chosen.path == spare or not _is_own_folder(spare):
        return ""
    try:
        moved = [_move(f"{spare}/{kind}", f"{chosen.path}/{kind}", f"session-{session_id[-8:]}") for kind in _KINDS]
        _append(f"{spare}/{_HISTORY}", f"{chosen.path}/{_HISTORY}")
    except OSError as error:
        return f"What was kept in {spare} cannot be brought back to the home directory: {error.strerror}."
    return f"The home directory can be used again: what was kept in {spare} was moved there." if any(moved) else ""


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
    path, old_place = _data_folder(home), f"{home}/.rstudio"
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


def _data_folder(home: str) -> str:
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
        return path if _is_own_folder(path) else ""
    except OSError:
        return ""
    return path


def _is_own_folder(path: str) -> bool:
    """Anybody may make a folder of that name before us: only a private one of our own is used."""
    try:
        found = os.lstat(path)
    except OSError:
        return False
    return stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid() and not found.st_mode & 0o077


def _move(source: str, target: str, name: str) -> bool:
    if not os.path.isdir(f"{source}/{name}"):
        return False
    import shutil  # slow to load, and R's start waits for this module

    os.makedirs(target, mode=0o700, exist_ok=True)
    if os.path.lexists(f"{target}/{name}"):
        # What was written while the home could not be used is the newer.
        os.rename(f"{target}/{name}", f"{target}/{name}.older-{time.strftime('%Y%m%d-%H%M%S')}")
    shutil.move(f"{source}/{name}", f"{target}/{name}.coming")
    os.rename(f"{target}/{name}.coming", f"{target}/{name}")
    return True


def _append(source: str, target: str) -> None:
    """Lines of all sessions of the user; taken away first, so that two sessions do not bring them twice."""
    taken = f"{source}.{os.getpid()}"
    try:
        os.rename(source, taken)
    except FileNotFoundError:
        return
    with open(taken, "rb") as lines, open(target, "ab") as history:
        history.write(lines.read())
    os.unlink(taken)
