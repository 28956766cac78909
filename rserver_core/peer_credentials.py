"""What the kernel says of the peer of a Unix socket (SO_PEERCRED, `struct ucred`). Pure."""

import struct

# pid, uid, gid; only the pid has a sign: uids go up to 2^32 - 2.
_UCRED = struct.Struct("iII")
SIZE = _UCRED.size


def uid_of(credentials: bytes) -> int:
    """The uid in the SIZE bytes that getsockopt answers."""
    return int(_UCRED.unpack(credentials)[1])
