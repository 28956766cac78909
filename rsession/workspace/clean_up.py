"""Folders that nobody needs any more: of sessions struck off the list, and stores set aside. Blocking."""

import os
import re
import shutil
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from rsession.services.source_database import SourceDatabase
from rsession.session_lock import LockedElsewhere, SessionLock
from rsession.workspace.folder import FILES, HISTORY, NAME, UPLOADS, session_folder

MOST_ASIDE = 3
ASIDE_SECONDS = 30 * 86400.0
_ID = re.compile(r"[0-9a-f]{8}")
_ASIDE = re.compile(re.escape(NAME) + r"\.[a-z-]+-\d{8}-\d{6}(-\d+)?")
_FOLDERS = (NAME, "graphics-r3", "properites", FILES, UPLOADS)
_FILES = (HISTORY, "restart")


def ids_of(text: str, own: str) -> list[str]:
    """From the server's list, eight digits each, with commas between; never the session itself."""
    return [left for left in text.split(",") if _ID.fullmatch(left) and left != own[-8:]]


def remove_sessions(state: Path, ids: Iterable[str]) -> None:
    """Their objects, plots, history and documents; not the text of documents that is saved nowhere else.

    A session that lives on another machine of the same home stays as it is.
    """
    for left in ids:
        folder = Path(session_folder(str(state), left))
        if folder.is_dir():
            _remove_session(folder)
        _remove_documents(state / "sources" / f"session-{left}")


def _remove_session(folder: Path) -> None:
    lock = SessionLock(str(folder))
    if lock.is_held:
        return
    with suppress(OSError, LockedElsewhere):
        lock.take()
        for name in _FOLDERS:
            shutil.rmtree(folder / name, ignore_errors=True)
        for name in _FILES:
            (folder / name).unlink(missing_ok=True)
        prune_asides(folder)
        lock.release()


def _remove_documents(folder: Path) -> None:
    database = SourceDatabase(folder)
    if folder.is_symlink() or not folder.is_dir():
        return
    database.forget_closed()
    with suppress(OSError):
        for document in database.load():
            if not document.is_dirty and (document.path is not None or not document.text):
                database.remove(document.id)
        (folder / "view").unlink(missing_ok=True)
        folder.rmdir()


def prune_asides(folder: Path, now: float | None = None) -> None:
    """Stores that were set aside in a session's folder: the newest stays, others while they are few and young."""
    moment = time.time() if now is None else now
    with suppress(OSError):
        asides = [path for path in folder.iterdir() if _ASIDE.fullmatch(path.name) and not path.is_symlink()]
        for number, path in enumerate(sorted(asides, key=_set_aside, reverse=True)):
            if number >= MOST_ASIDE or (number > 0 and moment - _set_aside(path) > ASIDE_SECONDS):
                shutil.rmtree(path, ignore_errors=True)


def _set_aside(path: Path) -> float:
    """Seconds since 1970, from the name."""
    stamp = re.search(r"\d{8}-\d{6}", path.name)
    try:
        return time.mktime(time.strptime(stamp.group(), "%Y%m%d-%H%M%S")) if stamp else 0.0
    except (ValueError, OverflowError):
        return os.lstat(path).st_mtime
