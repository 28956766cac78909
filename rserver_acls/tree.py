"""Walks a tree by descriptors, one name at a time, never over a link, never to another file system."""

import errno
import os
import stat
from collections.abc import Callable, Iterator
from typing import Protocol

from rserver_acls.way import FOLDER

_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
_S_IFMT, _REGULAR = 0o170000, stat.S_IFREG

Skip = Callable[[str, str], None]


class Visitor(Protocol):
    """What is done with folders and files. is_idle: the last file needed nothing, so the next may be peeked at."""

    is_idle: bool

    def peek(self, entry: os.DirEntry[str]) -> bool:
        """True when this file of the current directory needs nothing; it is read by name, and never changed."""

    def shortcut(self, device: int) -> Callable[[int, os.stat_result], bool]:
        """A function that is True when an open file on this device needs no visit (any more)."""

    def visit(self, fd: int, status: os.stat_result, path: str) -> bool:
        """path: relative to the top. True when the descriptor is kept."""


class Walk:
    """Visits folders and regular files that belong to these people. skip(path, reason) tells of the rest."""

    def __init__(self, visitor: Visitor, skip: Skip, people: frozenset[int], depth: int) -> None:
        """people: uids. depth: folders below each other that are entered; two descriptors are open for each."""
        self._visitor, self._skip, self._people, self._depth = visitor, skip, people, depth
        self._here: _Level | None = None

    def run(self, top: int) -> None:
        """Walk below this open folder, which itself was visited; it stays open."""
        device = os.fstat(top).st_dev
        self._finished = self._visitor.shortcut(device)
        levels = [_Level(top, "")]
        while levels:
            folder = self._step(levels[-1], device)
            if folder is None:
                levels.pop().close(is_top=not levels)
            elif len(levels) >= self._depth:
                self._skip(folder.path.rstrip("/"), f"more than {self._depth} folders deep")
                folder.close(is_top=False)
            else:
                levels.append(folder)

    def _step(self, level: "_Level", device: int) -> "_Level | None":
        """Visit the entries of a folder up to the next folder in it; None at the end."""
        # Names looked up once: this is where nearly all the time goes.
        fd, before = level.fd, level.path
        visitor, visit, people = self._visitor, self._visitor.visit, self._people
        opened, status_of, close, finished = os.open, os.fstat, os.close, self._finished
        for entry in level.entries:
            name = entry.name
            try:
                if entry.is_file(follow_symlinks=False):
                    if visitor.is_idle and self._peek(level, entry):
                        continue
                    child = opened(name, _FILE, dir_fd=fd)
                elif entry.is_dir(follow_symlinks=False):
                    if folder := self._enter(fd, before + name, device):
                        return folder
                    continue
                else:
                    continue
            except OSError as error:
                self._not_opened(before + name, error)
                continue
            status = status_of(child)
            if finished(child, status):
                close(child)
                continue
            if status.st_dev != device or status.st_uid not in people or status.st_mode & _S_IFMT != _REGULAR:
                self._skip(before + name, self._reason(status, device))
            elif visit(child, status, before + name):
                continue
            close(child)
        return None

    def _peek(self, level: "_Level", entry: "os.DirEntry[str]") -> bool:
        if level is not self._here:
            os.fchdir(level.fd)
            self._here = level
        return self._visitor.peek(entry)

    def _enter(self, fd: int, path: str, device: int) -> "_Level | None":
        """Visit a folder; None when it is not to be entered."""
        child = os.open(os.path.basename(path), FOLDER, dir_fd=fd)
        status = os.fstat(child)
        if status.st_dev != device or status.st_uid not in self._people:
            self._skip(path, self._reason(status, device))
            os.close(child)
            return None
        return _Level(os.dup(child) if self._visitor.visit(child, status, path) else child, path + "/")

    def _reason(self, status: os.stat_result, device: int) -> str:
        if status.st_dev != device:
            return "another file system"
        if status.st_uid not in self._people:
            return "belongs to somebody who is not in the project"
        return "replaced while it was looked at"

    def _not_opened(self, path: str, error: OSError) -> None:
        if error.errno in {errno.ELOOP, errno.ENOTDIR, errno.ENXIO}:
            self._skip(path, "replaced while it was looked at")
        elif error.errno != errno.ENOENT:
            self._skip(path, f"cannot be opened: {error.strerror}")


class _Level:
    """An open folder on the way down."""

    def __init__(self, fd: int, path: str) -> None:
        self.fd, self.path = fd, path
        self._entries = os.scandir(fd)
        self.entries: Iterator[os.DirEntry[str]] = iter(self._entries)

    def close(self, *, is_top: bool) -> None:
        self._entries.close()
        if not is_top:
            os.close(self.fd)
