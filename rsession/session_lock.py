"""One process at a time works in a session's state folder, also where homes are shared by machines (NFS).

The lock is a file made by link(2), which is atomic on every file system that homes lie on, also where O_EXCL or
fcntl locks are not. On the same machine pid and start time tell whether its owner lives; elsewhere its age does, for
which the owner touches it now and then.
"""

import json
import os
import signal
import time
from contextlib import suppress
from typing import NamedTuple

from rsession.process_start import start_of

REFRESH_SECONDS = 30.0
STALE_SECONDS = 90.0
_SUSPEND_SECONDS, _KILL_SECONDS = 20.0, 5.0
_LOOK_AGAIN_SECONDS = 0.05
_MAX_BYTES = 4096
_ATTEMPTS = 5


class LockedElsewhere(Exception):
    """Another machine works with this session; the text is a sentence for the user."""


class Owner(NamedTuple):
    """A process. place: boot and process namespace, in which pid and start (clock ticks since boot) mean something."""

    place: str
    host: str
    pid: int
    start: int


class SessionLock:
    """The lock of the session whose folder (`sessions/active/session-<8 hex>`) is given."""

    def __init__(self, folder: str) -> None:
        self._folder, self._path = folder, f"{folder}/lock_file"
        self._own = Owner(_place(), os.uname().nodename, os.getpid(), start_of(os.getpid()) or 0)

    def take(self) -> str:
        """Take it; what happened to an older process, or nothing. LockedElsewhere, or OSError. May wait 25 s."""
        told = ""
        os.makedirs(self._folder, mode=0o700, exist_ok=True)
        for _ in range(_ATTEMPTS):
            if self._link():
                return told
            owner = _read(self._path)
            if owner == self._own:
                # Taken before this process executed its program anew.
                return told
            if owner is not None and owner.place == self._own.place:
                told = _end(owner) or told
            elif owner is not None and owner.host != self._own.host:
                self._check_age(owner)
            self._remove(owner)
        raise LockedElsewhere("Another process of this session starts at the same time.")

    @property
    def is_held(self) -> bool:
        """Somebody works there, as far as can be told from here: a running process, or a lock that is not old."""
        owner = _read(self._path)
        if owner is not None and owner.place == self._own.place:
            return owner.start == start_of(owner.pid)
        try:
            return time.time() - os.stat(self._path).st_mtime < STALE_SECONDS
        except FileNotFoundError:
            return False

    def refresh(self) -> None:
        """Show that we live; to be called every REFRESH_SECONDS."""
        with suppress(OSError):
            os.utime(self._path)

    def release(self) -> None:
        """Give it back, unless somebody else has it by now."""
        with suppress(OSError):
            if _read(self._path) == self._own:
                os.unlink(self._path)
                os.rmdir(self._folder)

    def _remove(self, owner: Owner | None) -> None:
        """Take away the lock of an owner that is gone; another's, made since it was read, is put back."""
        aside = f"{self._path}.{self._own.host}.{self._own.pid}"
        with suppress(FileNotFoundError):
            os.rename(self._path, aside)
            if _read(aside) != owner:
                with suppress(FileExistsError):
                    os.link(aside, self._path)
            os.unlink(aside)

    def _link(self) -> bool:
        aside = f"{self._path}.{self._own.host}.{self._own.pid}"
        descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        try:
            with os.fdopen(descriptor, "w") as file:
                json.dump(self._own._asdict(), file)
            return self._has_linked(aside)
        finally:
            os.unlink(aside)

    def _has_linked(self, aside: str) -> bool:
        """False when there is a lock already; OSError when there can be none, as on a full disk."""
        fault: OSError | None = None
        try:
            os.link(aside, self._path)
        except OSError as error:
            fault = error
        # The answer of an NFS server may be lost; the number of links tells the truth.
        is_ours = os.stat(aside).st_nlink == 2
        if fault is not None and not (is_ours or isinstance(fault, FileExistsError)):
            raise fault
        return is_ours

    def _check_age(self, owner: Owner) -> None:
        try:
            age = time.time() - os.stat(self._path).st_mtime
        except FileNotFoundError:
            return
        if 0 <= age < STALE_SECONDS:
            raise LockedElsewhere(
                f"This session runs on the machine {str(owner.host)[:64]} (process {owner.pid}, last sign of life"
                f" {age:.0f} s ago). It can be started here when it has ended there, or {STALE_SECONDS:.0f} s after its"
                " last sign of life."
            )


def _read(path: str) -> Owner | None:
    try:
        with open(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)) as file:
            owner = Owner(**json.loads(file.read(_MAX_BYTES)))
    except (OSError, ValueError, TypeError):
        return None
    return owner if isinstance(owner.pid, int) and owner.pid > 1 and isinstance(owner.start, int) else None


def _end(owner: Owner) -> str:
    """Have an older process of ours keep its objects and end; a sentence when there was one."""
    if owner.start != start_of(owner.pid):
        return ""
    who = f"An older process of this session (pid {owner.pid}) was still running without the server's knowledge."
    if _ends_after(owner, signal.SIGUSR2, _SUSPEND_SECONDS):
        return f"{who} It kept its objects and ended."
    _ends_after(owner, signal.SIGKILL, _KILL_SECONDS)
    return f"{who} It did not end when it was asked to and was killed: the objects are those of its last checkpoint."


def _ends_after(owner: Owner, number: int, seconds: float) -> bool:
    try:
        pidfd = os.pidfd_open(owner.pid)
    except ProcessLookupError:
        return True
    try:
        if owner.start == start_of(owner.pid):
            signal.pidfd_send_signal(pidfd, number)
    except (ProcessLookupError, PermissionError):
        return True
    finally:
        os.close(pidfd)
    deadline = time.monotonic() + seconds
    while owner.start == start_of(owner.pid):
        if time.monotonic() > deadline:
            return False
        time.sleep(_LOOK_AGAIN_SECONDS)
    return True


def _place() -> str:
    try:
        with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
            return f"{file.read().strip()} {os.readlink('/proc/self/ns/pid')}"
    except OSError:
        return ""
