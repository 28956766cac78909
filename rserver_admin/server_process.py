"""A running server as /proc shows it: master, guard, since when, on which addresses; and how it is signalled."""

import contextlib
import fcntl
import os
import select
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from rserver_process.process_table import start_ticks

_STATE, _PARENT = 0, 1


@dataclass(frozen=True, slots=True)
class ServerProcess:
    """pid: of the master; leader: its guard where there is one, else the master: whoever is told to stop.

    arguments: the options on its command line.
    """

    pid: int
    leader: int
    ticks: int
    arguments: tuple[str, ...]

    @property
    def since(self) -> float:
        """When it was started, seconds since 1970."""
        return moment_of(self.ticks)

    def send(self, number: int) -> bool:
        """Signal the leader; False when the server is gone."""
        with contextlib.suppress(ProcessLookupError), _held(self.leader) as handle:
            # Held first, looked at then: the number cannot have passed to another process in between.
            if start_ticks(self.pid) == self.ticks:
                signal.pidfd_send_signal(handle, number)
                return True
        return False

    def stop(self, seconds: float) -> bool:
        """Ask it to end and wait for that long; False when it still runs then."""
        deadline = time.monotonic() + seconds
        with contextlib.ExitStack() as stack:
            try:
                handles = [stack.enter_context(_held(pid)) for pid in {self.leader, self.pid}]
            except ProcessLookupError:
                return True
            if not self.send(signal.SIGTERM):
                return True
            return all(_ended(handle, deadline) for handle in handles)


def holder_of(pid_file: Path) -> ServerProcess | None:
    """The process that has this pid file open and is named in it."""
    try:
        pid = int(pid_file.read_text("ascii")[:32].split()[0])
        wanted = pid_file.stat()
    except (OSError, ValueError, IndexError):
        return None
    return process_of(pid) if start_ticks(pid) is not None and _holds(pid, pid_file, wanted) else None


def process_of(pid: int) -> ServerProcess | None:
    """The master of that pid; None when it has just ended."""
    ticks = start_ticks(pid)
    if ticks is None:
        return None
    argv, parent = _command_line(pid), _parent(pid)
    # The guard and its master are one program: the second was forked from the first.
    leader = parent if argv and argv == _command_line(parent) else pid
    return ServerProcess(pid, leader, ticks, tuple(text for text in argv if text.startswith("--")))


def moment_of(ticks: int) -> float:
    """Seconds since 1970 of a moment in clock ticks since boot."""
    return time.time() - time.clock_gettime(time.CLOCK_BOOTTIME) + ticks / os.sysconf("SC_CLK_TCK")


def descriptors(pid: int) -> Iterator[Path]:
    """The entries of a process's table of descriptors; none when it is gone. PermissionError: it is another's."""
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        yield from Path(f"/proc/{pid}/fd").iterdir()


def waits_to_be_reaped(pid: int) -> bool:
    """True when the process has ended, whether its parent knows or not."""
    try:
        return _stat(pid)[_STATE] in "ZX"
    except OSError:
        return True


@contextlib.contextmanager
def _held(pid: int) -> Iterator[int]:
    handle = os.pidfd_open(pid)
    try:
        yield handle
    finally:
        os.close(handle)


def _ended(handle: int, deadline: float) -> bool:
    return bool(select.select([handle], [], [], max(0.0, deadline - time.monotonic()))[0])


def _holds(pid: int, pid_file: Path, wanted: os.stat_result) -> bool:
    try:
        return _has_open(pid, wanted)
    except PermissionError:
        # After newgrp we may not look into our own process; that the file is locked must do then.
        return _is_locked(pid_file)


def _is_locked(path: Path) -> bool:
    try:
        with open(path, "rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


def _has_open(pid: int, wanted: os.stat_result) -> bool:
    for entry in descriptors(pid):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            if os.path.samestat(entry.stat(), wanted):
                return True
    return False


def _command_line(pid: int) -> list[str]:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().decode("utf-8", "surrogateescape").split("\0")[:-1]
    except OSError:
        return []


def _parent(pid: int) -> int:
    try:
        return int(_stat(pid)[_PARENT])
    except OSError:
        return 0


def _stat(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()
