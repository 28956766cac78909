"""Calls of Linux that the standard library does not offer."""

import ctypes
import os

_libc = ctypes.CDLL(None, use_errno=True)
_libc.syscall.restype = ctypes.c_long

PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_SET_KEEPCAPS, PR_SET_SECCOMP = 1, 4, 8, 22
PR_CAPBSET_DROP, PR_SET_NO_NEW_PRIVS = 24, 38


def prctl(option: int, first: int, second: int = 0) -> int:
    """prctl(2); OSError."""
    values = [ctypes.c_ulong(value) for value in (first, second, 0, 0)]
    return _checked(_libc.prctl(option, *values), "prctl")


def capset(header: bytes, data: bytes) -> None:
    """capset(2); OSError."""
    _checked(_libc.capset(header, data), "capset")


def syscall(number: int, *arguments: int | bytes | None) -> int:
    """Any call by its number; OSError."""
    values = [ctypes.c_long(value) if isinstance(value, int) else value for value in arguments]
    return _checked(_libc.syscall(ctypes.c_long(number), *values), f"system call {number}")


def address_of(content: bytes) -> "tuple[int, object]":
    """Where these bytes lie, and what must be kept for as long as they are used."""
    buffer = ctypes.create_string_buffer(content, len(content))
    return ctypes.addressof(buffer), buffer


def _checked(result: int, name: str) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{name}: {os.strerror(number)}")
    return result
