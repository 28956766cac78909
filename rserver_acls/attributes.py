"""The lists of an open file or folder, read and written as the kernel has them."""

import fcntl
import os
import struct
from errno import ENODATA, ENOTTY, EOPNOTSUPP
from typing import Any

from rserver_acls.acl import ACCESS, DEFAULT
from rserver_acls.manifest import Identity

FS_IOC_GETVERSION = 0x80087601
_FS_IOC_GETFLAGS, _IMMUTABLE_OR_APPEND = 0x80086601, 0x10 | 0x20
_FLAGS = struct.Struct("=Ixxxx")
_VERSION = struct.Struct("<l")
_KEY, _ABSENT = struct.Struct("=IIii"), -1


def read(fd: int, name: str) -> bytes | None:
    """The attribute, or None when the object has none; OSError."""
    try:
        return os.getxattr(fd, name)
    except OSError as error:
        if error.errno == ENODATA:
            return None
        raise


def read_both(fd: int) -> tuple[bytes | None, bytes | None]:
    """Access and default list of a folder."""
    return read(fd, ACCESS), read(fd, DEFAULT)


def key(status: os.stat_result, access: bytes | None, default: bytes | None) -> bytes:
    """The same for objects of the same kind, mode, owner and lists: type and mode, uid, two lengths, two lists."""
    lengths = (_ABSENT if blob is None else len(blob) for blob in (access, default))
    return _KEY.pack(status.st_mode, status.st_uid, *lengths) + (access or b"") + (default or b"")


def is_supported(fd: int) -> bool:
    """True where the file system keeps POSIX lists."""
    try:
        read(fd, ACCESS)
    except OSError as error:
        if error.errno == EOPNOTSUPP:
            return False
        raise
    return True


def is_immutable(fd: int) -> bool:
    """True where `chattr` forbids every change of the lists; before the walls only."""
    try:
        answer: Any = fcntl.ioctl(fd, _FS_IOC_GETFLAGS, bytes(_FLAGS.size))
    except OSError:
        return False
    return bool(_FLAGS.unpack(answer)[0] & _IMMUTABLE_OR_APPEND)


def identity(fd: int, status: os.stat_result) -> Identity:
    """Which object this is; without a generation, and without the device, where the file system tells none.

    Such devices, NFS for one, get a number with each mount; a project lies on one of them.
    """
    try:
        answer: Any = fcntl.ioctl(fd, FS_IOC_GETVERSION, bytes(_VERSION.size))
    except OSError as error:
        if error.errno not in {ENOTTY, EOPNOTSUPP, 22, 1, 38}:
            raise
        return Identity(0, status.st_ino, 0)
    return Identity(status.st_dev, status.st_ino, _VERSION.unpack(answer)[0] & 0xFFFFFFFF)
