"""The directories the server owns, with the modes that the privilege story relies on, and the lock on its pid file."""

import fcntl
import os
import stat
import time
from dataclasses import dataclass
from pathlib import Path

from rserver.supervisor.exit_codes import ExitCode, StartRefused

_LOCK_SECONDS = 3.0
_LOCK_PAUSE_SECONDS = 0.02


@dataclass(frozen=True, slots=True)
class Owner:
    """Who a directory belongs to."""

    uid: int
    gid: int


def make_directory(path: Path, mode: int, owner: Owner) -> None:
    """A real directory at path with exactly this mode and owner; a link or another kind of file there is refused."""
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError as error:
        raise _refused(path, error) from None
    try:
        _set_access(fd, mode, owner)
    except OSError as error:
        raise _refused(path, error) from None
    finally:
        os.close(fd)


def _set_access(fd: int, mode: int, owner: Owner) -> None:
    status = os.fstat(fd)
    if (status.st_uid, status.st_gid) != (owner.uid, owner.gid):
        os.fchown(fd, owner.uid, owner.gid)
    if stat.S_IMODE(status.st_mode) != mode:
        os.fchmod(fd, mode)


def lock_pid_file(path: Path) -> int:
    """Descriptor of the locked pid file, to be kept open; StartRefused while another server holds it.

    What a killed server had just forked holds the lock until it executes its program: that is waited for.
    """
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o644)
    deadline = time.monotonic() + _LOCK_SECONDS
    while not _is_locked_now(fd):
        holder = os.pread(fd, 32, 0).decode("ascii", "replace").strip() or "unknown"
        if _is_alive(holder) or time.monotonic() > deadline:
            os.close(fd)
            raise StartRefused(ExitCode.ALREADY_RUNNING, f"rserver runs already (pid {holder}, {path})")
        time.sleep(_LOCK_PAUSE_SECONDS)
    # Never empty in between: the first line is always a pid.
    os.ftruncate(fd, os.pwrite(fd, f"{os.getpid()}\n".encode(), 0))
    return fd


def _is_locked_now(fd: int) -> bool:
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _is_alive(pid: str) -> bool:
    return pid.isdecimal() and os.path.exists(f"/proc/{pid}")


def _refused(path: Path, error: OSError) -> StartRefused:
    return StartRefused(ExitCode.CONFIGURATION, f"directory {path} cannot be used: {error.strerror}")
