"""Landlock: from now on this process can open files below one folder only, and only to read."""

import errno
import struct

from rserver_acls import kernel

_CREATE, _ADD_RULE, _RESTRICT = 444, 445, 446
_VERSION_FLAG, _PATH_BENEATH = 1, 1
_READ_FILE, _READ_DIR = 1 << 2, 1 << 3
# By version of the interface: how many rights on files, on the network, and scopes there are.
_FILE_RIGHTS = {1: 13, 2: 14, 3: 15, 4: 15}
_NEWEST_FILE_RIGHTS = 16


def version() -> int:
    """Of the kernel's interface; 0 when it has none, or it is switched off."""
    try:
        return kernel.syscall(_CREATE, None, 0, _VERSION_FLAG)
    except OSError as error:
        if error.errno in {errno.ENOSYS, errno.EOPNOTSUPP}:
            return 0
        raise


def restrict(folder: int, interface: int) -> None:
    """Only what lies below this open folder can be opened, and only for reading; needs no_new_privs. OSError."""
    ruleset = kernel.syscall(_CREATE, attributes := _attributes(interface), len(attributes), 0)
    kernel.syscall(_ADD_RULE, ruleset, _PATH_BENEATH, struct.pack("=Qi", _READ_FILE | _READ_DIR, folder), 0)
    kernel.syscall(_RESTRICT, ruleset, 0)


def _attributes(interface: int) -> bytes:
    files = (1 << _FILE_RIGHTS.get(interface, _NEWEST_FILE_RIGHTS)) - 1
    network = 0b11 if interface >= 4 else 0
    scopes = 0b11 if interface >= 6 else 0
    return struct.pack("QQQ", files, network, scopes)[: 24 if interface >= 6 else 16 if interface >= 4 else 8]
