"""What a session keeps goes along to the spare folder while the home cannot be written, and comes home again later."""

import os
import time
from contextlib import suppress

from rsession.state_home import folder_in_home, is_own_folder, spare_path, state_home

_SESSIONS, _SOURCES = "sessions/active", "sources"
_HISTORY = "history_database"
_LOCK, _MANIFEST = "lock_file", "suspended-session-data/manifest"
_MARK = "taken-along"
"""In the folder of a session that began with what the home has of it."""


class CannotTakeAlong(Exception):
    """The session would begin without its objects; the text is a sentence for the user."""


def take_along(home: str, session_id: str) -> None:
    """Copy what the home has of this session to the spare folder, unless an earlier process did; CannotTakeAlong."""
    spare = spare_path()
    if state_home(home).path != spare:
        return
    name = f"session-{session_id[-8:]}"
    try:
        for kind in (_SOURCES, _SESSIONS):
            _copy(f"{folder_in_home(home)}/{kind}/{name}", f"{spare}/{kind}/{name}")
    except OSError as error:
        raise CannotTakeAlong(
            f"The home directory {home} cannot be written at the moment, and there is no room for a copy of this"
            f" session in {spare} ({error.strerror or 'it cannot be read'}). It was not started: nothing is lost."
        ) from None


def bring_home(home: str, session_id: str) -> str:
    """Move what an earlier process of this session kept in the spare folder; a sentence when there was something."""
    chosen, spare = state_home(home), spare_path()
    if chosen.path == spare or not is_own_folder(spare):
        return ""
    name = f"session-{session_id[-8:]}"
    try:
        _merge(f"{spare}/{_SOURCES}/{name}", f"{chosen.path}/{_SOURCES}/{name}")
        told = _bring_session(f"{spare}/{_SESSIONS}/{name}", f"{chosen.path}/{_SESSIONS}/{name}", spare)
        _append(f"{spare}/{_HISTORY}", f"{chosen.path}/{_HISTORY}")
    except OSError as error:
        return f"What was kept in {spare} cannot be brought back to the home directory: {error.strerror}."
    _remove_empty(spare)
    return told


def _remove_empty(spare: str) -> None:
    for folder in (_SOURCES, _SESSIONS, os.path.dirname(_SESSIONS), ""):
        with suppress(OSError):
            os.rmdir(os.path.join(spare, folder))


def _copy(source: str, target: str) -> None:
    if not os.path.isdir(source) or os.path.lexists(target):
        return
    import shutil  # slow to load, and R's start waits for this module

    coming = f"{target}.coming"
    shutil.rmtree(coming, ignore_errors=True)
    os.makedirs(os.path.dirname(target), mode=0o700, exist_ok=True)
    try:
        shutil.copytree(source, coming, symlinks=True, ignore=shutil.ignore_patterns(_LOCK))
        os.chmod(coming, 0o700)
        with open(f"{coming}/{_MARK}", "wb"):
            pass
        os.rename(coming, target)
    except (OSError, shutil.Error) as error:
        shutil.rmtree(coming, ignore_errors=True)
        raise error if type(error) is OSError else OSError(getattr(error, "errno", None) or 0, "") from None


def _merge(source: str, target: str) -> None:
    """Documents have names of their own; of one that is at both places that of the spare folder is the newer."""
    if not os.path.isdir(source):
        return
    import shutil

    if not os.path.isdir(target):
        _place(source, target)
    else:
        for entry in os.listdir(source):
            if entry == "closed" and os.path.isdir(f"{target}/{entry}"):
                _merge(f"{source}/{entry}", f"{target}/{entry}")
            elif entry != _MARK:
                shutil.move(f"{source}/{entry}", f"{target}/.{entry}.part")
                os.rename(f"{target}/.{entry}.part", f"{target}/{entry}")
        shutil.rmtree(source)
    with suppress(FileNotFoundError):
        os.unlink(f"{target}/{_MARK}")


def _bring_session(source: str, target: str, spare: str) -> str:
    if not os.path.isdir(source):
        return ""
    now = time.strftime("%Y%m%d-%H%M%S")
    again = "The home directory can be used again:"
    if os.path.exists(f"{target}/{_MANIFEST}") and not os.path.exists(f"{source}/{_MARK}"):
        # It began with nothing, because nothing of the home could be seen: the objects there are the session's.
        beside = f"{target}.meanwhile-{now}"
        _place(source, beside)
        return f"{again} your objects are those from before. What was kept in {spare} meanwhile is in {beside}."
    if os.path.lexists(target):
        # What was written while the home could not be used is the newer.
        os.rename(target, f"{target}.older-{now}")
    _place(source, target)
    with suppress(FileNotFoundError):
        os.unlink(f"{target}/{_MARK}")
    return f"{again} what was kept in {spare} was moved there."


def _place(source: str, target: str) -> None:
    """Move a folder to another file system; it is there whole, or not at all."""
    import shutil

    os.makedirs(os.path.dirname(target), mode=0o700, exist_ok=True)
    shutil.move(source, f"{target}.coming")
    os.rename(f"{target}.coming", target)


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
