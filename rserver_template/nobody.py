"""While R starts in a root process, that process has no power: neither a user id nor a capability that counts.

Real and saved id stay root's, so that nobody else may signal or trace it and the keepers can be what they must be.
"""

import os
import pwd

_NUMBER = 65534


def become_nobody() -> None:
    """Without root: nothing."""
    if os.geteuid() != 0:
        return
    try:
        entry = pwd.getpwnam("nobody")
        uid, gid = entry.pw_uid, entry.pw_gid
    except KeyError:
        uid = gid = _NUMBER
    os.setgroups([])
    os.setegid(gid)
    os.seteuid(uid)


def become_root() -> None:
    """Take it back; without root: nothing."""
    if os.getuid() == 0:
        os.seteuid(0)
        os.setegid(0)
