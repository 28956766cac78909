"""Files of one session in the run directory: socket, record, how it ended (docs/reference/internal-protocols.md §2)."""

import contextlib
import json
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from rserver_core.launch_wire import BadRequest, SessionRecord
from rserver_core.saved_time import LEFT_CODES, saved_at
from rserver_core.session_id import is_session_id
from rserver_process.memory_end import MemoryEnd

TAIL_BYTES = 8192
ADMINISTRATOR = "administrator"
_MAX_FILE = 1 << 18
_MAX_SOCKET_PATH = 107


class RunDirectoryError(Exception):
    """The run directory cannot be used; the text says why."""


@dataclass(frozen=True, slots=True)
class SessionExit:
    """How a session's process ended: exit code or signal (both None when nobody saw it) and the end of its stderr.

    memory: when the kernel ended it for want of memory; checkpoint: when it last saved its objects, as it says itself,
    in seconds since 1970; by: who had it killed, ADMINISTRATOR or empty.
    """

    session: str
    pid: int
    code: int | None
    signal: int | None
    stderr_tail: str
    memory: MemoryEnd | None = None
    checkpoint: float | None = None
    by: str = ""

    def to_json(self) -> dict[str, Any]:
        """The fields of the `exited` event."""
        return {
            "session": self.session,
            "pid": self.pid,
            "code": self.code,
            "signal": self.signal,
            "stderr_tail": self.stderr_tail,
            "memory": self.memory.to_json() if self.memory else None,
            "checkpoint": self.checkpoint,
            "by": self.by,
        }

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> "SessionExit":
        """From the event of a process that we trust; KeyError when something is missing."""
        memory = MemoryEnd.from_json(value.get("memory"))
        return cls(
            value["session"],
            value["pid"],
            value["code"],
            value["signal"],
            value["stderr_tail"],
            memory,
            _seconds(value),
            _by(value),
        )


