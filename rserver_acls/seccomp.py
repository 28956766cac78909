"""seccomp: of all system calls only those that reading a tree and fsetxattr take; no other that writes attributes."""

import os
import struct

from rserver_acls import kernel
from rserver_acls.attributes import FS_IOC_GETVERSION

_MODE_FILTER = 2
_LOAD, _EQUAL, _ANY_BIT, _RETURN = 0x20, 0x15, 0x45, 0x06
_NUMBER_AT, _ARCHITECTURE_AT, _SECOND_AT, _THIRD_AT = 0, 4, 24, 32
_KILL, _REFUSE, _ALLOW = 0x80000000, 0x00050000 | 1, 0x7FFF0000
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC
_PROT_EXEC = 4
_INSTRUCTION = struct.Struct("HBBI")

# What needs no look at its arguments; then openat, ioctl, mmap, mprotect; then fchmod.
_CALLS = {
    "x86_64": (
        0xC000003E,
        {
            "read": 0, "write": 1, "close": 3, "fstat": 5, "lseek": 8, "munmap": 11, "brk": 12, "rt_sigaction": 13,
            "rt_sigprocmask": 14, "rt_sigreturn": 15, "pread64": 17, "pwrite64": 18, "mremap": 25, "madvise": 28,
            "getpid": 39, "exit": 60, "fcntl": 72, "fsync": 74, "fdatasync": 75, "fchdir": 81, "gettimeofday": 96,
            "sigaltstack": 131, "fsetxattr": 190, "lgetxattr": 192, "fgetxattr": 193, "flistxattr": 196, "futex": 202,
            "getdents64": 217, "restart_syscall": 219, "clock_gettime": 228, "exit_group": 231, "newfstatat": 262,
            "getrandom": 318, "rseq": 334,
        },
        (257, 16, 9, 10),
        91,
    ),
    "aarch64": (
        0xC00000B7,
        {
            "fsetxattr": 7, "lgetxattr": 9, "fgetxattr": 10, "flistxattr": 13, "fcntl": 25, "fchdir": 50, "close": 57,
            "getdents64": 61, "lseek": 62,
            "read": 63, "write": 64, "pread64": 67, "pwrite64": 68, "newfstatat": 79, "fstat": 80, "fsync": 82,
            "fdatasync": 83, "exit": 93, "exit_group": 94, "futex": 98, "clock_gettime": 113, "restart_syscall": 128,
            "sigaltstack": 132, "rt_sigaction": 134, "rt_sigprocmask": 135, "rt_sigreturn": 139, "gettimeofday": 169,
            "getpid": 172, "brk": 214, "munmap": 215, "mremap": 216, "madvise": 233, "getrandom": 278, "rseq": 293,
        },
        (56, 29, 222, 226),
        52,
    ),
}  # fmt: skip


def restrict(*, with_modes: bool = False) -> None:
    """Refuse every other call with EPERM from now on; needs no_new_privs. OSError, also on an unknown processor.

    with_modes: fchmod is allowed, which exact restoring of NFSv4 lists takes.
    """
    known = _CALLS.get(os.uname().machine)
    if known is None:
        raise OSError(f"the system calls of a {os.uname().machine} are not known")
    architecture, calls, looked_at, fchmod = known
    program = _program(architecture, {**calls, "fchmod": fchmod} if with_modes else calls, looked_at)
    address, _kept = kernel.address_of(program)
    header, _kept_too = kernel.address_of(struct.pack("HxxxxxxQ", len(program) // _INSTRUCTION.size, address))
    kernel.prctl(kernel.PR_SET_SECCOMP, _MODE_FILTER, header)


def _program(architecture: int, calls: dict[str, int], looked_at: tuple[int, int, int, int]) -> bytes:
    """A filter: every test falls through to the next one."""
    code = [(_LOAD, 0, 0, _ARCHITECTURE_AT), (_EQUAL, 1, 0, architecture), (_RETURN, 0, 0, _KILL)]
    code.append((_LOAD, 0, 0, _NUMBER_AT))
    opening, ioctl, mapping, protecting = looked_at
    # First what is called most: of calls whose arguments count the kernel remembers no verdict.
    code += _if_call(opening, _THIRD_AT, _ANY_BIT, _WRITING, _REFUSE, _ALLOW)
    for number in calls.values():
        code += [(_EQUAL, 0, 1, number), (_RETURN, 0, 0, _ALLOW)]
    code += _if_call(ioctl, _SECOND_AT, _EQUAL, FS_IOC_GETVERSION, _ALLOW, _REFUSE)
    code += _if_call(mapping, _THIRD_AT, _ANY_BIT, _PROT_EXEC, _REFUSE, _ALLOW)
    code += _if_call(protecting, _THIRD_AT, _ANY_BIT, _PROT_EXEC, _REFUSE, _ALLOW)
    code.append((_RETURN, 0, 0, _REFUSE))
    return b"".join(_INSTRUCTION.pack(*instruction) for instruction in code)


def _if_call(
    number: int, argument: int, test: int, value: int, if_true: int, if_false: int
) -> list[tuple[int, int, int, int]]:
    return [
        (_EQUAL, 0, 4, number),
        (_LOAD, 0, 0, argument),
        (test, 0, 1, value),
        (_RETURN, 0, 0, if_true),
        (_RETURN, 0, 0, if_false),
    ]
