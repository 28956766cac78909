"""Going to the background: a session of our own, no terminal, output to a log file."""

import contextlib
import os
import sys
from collections.abc import Callable
from pathlib import Path

LOG_FILE = Path("/var/log/rstudio/rstudio-server/rserver.log")


def stay() -> None:
    """What a server in the foreground does when it is ready: nothing."""


def go(log_file: Path = LOG_FILE) -> Callable[[], None]:
    """Continue in a detached child. What is returned must be called there when the server is ready.

    The calling process waits for that and ends with 0, or with the child's exit code when it could not start; start errors are
    still printed on the terminal.
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
    os.setsid()
    return lambda: _detach(log, tell)


def _wait(heard: int, child: int) -> int:
    if os.read(heard, 1):
        return 0
    return abs(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))


def _detach(log: int, tell: int) -> None:
    null = os.open(os.devnull, os.O_RDWR)
    os.dup2(null, 0)
    os.dup2(log, 1)
    os.dup2(log, 2)
    with contextlib.suppress(OSError):
        os.write(tell, b"1")
