"""The audit log of sign-ins: one JSON object per line, to a file and to the log."""

import json
import os
import time
from collections.abc import Callable
from pathlib import Path

from twisted.logger import Logger

from rserver.worker_threads import WorkerThreads

FILE_NAME = "audit/sign-in.log"
MAX_BYTES = 16 << 20
MAX_NAME = 64

_log = Logger()


class AuditLog:
    """Appends to a file on a thread of its own; it is opened for every line, so that it may be moved away."""

    def __init__(self, threads: WorkerThreads, path: str, clock: Callable[[], float] = time.time) -> None:
        self._threads, self._path, self._clock = threads, path, clock

    def record(self, event: str, *, user: str, address: str, reason: str = "", **more: str | int) -> None:
        """One line: event, user as typed (shortened), address, real reason. Never a password."""
        entry = {"time": round(self._clock(), 3), "event": event, "user": user[:MAX_NAME], "address": address[:64]}
        entry |= {"reason": reason[:200]} if reason else {}
        line = json.dumps(entry | more, ensure_ascii=True)
        _log.info("audit {line}", line=line)
        self._threads.run(lambda: append_line(self._path, line)).addErrback(_not_written)


def append_line(path: str, line: str) -> None:
    """Add line; a file that grew too large is moved to its name with .1 first."""
    Path(path).parent.mkdir(mode=0o750, parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o640)
    try:
        if os.fstat(descriptor).st_size > MAX_BYTES:
            Path(path).rename(path + ".1")
        os.write(descriptor, line.encode("ascii") + b"\n")
    finally:
        os.close(descriptor)


def _not_written(failure: object) -> None:
    _log.error("audit line not written: {why}", why=str(getattr(failure, "value", failure)))
