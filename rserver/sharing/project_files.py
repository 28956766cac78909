"""Writes the files that tell owner and members of a shared project, which they alone can read. Blocking."""

import errno
import os
import pwd
import stat
import struct
from collections.abc import Iterable
from contextlib import suppress

from rserver_core.shared_project import encode, file_name
from rserver_core.shared_project_folder import FOLDER, Known

_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
# Sticky: where an administrator lets several servers write here, none takes away another's files.
_MODE = 0o1755
_ACL = "system.posix_acl_access"
_ENTRY = struct.Struct("<HHI")
_USER_OBJ, _USER, _GROUP_OBJ, _MASK, _OTHER = 1, 2, 4, 16, 32
_READ, _READ_WRITE, _UNUSED = 4, 6, 0xFFFFFFFF


class CannotKeep(Exception):
    """Files cannot be written there; the text is a sentence."""


class ProjectFiles:
    """The folder `shared-projects` in the shared storage."""

    def __init__(self, storage: str) -> None:
        self.path = os.path.join(storage, FOLDER)

    def make(self) -> None:
        """The folder, in which only we decide what lies there. CannotKeep."""
        try:
            os.makedirs(self.path, exist_ok=True)
            folder = os.open(self.path, _DIRECTORY)
            try:
                if os.fstat(folder).st_uid == os.geteuid() and stat.S_IMODE(os.fstat(folder).st_mode) != _MODE:
                    os.fchmod(folder, _MODE)
                self._check(folder)
            finally:
                os.close(folder)
        except OSError as error:
            raise CannotKeep(f"{self.path} cannot be used: {error.strerror}.") from None

    def _check(self, folder: int) -> None:
        """Its owner, and who may write where it lies, could put files of their own in the place of ours."""
        for path, status in ((self.path, os.fstat(folder)), (os.path.dirname(self.path), os.stat("..", dir_fd=folder))):
            if status.st_uid not in {0, os.geteuid()}:
                raise CannotKeep(
                    f"{path} belongs to {_name(status.st_uid)}, who could change what the server keeps there: it must "
                    f"belong to root or {_name(os.geteuid())} (server-shared-storage-path)."
                )
            if _others_replace(status):
                raise CannotKeep(
                    f"{path} can be written by others than the server, who could replace what it keeps there: "
                    "chmod o-w,g-w, or chmod +t (server-shared-storage-path)."
                )

    def write(self, known: Known, readers: Iterable[int]) -> None:
        """Aside, then in its place. readers: uids of its people besides us. CannotKeep."""
        name = file_name(known.owner_uid, known.project.id)
        try:
            folder = os.open(self.path, _DIRECTORY)
            try:
                _replace(folder, name, encode(known.project), readers)
            finally:
                os.close(folder)
        except OSError as error:
            if error.errno == errno.EOPNOTSUPP:
                raise CannotKeep(f"The file system of {self.path} keeps no access control lists.") from None
            raise CannotKeep(f"{self.path} cannot be written: {error.strerror}.") from None

    def remove(self, known: Known) -> None:
        """The project is shared no longer. CannotKeep."""
        path = os.path.join(self.path, file_name(known.owner_uid, known.project.id))
        try:
            os.unlink(path)
        except FileNotFoundError:
            pass
        except OSError as error:
            raise CannotKeep(f"{path} cannot be removed: {error.strerror}.") from None


def _others_replace(status: os.stat_result) -> bool:
    """Somebody but the owner may remove or rename what lies in this folder, although it is not his."""
    is_open = status.st_mode & stat.S_IWOTH or (
        status.st_mode & stat.S_IWGRP and status.st_gid not in {0, os.getegid()}
    )
    return bool(is_open) and not status.st_mode & stat.S_ISVTX


def _name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"uid {uid}"


def _replace(folder: int, name: str, content: bytes, readers: Iterable[int]) -> None:
    aside = f".{name}.{os.urandom(4).hex()}.part"
    descriptor = os.open(aside, _NEW, 0o600, dir_fd=folder)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.setxattr(descriptor, _ACL, acl_of(readers))
            os.fsync(descriptor)
        os.rename(aside, name, src_dir_fd=folder, dst_dir_fd=folder)
        os.fsync(folder)
    except BaseException:
        with suppress(FileNotFoundError):
            os.unlink(aside, dir_fd=folder)
        raise


def acl_of(readers: Iterable[int]) -> bytes:
    """The owner of the file may write, these may read, nobody else may anything."""
    entries = [(_USER_OBJ, _READ_WRITE, _UNUSED)]
    entries += [(_USER, _READ, uid) for uid in sorted(set(readers))]
    entries += [(_GROUP_OBJ, 0, _UNUSED), (_MASK, _READ, _UNUSED), (_OTHER, 0, _UNUSED)]
    return struct.pack("<I", 2) + b"".join(_ENTRY.pack(*entry) for entry in entries)
