"""Walks a tree by descriptors, one name at a time, never over a link, never to another file system."""

import errno
import os
import stat
from collections.abc import Callable, Iterator

from rserver_acls.way import FOLDER

_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
_S_IFMT, _REGULAR = 0o170000, stat.S_IFREG

# Gets descriptor, status and path relative to the top; answers True when it keeps the descriptor.
Visit = Callable[[int, os.stat_result, str], bool]
Skip = Callable[[str, str], None]


class Walk:
    """Visits folders and regular files of whom the test `may_touch` allows. skip(path, reason) tells the rest."""

    def __init__(self, visit: Visit, skip: Skip, depth: int) -> None:
        """depth: folders below each other that are entered; two descriptors are open for each."""
        self._visit, self._skip, self._depth = visit, skip, depth

    def run(self, top: int) -> None:
        """Walk below this open folder, which itself was visited; it stays open."""
        device = os.fstat(top).st_dev
        levels = [_Level(top, "")]
        while levels:
            folder = self._step(levels[-1], device)
            if folder is None:
                levels.pop().close(is_top=not levels)
            elif len(levels) >= self._depth:
                self._skip(folder.path, f"more than {self._depth} folders deep")
                folder.close(is_top=False)
            else:
                levels.append(folder)

    def _step(self, level: "_Level", device: int) -> "_Level | None":
        """Visit the entries of a folder up to the next folder in it; None at the end."""
        fd, before = level.fd, level.path
        visit, opened, status_of, close = self._visit, os.open, os.fstat, os.close
        for entry in level.entries:
            name = entry.name
            try:
                is_folder = entry.is_dir(follow_symlinks=False)
                if not is_folder and not entry.is_file(follow_symlinks=False):
                    continue
                child = opened(name, FOLDER if is_folder else _FILE, dir_fd=fd)
            except OSError as error:
                self._not_opened(before + name, error)
                continue
            status = status_of(child)
            if status.st_dev != device:
                self._skip(before + name, "another file system")
            elif is_folder:
                if not visit(child, status, before + name):
                    return _Level(child, before + name + "/")
                return _Level(os.dup(child), before + name + "/")
            elif status.st_mode & _S_IFMT != _REGULAR:
                self._skip(before + name, "replaced while it was looked at")
            elif visit(child, status, before + name):
                continue
            close(child)
        return None

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
