"""Changes in a folder, told by the kernel where it sees all of them: on local file systems."""

import ctypes
import os
import struct
from collections.abc import Callable
from typing import TYPE_CHECKING

from rsession.segment_reader import ReadableDescriptor

if TYPE_CHECKING:
    from twisted.internet.interfaces import IReactorFDSet

_LOCAL = frozenset(("ext2", "ext3", "ext4", "xfs", "btrfs", "tmpfs", "ramfs", "overlay", "f2fs", "zfs", "bcachefs"))
_ATTRIB, _CLOSE_WRITE, _MOVED, _DELETE, _DELETE_SELF, _MOVE_SELF = 0x4, 0x8, 0xC0, 0x200, 0x400, 0x800
_MASK = _ATTRIB | _CLOSE_WRITE | _MOVED | _DELETE | _DELETE_SELF | _MOVE_SELF
_HARMLESS_TO_OWN = _CLOSE_WRITE | _MOVED
_EVENT = struct.Struct("=iIII")
_READ_BYTES = 1 << 16


def file_system(descriptor: int) -> str:
    """The type of the file system on which an open file lies, as in mountinfo; empty: not known. Blocking."""
    try:
        with open(f"/proc/self/fdinfo/{descriptor}", encoding="ascii") as file:
            mount = next(line.split()[1] for line in file if line.startswith("mnt_id:"))
        with open("/proc/self/mountinfo", encoding="utf-8", errors="replace") as file:
            fields = next(line.split() for line in file if line.startswith(f"{mount} "))
        return fields[fields.index("-") + 1]
    except (OSError, StopIteration, IndexError, ValueError):
        return ""


def is_watchable(file_system: str) -> bool:
    """Whether changes made by other machines cannot happen there, so that inotify tells all."""
    return file_system in _LOCAL


class FolderWatch:
    """Calls back with True when our own file, or the folder, was touched by somebody; with False for other files."""

    def __init__(self, reactor: "IReactorFDSet", own: str, changed: Callable[[bool], None]) -> None:
        self._reactor, self._own, self._changed = reactor, own.encode(), changed
        self._descriptor = -1
        self._reader: ReadableDescriptor | None = None

    @property
    def is_on(self) -> bool:
        """The kernel tells."""
        return self._reader is not None

    def begin(self, folder: int) -> None:
        """Watch the folder of this descriptor, and none that was watched before. OSError."""
        self.stop()
        libc = ctypes.CDLL(None, use_errno=True)
        self._descriptor = _checked(libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC))
        try:
            _checked(libc.inotify_add_watch(self._descriptor, f"/proc/self/fd/{folder}".encode(), _MASK))
        except OSError:
            os.close(self._descriptor)
            raise
        self._reader = ReadableDescriptor(self._descriptor, self._reactor, self._read)
        self._reactor.addReader(self._reader)

    def stop(self) -> None:
        """Watch nothing."""
        if self._reader is not None:
            self._reactor.removeReader(self._reader)
            os.close(self._descriptor)
            self._reader = None

    def _read(self) -> None:
        try:
            data = os.read(self._descriptor, _READ_BYTES)
        except BlockingIOError:
            return
        told: set[bool] = set()
        place = 0
        while place + _EVENT.size <= len(data):
            _, mask, _, length = _EVENT.unpack_from(data, place)
            name = data[place + _EVENT.size : place + _EVENT.size + length].rstrip(b"\0")
            told |= self._meaning(name, mask)
            place += _EVENT.size + length
        if told:
            self._changed(True in told)

    def _meaning(self, name: bytes, mask: int) -> set[bool]:
        if name == self._own:
            return set() if mask & _HARMLESS_TO_OWN else {True}
        if not name:
            return {True}
        return set() if name.startswith(b".") else {False}


def _checked(result: int) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result
