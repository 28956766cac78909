"""From the keeper to the user's process: fork, become the user, wait for the word, exec."""

import contextlib
import fcntl
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NoReturn

from rserver_core.launch_wire import LaunchSpec, SessionRecord
from rserver_process import privileges, signals
from rserver_process.accounts import Account
from rserver_process.cgroup import Cgroup
from rserver_process.descriptors import close_all_but, null_on
from rserver_process.process_table import start_ticks

_SOCKET_FD = 3
_ABOVE_STANDARD = 10
_LONGEST_REASON = 4096


class StartFailed(Exception):
    """The session's program was not executed; the text says why."""


@dataclass(frozen=True, slots=True)
class Program:
    """What to execute and as whom; groups None: those of this process."""

    argv: tuple[str, ...]
    env: Mapping[str, str]
    account: Account
    groups: tuple[int, ...] | None
    umask: int


class Child:
    """A forked child that waits for release() before it executes its program. output reads its stdout and stderr."""

    def __init__(self, pid: int, go: int, error: int, output: int) -> None:
        self.pid, self.output = pid, output
        self._go, self._error = go, error

    @classmethod
    def fork(cls, program: Program, sock: int, group: Cgroup) -> "Child":
        """Fork; the child becomes the user at once, with sock as descriptor 3."""
        (go_read, go), (error, error_write), (output, output_write) = (os.pipe2(os.O_CLOEXEC) for _ in range(3))
        pid = os.fork()
        if pid == 0:
            _be_session(program, group, _Descriptors(sock, output_write, go_read, error_write))
        for fd in (go_read, error_write, output_write):
            os.close(fd)
        return cls(pid, go, error, output)

    def record(self, spec: LaunchSpec, account: Account, socket_path: str) -> SessionRecord:
        """The session's record."""
        own, theirs = start_ticks(os.getpid()), start_ticks(self.pid)
        if own is None or theirs is None:
            raise StartFailed("/proc is not mounted")
        return SessionRecord(
            session=spec.session,
            user=account.name,
            uid=account.uid,
            gid=account.gid,
            pid=self.pid,
            keeper_pid=os.getpid(),
            started=time.time(),
            pid_start=theirs,
            keeper_start=own,
            socket=socket_path,
        )

    def release(self) -> None:
        """Let the program run; StartFailed with the reason when it could not be executed."""
        with contextlib.suppress(BrokenPipeError):
            os.write(self._go, b"g")
        os.close(self._go)
        # The descriptor closes at exec.
        reason = os.read(self._error, _LONGEST_REASON)
        os.close(self._error)
        if reason:
            os.waitpid(self.pid, 0)
            raise StartFailed(reason.decode("utf-8", "replace"))


@dataclass(frozen=True, slots=True)
class _Descriptors:
    sock: int
    output: int
    go: int
    error: int


def _be_session(program: Program, group: Cgroup, fds: _Descriptors) -> NoReturn:
    error = fds.error
    try:
        os.setsid()
        group.join()
        go, error = _arrange(fds)
        signals.all_at_default()
        account = program.account
        privileges.become(account.uid, account.gid, program.groups, no_new_privs=False, umask=program.umask)
        _enter_home(account.home)
        # End of file: the keeper died before it had written down that we exist.
        if os.read(go, 1):
            os.execve(program.argv[0], program.argv, dict(program.env))
    except BaseException as reason:
        os.write(error, f"{type(reason).__name__}: {reason}".encode("utf-8", "replace")[:_LONGEST_REASON])
    finally:
        os._exit(127)


def _arrange(fds: _Descriptors) -> tuple[int, int]:
    sock, output, go, error = (
        fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, _ABOVE_STANDARD) for fd in (fds.sock, fds.output, fds.go, fds.error)
    )
    null_on(0)
    os.dup2(output, 1)
    os.dup2(output, 2)
    os.dup2(sock, _SOCKET_FD)
    close_all_but({0, 1, 2, _SOCKET_FD, go, error})
    return go, error


def _enter_home(home: str) -> None:
    try:
        os.chdir(home)
    except OSError as error:
        os.write(2, f"rserver: cannot enter the home directory {home}: {error.strerror}; starting in /\n".encode())
        os.chdir("/")
