"""Going to the background: a session of our own, no terminal, output to a log file."""

import contextlib
import os
import sys
from collections.abc import Callable
from pathlib import Path

LOG_FILE = Path("/var/log/rstudio/rstudio-server/rserver.log")

Report = Callable[[str], None]
"""Told once how the start went: an empty text when the server is ready, else why it is not."""


def stay(problem: str) -> None:
    """The report of a server in the foreground."""
    if problem:
        with contextlib.suppress(OSError):
            print(f"rserver: {problem}", file=sys.stderr, flush=True)


def go(log_file: Path) -> Report:
    """Continue in a detached child, which must use the returned report.

    The calling process waits for the report and ends with 0, or prints the problem and ends with the child's exit code.
    """
    log_file.parent.mkdir(parents=True, exist_ok=True)
    log = os.open(log_file, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    sys.stdout.flush()
    sys.stderr.flush()
    heard, tell = os.pipe2(os.O_CLOEXEC)
    child = os.fork()
    if child:
        os.close(tell)
        os._exit(_wait(heard, child))
    os.close(heard)
    _detach(log)
    return lambda problem: _tell(tell, problem)


def _wait(heard: int, child: int) -> int:
    report = os.read(heard, 65536)
    if report == b"\0":
        return 0
    sys.stderr.write(report.decode("utf-8", "replace"))
    sys.stderr.flush()
    return abs(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))


def _detach(log: int) -> None:
    os.setsid()
    null = os.open(os.devnull, os.O_RDWR)
    for fd, target in ((null, 0), (log, 1), (log, 2)):
        os.dup2(fd, target)


def _tell(fd: int, problem: str) -> None:
    stay(problem)
    with contextlib.suppress(OSError):
        os.write(fd, f"rserver: {problem}\n".encode() if problem else b"\0")
