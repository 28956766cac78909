"""Reads the folder of files about shared projects: only what the server itself wrote is believed. Blocking."""

import os
import pwd
import stat
from dataclasses import dataclass
from typing import NamedTuple

from rserver_core.shared_project import MAX_BYTES, BadSharedProject, SharedProject, decode, id_in, is_file_name

FOLDER = "shared-projects"
MOST_ENTRIES = 20_000
_READ_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
_WRITABLE_BY_OTHERS = stat.S_IWGRP | stat.S_IWOTH
_Stamp = tuple[int, int, int, int, int, int]


@dataclass(frozen=True, slots=True)
class Known:
    """A project that is believed to be shared, and the uid of the account that owns it."""

    project: SharedProject
    owner_uid: int


class Ignored(NamedTuple):
    """A file that is not believed, and why."""

    name: str
    uid: int
    reason: str


class SharedFolder:
    """Reads it again and again; files that did not change are not read anew.

    writer: uid of the server, whose files alone are believed.
    """

    def __init__(self, path: str, writer: int) -> None:
        self.path, self._writer = path, writer
        self._seen: dict[str, tuple[_Stamp, Known | str]] = {}
        self._told: set[Ignored] = set()

    def read(self) -> tuple[list[Known], list[Ignored]]:
        """Those that this process may read, and files that are newly ignored. OSError when there is no folder."""
        folder = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            found, ignored = self._read(folder)
        finally:
            os.close(folder)
        new = [each for each in ignored if each not in self._told]
        self._told = set(ignored)
        return found, new

    def _read(self, folder: int) -> tuple[list[Known], list[Ignored]]:
        found: list[Known] = []
        ignored: list[Ignored] = []
        seen: dict[str, tuple[_Stamp, Known | str]] = {}
        with os.scandir(folder) as entries:
            names = [entry.name for entry, _ in zip(entries, range(MOST_ENTRIES), strict=False)]
        for name in filter(is_file_name, names):
            try:
                status = os.stat(name, dir_fd=folder, follow_symlinks=False)
                verdict = self._verdict(folder, name, status)
            except (FileNotFoundError, PermissionError):
                continue
            seen[name] = (_stamp(status), verdict)
            if isinstance(verdict, Known):
                found.append(verdict)
            else:
                ignored.append(Ignored(name, status.st_uid, verdict))
        self._seen = seen
        return found, ignored

    def _verdict(self, folder: int, name: str, status: os.stat_result) -> Known | str:
        before = self._seen.get(name)
        if before is not None and before[0] == _stamp(status) and isinstance(before[1], Known):
            return before[1]
        try:
            _check(status, self._writer)
            return _judged(_content(folder, name, self._writer), name)
        except BadSharedProject as error:
            return str(error)
        except PermissionError:
            raise
        except OSError as error:
            return f"it cannot be read: {error.strerror}"


def staleness(known: Known) -> str:
    """Why there is no such project any more, as far as this process can see; empty: nothing speaks against it."""
    try:
        uid = os.stat(known.project.folder).st_uid
    except PermissionError:
        return ""
    except OSError as error:
        return f"the folder {known.project.folder} is not there: {error.strerror}"
    return "" if uid == known.owner_uid else f"the folder {known.project.folder} does not belong to its owner any more"


def _check(status: os.stat_result, writer: int) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise BadSharedProject("it is no regular file")
    if status.st_uid != writer:
        raise BadSharedProject("it was not written by the server")
    if status.st_nlink != 1:
        raise BadSharedProject("it has other links")
    if status.st_mode & _WRITABLE_BY_OTHERS:
        raise BadSharedProject("others than the server may write it")
    if status.st_size > MAX_BYTES:
        raise BadSharedProject(f"it is larger than {MAX_BYTES // 1024} KiB")


def _content(folder: int, name: str, writer: int) -> bytes:
    descriptor = os.open(name, _READ_FLAGS, dir_fd=folder)
    try:
        # It may be another file by now.
        _check(os.fstat(descriptor), writer)
        with os.fdopen(descriptor, "rb", closefd=False) as file:
            return file.read(MAX_BYTES + 1)
    finally:
        os.close(descriptor)


def _judged(content: bytes, name: str) -> Known:
    project = decode(content, name[5:13])
    try:
        owner_uid = pwd.getpwnam(project.owner).pw_uid
    except KeyError:
        raise BadSharedProject(f"its owner {project.owner} has no account here") from None
    id_in(name, owner_uid)
    return Known(project, owner_uid)


def _stamp(status: os.stat_result) -> _Stamp:
    return (status.st_ino, status.st_mtime_ns, status.st_ctime_ns, status.st_size, status.st_mode, status.st_uid)
