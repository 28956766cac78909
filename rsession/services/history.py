"""The user's command history: `history_database` of the state folder, lines `<milliseconds>:<command>`."""

import os
import re
import time
from collections import deque
from contextlib import suppress
from pathlib import Path

from twisted.logger import Logger
from twisted.python.failure import Failure

from rsession.error_code import ErrorCode, RpcError
from rsession.rpc_method import Param
from rsession.service_api import ServiceApi
from rsession.services.background import Background, in_thread

_log = Logger()
_LINE = re.compile(r"(\d{1,16}):(.*)")
_ROTATE_BYTES = 750 * 1024
_KEPT = 5000
_AT_START = 500
_LONGEST = 10_000
_FLUSH_SECONDS = 0.2


class History:
    """Commands in memory, oldest first, and appended to the file in small batches, as all sessions do."""

    def __init__(self, api: ServiceApi, background: Background = in_thread) -> None:
        self._path = api.paths.state / "history_database"
        self._clock = api.clock
        self._background = background
        self._commands = deque(read_commands(self._path), _KEPT)
        self._unwritten: list[str] = []
        self._is_writing = False

    def recent(self, limit: int) -> list[str]:
        """The last `limit` commands, oldest first."""
        return list(self._commands)[-limit:]

    def add(self, line: str, is_kept: bool) -> None:
        """A line that was given to R, if its prompt wants it in the history."""
        command = line.replace("\r", " ").replace("\n", " ").rstrip()
        if not is_kept or not command or len(command) > _LONGEST:
            return
        self._commands.append(command)
        self._unwritten.append(f"{int(time.time() * 1000)}:{command}\n")
        if len(self._unwritten) == 1 and not self._is_writing:
            self._clock.callLater(_FLUSH_SECONDS, self._flush)

    def write(self) -> None:
        """Write what is left at once."""
        lines, self._unwritten = self._unwritten, []
        with suppress(OSError):
            append_lines(self._path, lines)

    def _flush(self) -> None:
        lines, self._unwritten = self._unwritten, []
        if lines:
            self._is_writing = True
            self._background(append_lines, self._path, lines).addBoth(self._flushed)

    def _flushed(self, result: object) -> None:
        self._is_writing = False
        if isinstance(result, Failure):
            _log.warn("the history cannot be written: {reason}", reason=result.getErrorMessage())
        if self._unwritten:
            self._clock.callLater(_FLUSH_SECONDS, self._flush)


def register(api: ServiceApi) -> None:
    """Enter `get_history`."""
    history = History(api)

    @api.rpc.method("get_history", Param("limit", "integer", _AT_START))
    def get_history(limit: int) -> list[str]:
        """The last commands (at most 5000), oldest first."""
        if not 1 <= limit <= _KEPT:
            raise RpcError(ErrorCode.PARAM_INVALID, f"limit must be 1 to {_KEPT}")
        return history.recent(limit)

    api.on_input(history.add)
    api.on_snapshot(history.write)
    api.on_end(history.write)
    api.add_to_client_init("history", lambda: history.recent(_AT_START))


def read_commands(path: Path) -> list[str]:
    """Commands of the database and of the one before it; what cannot be read is left out."""
    text = "".join(_tail(file) for file in (path.with_name(path.name + ".1"), path))
    found = (_LINE.fullmatch(line) for line in text.split("\n"))
    return [match[2] for match in found if match is not None][-_KEPT:]


def append_lines(path: Path, lines: list[str]) -> None:
    """Append, after setting a file aside that has grown beyond 750 KB. Raises OSError."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with suppress(FileNotFoundError):
        if path.stat().st_size > _ROTATE_BYTES:
            path.rename(path.with_name(path.name + ".1"))
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write("".join(lines).encode("utf-8", "replace"))


def _tail(path: Path) -> str:
    try:
        with path.open("rb") as file:
            file.seek(max(0, os.fstat(file.fileno()).st_size - 2 * _ROTATE_BYTES))
            return file.read(2 * _ROTATE_BYTES).decode("utf-8", "replace")
    except OSError:
        return ""
