"""What RStudio's tools read about a session: one file per property below its folder, with RStudio's names and values.

The folder is called `properites` there, and so it is here. Nothing of ours reads these files.
"""

import os
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from twisted.logger import Logger
from twisted.python.failure import Failure

from rsession.services.background import Background, in_thread
from rsession.working_directory import working_directory

if TYPE_CHECKING:
    from rsession.session import Session

FLUSH_SECONDS = 10.0
_SUSPENDED = 101
_CRASHED = 70
"""From here on exit codes mean that the session may come back."""

_log = Logger()


class SessionProperties:
    """The files of one session; changes are written some seconds later and together."""

    def __init__(self, session: "Session", folder: Path, background: Background = in_thread) -> None:
        self._session, self._folder, self._background = session, folder, background
        self._changed: dict[str, str] = {}
        self._is_due = False

    def begin(self, r_home: str, r_version: str, r_label: str = "") -> None:
        """The process starts."""
        project = self._session.project
        now = _milliseconds()
        given = {} if (self._folder / "created").exists() else {"created": now, "initial": "1"}
        self.set(
            given
            | {"last_resumed": now, "last-used": now, "running": "1", "executing": "0", "editor": "rstudio"}
            | {"r-version": r_version, "r-version-home": r_home, "r-version-label": r_label}
            | {"working-dir": _folder_shown()}
            | {"project": _shown(project.folder) if project else "none", "activity_state": "running"}
            | {"suspend_timestamp": "", "blocking_suspend": ""}
        )

    def set(self, values: Mapping[str, str]) -> None:
        """Write these soon."""
        self._changed |= values
        if not self._is_due:
            self._is_due = True
            self._session.clock.callLater(FLUSH_SECONDS, self._flush)

    def typed(self) -> None:
        """R was given a line."""
        self.set({"executing": "1", "last-used": _milliseconds()})

    def prompted(self) -> None:
        """R waits at its prompt."""
        self.set({"executing": "0", "working-dir": _folder_shown()})

    def end(self) -> None:
        """The process ends: files of a session that may come back stay, those of one that was quit go."""
        status = self._session.ending.exit_status or 0
        with suppress(OSError):
            if status >= _CRASHED:
                suspended = {"suspend_timestamp": _milliseconds(), "activity_state": "suspended"}
                write(self._folder, self._changed | {"running": "0"} | (suspended if status == _SUSPENDED else {}))
            elif self._folder.is_dir():
                import shutil  # slow to load, and seldom needed

                shutil.rmtree(self._folder)
                self._folder.parent.rmdir()

    def _flush(self) -> None:
        self._is_due = False
        changed, self._changed = self._changed, {}
        if not self._session.has_ended:
            self._background(write, self._folder, changed).addErrback(self._not_written, changed)

    def _not_written(self, failure: Failure, changed: Mapping[str, str]) -> None:
        """They are written with the next change."""
        _log.debug("properties: {reason}", reason=failure.getErrorMessage())
        self._changed = {**changed, **self._changed}


def register(session: "Session", r_home: str, r_version: str, r_label: str) -> None:
    """Keep the files of this session from now on."""
    folder = session.paths.state / "sessions" / "active" / f"session-{session.paths.session_id}" / "properites"
    properties = SessionProperties(session, folder)
    properties.begin(r_home, r_version, r_label)
    session.on_input(lambda _line, _is_history: properties.typed())
    session.on_prompt(properties.prompted)
    session.on_end(properties.end)


def write(folder: Path, values: Mapping[str, str]) -> None:
    """Each aside and renamed; raises OSError. Blocking."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
    for name, value in values.items():
        aside = folder / f".{name}.part"
        try:
            with open(os.open(aside, flags, 0o600), "w", encoding="utf-8", errors="surrogateescape") as file:
                file.write(value)
            aside.rename(folder / name)
        except OSError:
            aside.unlink(missing_ok=True)
            raise


def _milliseconds() -> str:
    return str(int(time.time() * 1000))


def _folder_shown() -> str:
    return _shown(working_directory())


def _shown(path: str) -> str:
    home = os.path.expanduser("~")
    return "~" + path[len(home) :] if path == home or path.startswith(f"{home}/") else path
