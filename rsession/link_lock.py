"""A lock that also holds on network file systems: making a hard link succeeds for one process only. Blocking."""

import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_PATIENCE_SECONDS = 2.0
_STALE_SECONDS = 30.0
_LOOK_SECONDS = 0.02


@contextmanager
def link_lock(path: Path) -> Iterator[None]:
    """Hold the lock of a file, `.<name>.lock` beside it; OSError, TimeoutError after two seconds.

    What is older than half a minute, lock or temporary file, belonged to a process that was killed.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    for left in path.parent.glob(f".{path.name}.*"):
        _remove_stale(left)
    lock = path.with_name(f".{path.name}.lock")
    own = path.with_name(f".{path.name}.{socket.gethostname()}.{os.getpid()}.{os.urandom(4).hex()}")
    os.close(os.open(own, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600))
    try:
        _take(own, lock)
        try:
            yield
        finally:
            lock.unlink(missing_ok=True)
    finally:
        own.unlink(missing_ok=True)


def _take(own: Path, lock: Path) -> None:
    end = time.monotonic() + _PATIENCE_SECONDS
    while True:
        with suppress(FileExistsError):
            os.link(own, lock, follow_symlinks=False)
            return
        _remove_stale(lock)
        if time.monotonic() >= end:
            raise TimeoutError(f"{lock} is held by another session")
        time.sleep(_LOOK_SECONDS)


def _remove_stale(left: Path) -> None:
    with suppress(FileNotFoundError):
        if time.time() - left.lstat().st_mtime > _STALE_SECONDS:
            left.unlink()
