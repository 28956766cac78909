"""Walks a tree on NFS as one person, who may change his own files only; by descriptors, never over a link."""

import errno
import os
import stat
from typing import TYPE_CHECKING, Protocol

from rserver_acls.outcome import Outcome
from rserver_acls.walls import Identity
from rserver_acls.way import FOLDER

if TYPE_CHECKING:
    from collections.abc import Iterator

_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
_REPLACED = "replaced while it was looked at"
_SETGID = "a change would take away its set-group-ID bit: its owner is not in its group"


class Visitor(Protocol):
    """What is done with folders and files."""

    def visit(self, fd: int, status: os.stat_result, path: str) -> bool:
        """path: relative to the top. True when the descriptor is kept."""

    def finish(self) -> None:
        """Everything was visited."""


class RemoteWalk:
    """Visits folders and regular files of one person. others: whose files were met besides, of these people."""

    def __init__(
        self,
        visitor: Visitor | None,
        outcome: Outcome,
        who: Identity,
        people: frozenset[int],
        depth: int,
        *,
        takes: bool,
        is_guest: bool,
    ) -> None:
        """visitor: None to only see whose files there are. takes: who is left out keeps what he should lose.

        is_guest: folders that are closed to this person are the owner's to tell of.
        """
        self._visitor, self._outcome, self._uid, self._people = visitor, outcome, who.uid, people
        self._depth, self._takes, self._is_guest = depth, takes, is_guest
        self._groups = frozenset({who.gid, *who.groups})
        self.others: set[int] = set()

    def run(self, top: int) -> None:
        """Walk this open folder and everything below; it stays open."""
        status = os.fstat(top)
        self._device = status.st_dev
        self._seen(os.dup(top), status, ".")
        levels = [_Level(os.dup(top), "")]
        while levels:
            folder = self._step(levels[-1])
            if folder is None:
                levels.pop().close()
            elif len(levels) >= self._depth:
                self._left_out(folder.path.rstrip("/"), f"more than {self._depth} folders deep")
                folder.close()
            else:
                levels.append(folder)
        if self._visitor:
            self._visitor.finish()

    def _step(self, level: "_Level") -> "_Level | None":
        """Look at the entries of a folder up to the next folder in it; None at the end."""
        for entry in level.entries:
            path = level.path + entry.name
            try:
                if entry.is_dir(follow_symlinks=False):
                    if folder := self._enter(level.fd, entry.name, path):
                        return folder
                elif entry.is_file(follow_symlinks=False):
                    self._file(level.fd, entry.name, path)
            except OSError as error:
                self._not_opened(path, error)
        return None

    def _enter(self, parent: int, name: str, path: str) -> "_Level | None":
        try:
            fd = os.open(name, FOLDER, dir_fd=parent)
        except PermissionError:
            if self._is_guest:
                return None
            raise
        status = os.fstat(fd)
        if not self._is_ours(status, path):
            os.close(fd)
            return None
        self._seen(os.dup(fd), status, path)
        return _Level(fd, path + "/")

    def _file(self, parent: int, name: str, path: str) -> None:
        # Opening a file on NFS is dear, and files of others may be closed to this person.
        status = os.stat(name, dir_fd=parent, follow_symlinks=False)
        if not self._is_ours(status, path):
            return
        if status.st_uid != self._uid or self._visitor is None:
            self.others.add(status.st_uid)
            return
        fd = os.open(name, _FILE, dir_fd=parent)
        status = os.fstat(fd)
        if not stat.S_ISREG(status.st_mode):
            os.close(fd)
            self._outcome.skip(path, _REPLACED)
        elif self._is_ours(status, path):
            self._seen(fd, status, path)
        else:
            os.close(fd)

    def _is_ours(self, status: os.stat_result, path: str) -> bool:
        if status.st_dev != self._device:
            self._outcome.skip(path, "another file system")
        elif status.st_uid not in self._people:
            self._outcome.skip(path, "belongs to somebody who is not in the project")
        else:
            return True
        return False

    def _seen(self, fd: int, status: os.stat_result, path: str) -> None:
        """Visit an open object of this person; the descriptor is closed, or the visitor's."""
        if status.st_uid != self._uid or self._visitor is None:
            self.others.add(status.st_uid)
        elif status.st_mode & stat.S_ISGID and status.st_gid not in self._groups and not self._takes:
            self._outcome.fail(path, _SETGID)
        elif self._visitor.visit(fd, status, path):
            return
        os.close(fd)

    def _not_opened(self, path: str, error: OSError) -> None:
        if error.errno in {errno.ELOOP, errno.ENOTDIR, errno.ENXIO}:
            self._outcome.skip(path, _REPLACED)
        elif error.errno != errno.ENOENT:
            self._left_out(path, f"cannot be opened: {error.strerror}")

    def _left_out(self, path: str, reason: str) -> None:
        if self._takes:
            self._outcome.fail(path, reason)
        else:
            self._outcome.skip(path, reason)


class _Level:
    """An open folder on the way down."""

    def __init__(self, fd: int, path: str) -> None:
        self.fd, self.path = fd, path
        self._entries = os.scandir(fd)
        self.entries: Iterator[os.DirEntry[str]] = iter(self._entries)

    def close(self) -> None:
        self._entries.close()
        os.close(self.fd)
