"""Opening the project's folder one name at a time, and the folders of the owner that lie on the way to it."""

import errno
import os
import stat
from typing import NamedTuple

from rserver_acls.refusal import Refusal

_SIGHT = os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC
FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC


class Folder(NamedTuple):
    """An open folder and its path as it was asked for."""

    path: str
    fd: int


class Way(NamedTuple):
    """The project's folder, and those from the home down to it that members must be able to pass."""

    project: Folder
    above: tuple[Folder, ...]


def open_way(path: str, owner: int, home: str, root: str, *, can_look: bool = True) -> Way:
    """Refusal unless the folder at path is the owner's, below his home or below root.

    home counts with the folders below it; below root nothing above the project is touched. Above these two, links are
    followed where only root could have put them; from there on none is. can_look: False for who may only pass the
    folders above the project; those are open as mere places then.
    """
    bases = {_identity(root): False, _identity(home): True}
    fd, position, folders, is_home = os.open("/", FOLDER), "", list[Folder](), None
    for name in path[1:].split("/"):
        fd = _next(fd, name, path, is_strict=is_home is not None, can_look=can_look)
        position += "/" + name
        status = os.fstat(fd)
        base = bases.get((status.st_dev, status.st_ino))
        if base or (base is not None and is_home is None):
            is_home, folders = base, [Folder(position, _readable(fd, path) if can_look else fd)]
        elif is_home is not None:
            folders.append(Folder(position, fd))
    if is_home is None or len(folders) < 2:
        raise Refusal("outside", f"{path} is not a folder below the owner's home, or below the folder for sharing.")
    *above, project = folders
    if not can_look:
        project = Folder(project.path, _readable(project.fd, path))
    passed = tuple(above) if is_home else ()
    for folder in (*passed, project):
        _check(folder, owner, path)
    return Way(project, passed)


def _identity(path: str) -> tuple[int, int] | None:
    if not path:
        return None
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status.st_dev, status.st_ino


def _next(fd: int, name: str, path: str, *, is_strict: bool, can_look: bool) -> int:
    try:
        if is_strict:
            return os.open(name, FOLDER if can_look else _SIGHT | os.O_DIRECTORY, dir_fd=fd)
        return _follow(fd, name)
    except OSError as error:
        raise _refused(error, path) from None


def _follow(fd: int, name: str) -> int:
    status = os.stat(name, dir_fd=fd, follow_symlinks=False)
    place = os.fstat(fd)
    if stat.S_ISLNK(status.st_mode) and (place.st_uid != 0 or place.st_mode & 0o022):
        raise OSError(errno.ELOOP, "a symbolic link that others than root can change")
    flags = _SIGHT if not stat.S_ISLNK(status.st_mode) else _SIGHT & ~os.O_NOFOLLOW
    return os.open(name, flags | os.O_DIRECTORY, dir_fd=fd)


def _readable(fd: int, path: str) -> int:
    try:
        return os.open(".", FOLDER, dir_fd=fd)
    except OSError as error:
        raise _refused(error, path) from None


def _check(folder: Folder, owner: int, path: str) -> None:
    if os.fstat(folder.fd).st_uid != owner:
        which = "it" if folder.path == path else folder.path
        raise Refusal("not_owner", f"{path} cannot be shared by this owner: {which} belongs to somebody else.")


def _refused(error: OSError, path: str) -> Refusal:
    if error.errno in {errno.ENOENT, errno.ENAMETOOLONG}:
        return Refusal("absent", f"There is no folder {path}.")
    if error.errno in {errno.ELOOP, errno.ENOTDIR}:
        return Refusal("symlink", f"A part of {path} is a symbolic link or no folder; give its real path.")
    return Refusal("failed", f"{path} cannot be opened: {error.strerror}.")
