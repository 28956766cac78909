"""Where the objects of a session are kept between its processes, and how a store that cannot be used is set aside."""

import os
import time
from contextlib import suppress
from errno import ENOENT

NAME = "suspended-session-data"
HISTORY = "history"
FILES = "files"
UPLOADS = "uploads"
NOT_RESTORED = "not-restored"
_CONSOLE = "console"
_PLOTS = "graphics-r3"


def session_folder(state: str, session_id: str) -> str:
    """The folder of a session below the state folder; `session_id` has 8 or 21 digits."""
    return f"{state}/sessions/active/session-{session_id[-8:]}"


def holds_objects(folder: str) -> bool:
    """Whether a snapshot was completed there."""
    return os.path.lexists(f"{folder}/manifest")


def was_suspended(folder: str) -> bool:
    """Whether the process that wrote it ended on purpose."""
    return os.path.lexists(f"{folder}/suspended")


class StoreFolder:
    """The store of one session. Every method may raise OSError."""

    def __init__(self, state: str, session_id: str) -> None:
        self.session_path = session_folder(state, session_id)
        self.path = f"{self.session_path}/{NAME}"

    @property
    def holds_objects(self) -> bool:
        """A snapshot was completed there."""
        return holds_objects(self.path)

    @property
    def saved_at(self) -> float | None:
        """When its objects were written, seconds since 1970; None: there are none."""
        with suppress(OSError):
            return os.lstat(f"{self.path}/manifest").st_mtime
        return None

    @property
    def was_suspended(self) -> bool:
        """It was written by a process that ended right after."""
        return self.holds_objects and was_suspended(self.path)

    def make(self) -> None:
        """Create what is missing, for the user alone."""
        os.makedirs(self.session_path, mode=0o700, exist_ok=True)
        with suppress(FileExistsError):
            os.mkdir(self.path, mode=0o700)

    def set_aside(self, why: str, *, keeps_console: bool = False) -> str:
        """Rename the store, with everything in it (but what the console showed, if so wished); returns its new path."""
        stem = f"{self.path}.{why}-{time.strftime('%Y%m%d-%H%M%S')}"
        aside, number = stem, 1
        while os.path.lexists(aside):
            number += 1
            aside = f"{stem}-{number}"
        os.rename(self.path, aside)
        if keeps_console:
            self.make()
            _move_console(aside, self.path)
        return aside

    def take_back(self, name: str) -> None:
        """Have the store back that was set aside under that name; the present one is set aside instead."""
        wanted = f"{self.session_path}/{name}"
        if "/" in name or not name.startswith(f"{NAME}.{NOT_RESTORED}-") or not holds_objects(wanted):
            raise FileNotFoundError(ENOENT, os.strerror(ENOENT), wanted)
        aside = self.set_aside(NOT_RESTORED)
        for old in _console_files(wanted):
            os.unlink(f"{wanted}/{old}")
        _move_console(aside, wanted)
        os.rename(wanted, self.path)

    def last_aside(self, why: str) -> str:
        """Where the store was set aside last for that reason; empty: nowhere."""
        stem = f"{NAME}.{why}-"
        names = [name for name in os.listdir(self.session_path) if name.startswith(stem)]
        return f"{self.session_path}/{max(names)}" if names else ""

    def empty(self) -> None:
        """Forget the objects; what the console showed stays. The next snapshot removes what nothing names any more."""
        for name in ("manifest", "suspended"):
            with suppress(FileNotFoundError):
                os.unlink(f"{self.path}/{name}")

    def discard(self) -> None:
        """The session was ended on purpose: its objects are not wanted any more."""
        import shutil  # slow to load, and R's start waits for this module

        with suppress(FileNotFoundError):
            os.unlink(f"{self.path}/manifest")
        shutil.rmtree(self.path, ignore_errors=True)
        shutil.rmtree(f"{self.session_path}/{_PLOTS}", ignore_errors=True)
        with suppress(OSError):
            os.rmdir(self.session_path)  # unless others keep something there


def _console_files(store: str) -> list[str]:
    return [name for name in os.listdir(store) if name.startswith(_CONSOLE)]


def _move_console(old: str, new: str) -> None:
    for name in _console_files(old):
        os.rename(f"{old}/{name}", f"{new}/{name}")
