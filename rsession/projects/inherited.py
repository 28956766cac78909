"""Whether a folder hands its rights on to what is made in it: then project sharing, or its group, decides. Blocking."""

import os
import stat
import struct

_POSIX_DEFAULT, _NFS4 = "system.posix_acl_default", "system.nfs4_acl"
_NFS4_INHERITED = 0x3
_ACE = struct.Struct(">4I")
_MOST_ACES = 4096


def hands_rights_on(folder: int | str) -> bool:
    """Set-group-ID, a default ACL, or NFSv4 entries that are inherited; folder: descriptor or path. OSError."""
    if os.stat(folder).st_mode & stat.S_ISGID:
        return True
    return bool(_attribute(folder, _POSIX_DEFAULT)) or is_inherited_nfs4(_attribute(folder, _NFS4))


def make_shared(folder: "str | os.PathLike[str]", mode: int, parent: int | None = None) -> None:
    """Give a folder just made its mode, whatever the umask; with an ACL the group's bits are its mask. OSError.

    Where others write, a link could be in its place by now: it is not followed.
    """
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=parent)
    try:
        os.fchmod(descriptor, mode | (os.fstat(descriptor).st_mode & stat.S_ISGID))
    finally:
        os.close(descriptor)


def _attribute(folder: int | str, name: str) -> bytes:
    try:
        return os.getxattr(folder, name)
    except OSError:
        return b""


def is_inherited_nfs4(acl: bytes) -> bool:
    """Whether what is made below gets entries of this `system.nfs4_acl`.

    Behind their count stand entries of type, flags, mask, length of a name, and the name filled up to 4 bytes.
    """
    place = 4
    for _ in range(_MOST_ACES):
        if place + _ACE.size > len(acl):
            return False
        _, flags, _, length = _ACE.unpack_from(acl, place)
        if flags & _NFS4_INHERITED:
            return True
        place += _ACE.size + (length + 3) // 4 * 4
    return False
