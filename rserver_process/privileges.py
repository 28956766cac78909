"""Becoming another account, for good."""

import ctypes
import os
from collections.abc import Callable, Iterable

from rserver_process.descriptors import close_all_but

_PR_SET_DUMPABLE, _PR_SET_KEEPCAPS, _PR_SET_NO_NEW_PRIVS = 4, 8, 38
_UNCHANGED = -1


class PrivilegesKept(Exception):
    """The drop did not do what it must; the process may not go on."""


def become(
    uid: int,
    gid: int,
    groups: Iterable[int] | None,
    *,
    no_new_privs: bool,
    umask: int = 0o022,
    keep_fds: Iterable[int] | None = None,
) -> None:
    """Turn this process into uid:gid with these supplementary groups, with no way back.

    PrivilegesKept or OSError when that fails: the process must end then.
    groups=None keeps the groups the process has. keep_fds: every other descriptor is closed (None: none is).
    no_new_privs also forbids the programs it starts to gain anything by setuid bits: right for the server, wrong for a
    session, whose terminal must be able to run sudo. Without root uid and gid must be our own already.
    """
    if keep_fds is not None:
        close_all_but(keep_fds)
    os.umask(umask)
    if os.geteuid() == 0:
        _drop(uid, gid, groups)
    if no_new_privs:
        _prctl(_PR_SET_NO_NEW_PRIVS, 1)
    _verify(uid, gid)


def not_dumpable() -> None:
    """No core dump and no debugger of the same user: what the memory holds is nobody's business. Ends with exec."""
    _prctl(_PR_SET_DUMPABLE, 0)


def dumpable() -> None:
    """Undo not_dumpable(), for a process that goes on without exec: its memory must hold no secret."""
    _prctl(_PR_SET_DUMPABLE, 1)


def _drop(uid: int, gid: int, groups: Iterable[int] | None) -> None:
    if groups is not None:
        os.setgroups(list(groups))
    os.setresgid(gid, gid, gid)
    _prctl(_PR_SET_KEEPCAPS, 0)
    os.setresuid(uid, uid, uid)
    # Until exec the memory is a copy of a privileged process, keys included. The kernel clears the flag at a change
    # of uid only where fs.suid_dumpable is at its default.
    not_dumpable()


def _verify(uid: int, gid: int) -> None:
    if uid == 0 or os.getresuid() != (uid, uid, uid) or os.getresgid() != (gid, gid, gid):
        raise PrivilegesKept(f"uid {os.getresuid()} gid {os.getresgid()} instead of {uid}:{gid}")
    if 0 in os.getgroups() and gid != 0:
        raise PrivilegesKept("still a member of root's group")
    _must_fail(os.setresuid)
    _must_fail(os.setresgid)


def _must_fail(regain: Callable[[int, int, int], None]) -> None:
    try:
        regain(_UNCHANGED, 0, _UNCHANGED)
    except PermissionError:
        return
    raise PrivilegesKept("root could be regained")


def _prctl(option: int, value: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(option, ctypes.c_ulong(value), ctypes.c_ulong(0), ctypes.c_ulong(0), ctypes.c_ulong(0)) != 0:
        raise OSError(ctypes.get_errno(), f"prctl({option}): {os.strerror(ctypes.get_errno())}")
