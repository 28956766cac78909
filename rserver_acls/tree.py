"""Walks a tree by descriptors, one name at a time, never over a link, never to another file system.

There are two walks, the one here and the compiled one; both hand what they have opened to a Visits.
"""

import errno
import os
import stat
from collections.abc import Callable, Iterator, Mapping
from typing import Protocol

from rserver_acls.way import FOLDER

try:
    from rserver_acls import _native
except ImportError:
    _native = None  # type: ignore[assignment]

_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC

Skip = Callable[[str, str], None]
Change = tuple[bytes | None, bytes | None, bytes, bool]
"""New access list, new default list (None: stays), the access list as it was, whether it must be recorded first."""


class Visitor(Protocol):
    """What is done with folders and files.

    known: a dict of what was decided, by attributes.key(). The compiled walk does the same to every object with such a
    key, without a visit, but for files with several names; it tells by counted() how many there were.
    """

    @property
    def known(self) -> Mapping[bytes, Change]: ...

    def visit(self, fd: int, status: os.stat_result, path: str) -> bool:
        """path: relative to the top. True when the descriptor is kept."""

    def counted(self, changed: int, unchanged: int) -> None:
        """So many more objects were changed, or needed nothing, without a visit."""


class Visits:
    """Folders and regular files that belong to these people go to the visitor. skip(path, reason) tells of the rest."""

    def __init__(self, visitor: Visitor, skip: Skip, people: frozenset[int], device: int, depth: int) -> None:
        """people: uids. depth: folders below each other that are entered; two descriptors are open for each."""
        self.counted, self.known, self.device, self.depth = visitor.counted, visitor.known, device, depth
        self._visit, self._skip, self._people = visitor.visit, skip, people

    def file(self, fd: int, path: str) -> None:
        """An open file, which is kept or closed here."""
        status = os.fstat(fd)
        if reason := self._reason(status, stat.S_IFREG):
            self._skip(path, reason)
        elif self._visit(fd, status, path):
            return
        os.close(fd)

    def folder(self, fd: int, path: str) -> int:
        """An open folder, which is kept or closed here; what is to be walked in its place, or -1."""
        status = os.fstat(fd)
        if reason := self._reason(status, stat.S_IFDIR):
            self._skip(path, reason)
            os.close(fd)
            return -1
        return os.dup(fd) if self._visit(fd, status, path) else fd

    def not_opened(self, path: str, number: int) -> None:
        """Opening it ended with this error."""
        if number in {errno.ELOOP, errno.ENOTDIR, errno.ENXIO}:
            self._skip(path, "replaced while it was looked at")
        elif number != errno.ENOENT:
            self._skip(path, f"cannot be opened: {os.strerror(number)}")

    def too_deep(self, path: str) -> None:
        """What is in this folder is left out."""
        self._skip(path, f"more than {self.depth} folders deep")

    def _reason(self, status: os.stat_result, kind: int) -> str:
        if status.st_dev != self.device:
            return "another file system"
        if status.st_uid not in self._people:
            return "belongs to somebody who is not in the project"
        return "" if stat.S_IFMT(status.st_mode) == kind else "replaced while it was looked at"


def walk(top: int, visits: Visits) -> None:
    """Everything below this open folder, which itself was visited; it stays open."""
    if _native:
        _native.walk(top, visits.device, visits.depth, visits.known, visits)
    else:
        walk_in_python(top, visits)


def walk_in_python(top: int, visits: Visits) -> None:
    """The same as the compiled walk, which is compared with this one."""
    levels = [_Level(top, "")]
    try:
        while levels:
            folder = _next_folder(levels[-1], visits)
            if folder is None:
                levels.pop().close(is_top=not levels)
            elif len(levels) >= visits.depth:
                visits.too_deep(folder.path.rstrip("/"))
                folder.close(is_top=False)
            else:
                levels.append(folder)
    finally:
        while levels:
            levels.pop().close(is_top=not levels)


def _next_folder(level: "_Level", visits: Visits) -> "_Level | None":
    """Visit the entries of a folder up to the next folder in it; None at the end."""
    for entry in level.entries:
        path = level.path + entry.name
        try:
            flags = _flags(entry)
            fd = os.open(entry.name, flags, dir_fd=level.fd) if flags else -1
        except OSError as error:
            visits.not_opened(path, error.errno or 0)
            continue
        if flags == _FILE:
            visits.file(fd, path)
        elif flags and (folder := visits.folder(fd, path)) >= 0:
            return _Level(folder, path + "/")
    return None


def _flags(entry: os.DirEntry[str]) -> int:
    """How to open it; 0 for what is neither a file nor a folder."""
    if entry.is_file(follow_symlinks=False):
        return _FILE
    return FOLDER if entry.is_dir(follow_symlinks=False) else 0


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
