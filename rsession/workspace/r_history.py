"""The lines that `history()` shows, as R's own front end keeps them: from `.Rhistory`, and back to it at the end."""

import os
from collections import deque
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from twisted.logger import Logger
from twisted.python.failure import Failure

from rsession import _shim
from rsession.questions import answer_question
from rsession.services.background import in_thread
from rsession.services.disk_file import replace_file, write_private
from rsession.working_directory import working_directory

if TYPE_CHECKING:
    from collections.abc import Callable

    from rsession.session import Session
    from rsession.workspace.save_policy import SavePolicy

_log = Logger()
_LINES = 512
_MOST_LINES = 1 << 20
_LONGEST = 1 << 20
_MOST_BYTES = 64 << 20
_FLUSH_SECONDS = 0.2


class RHistory:
    """`kept` is the session's own copy: it outlives a suspension and a crash, and goes when R is quit."""

    def __init__(self, session: "Session", kept: Path, policy: "Callable[[], SavePolicy]") -> None:
        self._session = session
        self._kept = kept
        self._policy = policy
        self._file = history_file(session.environment.get("R_HISTFILE", ""))
        self._lines = deque(_read(kept) or _read(self._file), line_limit(session.environment.get("R_HISTSIZE", "")))
        self._unwritten: list[str] = []
        self._is_writing = False
        self.image_was_saved = False
        session.on_input(self._add)
        session.on_snapshot(self._write)
        for type_, answer in (("history_save", self._save), ("history_load", self._load), ("history_add", self._stamp)):
            answer_question(session, _shim, type_, answer)

    def end(self) -> None:
        """R ends; at once, and without complaint: the copy of the session stays when the file cannot be written."""
        if not self._session.ending.was_quit:
            self._write()
            return
        try:
            if self._policy().always_saves_history or self.image_was_saved:
                replace_file(self._file, _text(self._lines))
            self._kept.unlink(missing_ok=True)
        except OSError as error:
            _log.warn("the history was not written to {file}: {reason}", file=str(self._file), reason=error.strerror)

    def _write(self) -> None:
        lines, self._unwritten = self._unwritten, []
        with suppress(OSError):
            _append(self._kept, lines)

    def _add(self, line: str, is_history: bool) -> None:
        if is_history and line and len(line) <= _LONGEST:
            self._remember(line)

    def _remember(self, line: str) -> None:
        self._lines.append(line)
        self._unwritten.append(line)
        if len(self._unwritten) == 1 and not self._is_writing:
            self._session.clock.callLater(_FLUSH_SECONDS, self._flush)

    def _flush(self) -> None:
        lines, self._unwritten = self._unwritten, []
        if lines and not self._session.has_ended:
            self._is_writing = True
            in_thread(_append, self._kept, lines).addBoth(self._flushed)

    def _flushed(self, result: object) -> None:
        self._is_writing = False
        if isinstance(result, Failure):
            _log.debug("the session's copy of the history: {reason}", reason=result.getErrorMessage())
        if self._unwritten:
            self._session.clock.callLater(_FLUSH_SECONDS, self._flush)

    # What R asks

    def _save(self, path: str) -> str:
        try:
            replace_file(Path(path), _text(self._lines))
        except OSError as error:
            return f"cannot write the history to '{path}': {error.strerror}"
        return ""

    def _load(self, path: str) -> str:
        try:
            lines = _lines_of(Path(path))
        except OSError as error:
            return f"cannot read the history from '{path}': {error.strerror}"
        self._lines.clear()
        self._lines.extend(lines)
        self._unwritten.clear()
        with suppress(OSError):
            write_private(self._kept, _text(self._lines))
        return ""

    def _stamp(self, line: str) -> str:
        self._remember(line.replace("\n", " "))
        return ""


def history_file(named: str) -> Path:
    """`R_HISTFILE`, or `.Rhistory` in the folder where the session begins."""
    return Path(working_directory() or "/", os.path.expanduser(named) if named else ".Rhistory")


def line_limit(text: str) -> int:
    """`R_HISTSIZE`; R's own default when that is no number."""
    return min(int(text), _MOST_LINES) if text.isascii() and text.isdigit() and int(text) > 0 else _LINES


def _read(path: Path) -> list[str]:
    with suppress(OSError):
        return _lines_of(path)
    return []


def _lines_of(path: Path) -> list[str]:
    with path.open("rb") as file:
        file.seek(max(0, os.fstat(file.fileno()).st_size - _MOST_BYTES))
        text = file.read(_MOST_BYTES).decode("utf-8", "replace")
    return [line for line in text.split("\n") if line]


def _text(lines: Iterable[str]) -> bytes:
    return "".join(f"{line}\n" for line in lines).encode("utf-8", "replace")


def _append(path: Path, lines: list[str]) -> None:
    if not lines:
        return
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(_text(lines))
