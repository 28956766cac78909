"""The folder of sentry files, where others write too: opened without following links, read with suspicion. Blocking."""

import os
import stat
import time
from contextlib import suppress
from dataclasses import dataclass
from threading import Lock

from rsession.presence.judging import Judge, Refused
from rsession.presence.sentry import Sentry, encoded
from rsession.projects.inherited import hands_rights_on, make_shared
from rsession.projects.scope import FOLDER, hide_from_git

STALE_SECONDS = 90.0
_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
_NEW_FLAGS = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE_MODE = 0o640
_SHARED = "shared"
_END_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class Found:
    """What is in the folder. others: those who run; refused: newly so; is_whole: our file is as it should be."""

    others: tuple[Sentry, ...]
    refused: tuple[Refused, ...]
    is_whole: bool


class SentryFolder:
    """`.Rproj.user/shared/users` of a project, as one session of it uses it; by one thread at a time."""

    def __init__(self, project: str, session: str) -> None:
        self._project, self._session = project, session
        self._judge = Judge(session)
        self._lock = Lock()
        self._has_ended = False
        self.descriptor = -1
        self.identity = (0, 0)
        """Device and inode of the open folder."""

    def open(self) -> None:
        """Make what is missing and open it, anew when another folder is in its place. OSError."""
        descriptor = _open_users(self._project)
        found = os.fstat(descriptor)
        if (found.st_dev, found.st_ino) == self.identity:
            os.close(descriptor)
            return
        self._close()
        self.descriptor, self.identity = descriptor, (found.st_dev, found.st_ino)

    def write(self, sentry: Sentry) -> None:
        """Put our file in its place by a rename. No fsync: after a crash of the machine it means nothing."""
        aside = f".{self._session}.{os.urandom(4).hex()}.part"
        with self._lock:
            if self._has_ended:
                return
            descriptor = os.open(aside, _NEW_FLAGS, _FILE_MODE, dir_fd=self.descriptor)
            try:
                with os.fdopen(descriptor, "wb") as file:
                    os.fchmod(descriptor, _FILE_MODE)
                    file.write(encoded(sentry))
                os.rename(aside, self._session, src_dir_fd=self.descriptor, dst_dir_fd=self.descriptor)
            except BaseException:
                with suppress(OSError):
                    os.unlink(aside, dir_fd=self.descriptor)
                raise

    def read(self) -> Found:
        """Everybody who is there. Our own files that are stale are removed. OSError."""
        found = self._judge.read(self.descriptor)
        own = self._own()
        now = own.st_mtime if own is not None else time.time()
        others = []
        for sentry, status in found.believed:
            if self._judge.is_there(sentry, now - status.st_mtime, STALE_SECONDS):
                others.append(sentry)
            elif status.st_uid == os.geteuid():
                self._remove(sentry.session, status)
        for name, status in found.asides:
            if status.st_uid == os.geteuid() and now - status.st_mtime > STALE_SECONDS:
                self._remove(name, status)
        is_whole = own is not None and stat.S_IMODE(own.st_mode) == _FILE_MODE
        return Found(tuple(others), found.refused, is_whole)

    def end(self) -> None:
        """Remove our file; nothing is written afterwards."""
        has_lock = self._lock.acquire(timeout=_END_SECONDS)
        self._has_ended = True
        # A file server that hangs must not keep the process from ending.
        if has_lock and self.descriptor >= 0:
            with suppress(OSError):
                os.unlink(self._session, dir_fd=self.descriptor)
        if has_lock:
            self._lock.release()

    def _own(self) -> os.stat_result | None:
        try:
            return os.stat(self._session, dir_fd=self.descriptor, follow_symlinks=False)
        except OSError:
            return None

    def _remove(self, name: str, seen: os.stat_result) -> None:
        """Unless another file has come in its place."""
        with suppress(OSError):
            now = os.stat(name, dir_fd=self.descriptor, follow_symlinks=False)
            if (now.st_ino, now.st_mtime_ns) == (seen.st_ino, seen.st_mtime_ns):
                os.unlink(name, dir_fd=self.descriptor)

    def _close(self) -> None:
        if self.descriptor >= 0:
            os.close(self.descriptor)
        self.descriptor, self.identity = -1, (0, 0)


def _open_users(project: str) -> int:
    descriptor = os.open(project, _DIRECTORY)
    for name, sticky in ((FOLDER, 0), (_SHARED, 0), ("users", stat.S_ISVTX)):
        try:
            inner = _open_inner(descriptor, name, sticky)
        finally:
            os.close(descriptor)
        descriptor = inner
    return descriptor


def _open_inner(parent: int, name: str, sticky: int) -> int:
    with suppress(FileExistsError):
        os.mkdir(name, 0o700, dir_fd=parent)
        make_shared(name, sticky | (0o770 if hands_rights_on(parent) else 0o700), parent)
        if name == _SHARED:
            # Else every heartbeat would be a change to commit.
            hide_from_git(parent)
    target = _own_link(parent) if name == FOLDER else None
    return os.open(target or name, _DIRECTORY | (0 if target else os.O_NOFOLLOW), dir_fd=parent)


def _own_link(parent: int) -> str | None:
    """Where `.Rproj.user` leads when it is a link of its user's own making; the one that was looked at."""
    descriptor = os.open(FOLDER, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=parent)
    try:
        found = os.fstat(descriptor)
        is_own = stat.S_ISLNK(found.st_mode) and found.st_uid == os.geteuid()
        return os.readlink("", dir_fd=descriptor) if is_own else None
    finally:
        os.close(descriptor)
