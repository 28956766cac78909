"""A fork that is born in a control group, for which Python has no call.

Moving a process that runs waits until every processor has passed through the kernel, 10 ms and more; being born there
costs nothing.
"""

import ctypes
import os
import signal
import struct

_SYS_CLONE3 = 435
_CLONE_INTO_CGROUP = 0x200000000
_ARGUMENTS = struct.Struct("=11Q")
_system_call = ctypes.CDLL(None).syscall
_system_call.restype = ctypes.c_long


def fork_into(group: int) -> int | None:
    """Like os.fork, the child being in the group of version 2 whose directory is open as `group`.

    None where the kernel cannot (before Linux 5.7, a hierarchy of version 1, a filter that forbids it). Only for
    a process with one thread.
    """
    arguments = _ARGUMENTS.pack(_CLONE_INTO_CGROUP, 0, 0, 0, signal.SIGCHLD, 0, 0, 0, 0, 0, group)
    pid: int = _system_call(ctypes.c_long(_SYS_CLONE3), arguments, ctypes.c_size_t(len(arguments)))
    if pid == 0:
        # What os.fork does for the interpreter: a child may go on without executing another program.
        ctypes.pythonapi.PyOS_AfterFork_Child()
    return None if pid < 0 else pid


def fork_into_directory(path: str) -> int | None:
    """The same for a group by its path; None also where there is none."""
    try:
        group = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        return fork_into(group)
    finally:
        os.close(group)
