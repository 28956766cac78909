"""Becoming an account that holds nothing, or only the three capabilities that changing lists of others takes."""

import os
import struct
from collections.abc import Collection, Iterable

from rserver_acls import kernel

DAC_READ_SEARCH, FOWNER, FSETID = 2, 3, 4
# Without FSETID the kernel takes the setgid bit off every folder whose list is changed.
NEEDED = (DAC_READ_SEARCH, FOWNER, FSETID)
_VERSION_3 = 0x20080522
_LAST = "/proc/sys/kernel/cap_last_cap"


def become(uid: int, gid: int, groups: Iterable[int], keep: Collection[int], real: int = 0) -> None:
    """Turn this process into that account with only these capabilities, for good; OSError.

    real: the account that may send it signals, if it is another one; files know it by uid all the same.
    """
    real = real or uid
    if os.geteuid() == 0:
        with open(_LAST, "rb") as file:
            last = int(file.read())
        for number in set(range(last + 1)) - set(keep):
            kernel.prctl(kernel.PR_CAPBSET_DROP, number)
        os.setgroups(list(groups))
        os.setresgid(gid, gid, gid)
        kernel.prctl(kernel.PR_SET_KEEPCAPS, 1)
        os.setresuid(real, uid, real)
        kernel.prctl(kernel.PR_SET_KEEPCAPS, 0)
        _hold(keep)
    if os.getresuid() != (real, uid, real) or uid == 0:
        raise PermissionError(f"uid {os.getresuid()} instead of {uid}")
    kernel.prctl(kernel.PR_SET_DUMPABLE, 0)
    kernel.prctl(kernel.PR_SET_NO_NEW_PRIVS, 1)


def _hold(keep: Iterable[int]) -> None:
    bits = sum(1 << number for number in keep)
    kernel.capset(struct.pack("Ii", _VERSION_3, 0), struct.pack("6I", bits, bits, 0, 0, 0, 0))