class RunRecords:
    """The folder sessions/ below the run directory."""

    def __init__(self, run_dir: str) -> None:
        self.run_dir = run_dir
        self.folder = os.path.join(run_dir, "sessions")

    def prepare(self) -> None:
        """Make the folder: 0711 for root, else 0700. RunDirectoryError: another's, a link, or too long a path."""
        if len(os.fsencode(self.socket("0" * 21))) > _MAX_SOCKET_PATH:
            raise RunDirectoryError(f"{self.folder} is too long a path for sockets")
        mode = 0o711 if os.geteuid() == 0 else 0o700
        with contextlib.suppress(FileExistsError):
            os.mkdir(self.folder, mode)
        found = os.lstat(self.folder)
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid():
            raise RunDirectoryError(f"{self.folder} is no directory of ours")
        os.chmod(self.folder, mode)

    def socket(self, session: str) -> str:
        """Path of the session's socket."""
        return os.path.join(self.folder, f"{session}.sock")

    def checkpoint(self, session: str) -> float | None:
        """When its objects were saved that would come back: the time of its socket, which it sets; None before.

        0: it has objects, and none are saved.
        """
        told = self._told(session)
        return None if told is None else saved_at(told)

    def left_code(self, session: str) -> int | None:
        """The exit code of a session that said that its objects are on the disk: in the same place as `checkpoint`."""
        told = self._told(session)
        return int(told) if told in LEFT_CODES and told is not None else None

    def _told(self, session: str) -> float | None:
        with contextlib.suppress(OSError):
            return os.lstat(self.socket(session)).st_mtime or None
        return None

    def write_record(self, record: SessionRecord) -> None:
        """Replace the session's record."""
        # The process does not outlive the machine, and its start would wait for the disk.
        self._write(f"{record.session}.json", record.to_json(), on_disk=False)

    def restore(self, record: SessionRecord) -> None:
        """Write the session's record again if it was removed."""
        if not os.path.lexists(os.path.join(self.folder, f"{record.session}.json")):
            self.write_record(record)

    def write_order(self, record: SessionRecord) -> None:
        """Note that an administrator has this process killed, for whoever sees its end; OSError."""
        self._write(f"{record.session}.order", {"pid": record.pid, "by": ADMINISTRATOR})

    def ordered_by(self, session: str, pid: int) -> str:
        """Who had this process of the session killed; empty: nobody."""
        order = self._read(f"{session}.order") or {}
        return _by(order) if order.get("pid") == pid else ""

    def write_exit(self, end: SessionExit, ended: float) -> None:
        """Replace the note how the session ended; ended in seconds since 1970."""
        content = end.to_json()
        del content["session"]
        self._write(f"{end.session}.exit", {**content, "ended": ended})

    def records(self) -> Iterator[SessionRecord]:
        """Every readable record."""
        for name in sorted(os.listdir(self.folder)):
            session, dot, kind = name.partition(".")
            if dot and kind == "json" and is_session_id(session) and (record := self.record(session)):
                yield record

    def record(self, session: str) -> SessionRecord | None:
        """The session's record, or None when there is none that can be read."""
        with contextlib.suppress(BadRequest):
            content = self._read(f"{session}.json")
            record = SessionRecord.from_json(content) if content else None
            return record if record and record.session == session else None
        return None

    def exit(self, record: SessionRecord) -> SessionExit | None:
        """How that session ended, when its keeper wrote it down."""
        content = self._read(f"{record.session}.exit")
        return None if content is None else _end(record.session, record.pid, content)

    def ends(self) -> Iterator[SessionExit]:
        """How sessions ended that have no record any more, those that ended first first."""
        found = []
        for name in os.listdir(self.folder):
            session, dot, kind = name.partition(".")
            if dot and kind == "exit" and is_session_id(session) and self.record(session) is None:
                content = self._read(name) or {}
                pid, ended = content.get("pid"), content.get("ended")
                if isinstance(pid, int) and isinstance(ended, float):
                    found.append((ended, _end(session, pid, content)))
        yield from (end for _, end in sorted(found, key=lambda each: each[0]))

    def forget(self, session: str) -> None:
        """Remove the record; the note of the end stays."""
        for kind in ("json", "order"):
            self.remove(f"{session}.{kind}")

    def forget_end(self, session: str) -> None:
        """Remove the note of the end."""
        self.remove(f"{session}.exit")

    def remove(self, name: str) -> None:
        """Remove one file of the folder; it may be gone already."""
        with contextlib.suppress(FileNotFoundError):
            os.unlink(os.path.join(self.folder, name))

    def _write(self, name: str, content: dict[str, Any], *, on_disk: bool = True) -> None:
        path = os.path.join(self.folder, name)
        aside = f"{path}.{os.getpid()}"
        fd = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        try:
            data = memoryview(json.dumps(content).encode("ascii"))
            while data:
                data = data[os.write(fd, data) :]
            if on_disk:
                os.fsync(fd)
        finally:
            os.close(fd)
        os.rename(aside, path)

    def _read(self, name: str) -> dict[str, Any] | None:
        try:
            fd = os.open(os.path.join(self.folder, name), os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
        except OSError:
            return None
        with open(fd, encoding="utf-8", errors="replace") as file:
            try:
                content = json.loads(file.read(_MAX_FILE))
            except ValueError:
                return None
        return content if isinstance(content, dict) else None


def _end(session: str, pid: int, content: dict[str, Any]) -> SessionExit:
    code, number, tail = content.get("code"), content.get("signal"), content.get("stderr_tail")
    return SessionExit(
        session,
        pid,
        code if isinstance(code, int) else None,
        number if isinstance(number, int) else None,
        tail if isinstance(tail, str) else "",
        MemoryEnd.from_json(content.get("memory")),
        _seconds(content),
        _by(content),
    )


def _seconds(content: dict[str, Any]) -> float | None:
    value = content.get("checkpoint")
    return value if isinstance(value, float) else None


def _by(content: dict[str, Any]) -> str:
    return ADMINISTRATOR if content.get("by") == ADMINISTRATOR else ""
