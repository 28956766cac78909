"""From the keeper to the user's process: fork, prepare what belongs to the session, become the user, execute.

All preparations are the child's: the pages it touches are gone with its exec, while the keeper goes on sharing its
own with the other keepers.
"""

import fcntl
import os
import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import NoReturn, Protocol

from rserver_core import frame
from rserver_core.launch_wire import LaunchSpec, SessionRecord
from rserver_core.profiles import published
from rserver_process import cgroup, memory_notice, privileges, session_limits, session_socket, signals
from rserver_process.accounts import Account
from rserver_process.cgroup import Cgroup
from rserver_process.descriptors import close_all_but, null_on
from rserver_process.keeper_settings import KeeperSettings
from rserver_process.process_table import start_ticks
from rserver_process.run_records import RunRecords
from rserver_process.session_environment import session_environment

_SOCKET_FD = 3
_ABOVE_STANDARD = 10
_LENGTH_BYTES = 4


class SessionBegun(BaseException):
    """This process is the session now, without executing a program: nobody on the way out may go on as the keeper."""


class SessionBody(Protocol):
    """What a keeper holds in its memory already, that sessions can go on with instead of executing a program."""

    @property
    def descriptors(self) -> frozenset[int]:
        """Open files that belong to it."""

    def enter(self, plan: "SessionPlan", spec: LaunchSpec, words: int) -> None:
        """Go on as the session, in its process, which is the user's by now: SessionBegun is raised.

        Returns when this session cannot be this body's and must be executed. words: what _be_session would say why
        nothing runs; from its end on the keeper takes the session for running.
        """


class StartFailed(Exception):
    """The session's program was not executed; the text says why."""


@dataclass(frozen=True, slots=True)
class SessionPlan:
    """What to start, and as whom. spec: the launch spec's frame, which only the session's own process takes apart.

    pam: variables of the PAM session. groups None: those the keeper has. body None: the program is executed.
    notice: of memory_notice, for a session whose memory is limited.
    """

    spec: bytes
    settings: KeeperSettings
    files: RunRecords
    account: Account
    pam: Mapping[str, str]
    groups: tuple[int, ...] | None
    body: SessionBody | None = None
    notice: int = memory_notice.NONE


@dataclass(frozen=True, slots=True)
class Child:
    """A session's process whose program runs. output reads its stdout and stderr, report is the frame that says so."""

    pid: int
    output: int
    report: bytes


def start(plan: SessionPlan, group: Cgroup) -> Child:
    """Start the session in its group; StartFailed when its program could not be executed, or nothing written down."""
    words, child_words = os.pipe2(os.O_CLOEXEC)
    output, child_output = os.pipe2(os.O_CLOEXEC)
    keeper = os.getpid()
    pid = group.fork()
    if pid == 0:
        _be_session(plan, keeper, child_words, child_output)
    os.close(child_words)
    os.close(child_output)
    said = b""
    # The end of the file comes with exec.
    while chunk := os.read(words, 1 << 16):
        said += chunk
    os.close(words)
    report, reason = _divide(said)
    if reason or not report:
        os.waitpid(pid, 0)
        raise StartFailed(reason.decode("utf-8", "replace") or "the session's process ended before its program ran")
    return Child(pid, output, report)


def _divide(said: bytes) -> tuple[bytes, bytes]:
    """The report's frame, and what follows it or is there instead: why nothing was executed."""
    if said[:1] != b"\0":
        return b"", said
    end = _LENGTH_BYTES + int.from_bytes(said[:_LENGTH_BYTES], "big")
    return said[:end], said[end:]


def _be_session(plan: SessionPlan, keeper: int, words: int, output: int) -> NoReturn:
    try:
        os.setsid()
        words, notice = _arrange(words, output, plan)
        spec = LaunchSpec.from_json(frame.decode(plan.spec[_LENGTH_BYTES:]))
        spec = replace(spec, argv=(*spec.argv, *_limit(plan, cgroup.name(spec.session, keeper), notice)))
        _prepare(plan, spec.session, keeper, words)
        signals.all_at_default()
        account = plan.account
        privileges.become(account.uid, account.gid, plan.groups, no_new_privs=False, umask=plan.settings.umask)
        _enter_home(account.home)
        if plan.body:
            plan.body.enter(plan, spec, words)
        execute(plan, spec)
    except SessionBegun:
        raise
    except StartFailed as reason:
        os.write(words, str(reason).encode("utf-8", "replace")[:4096])
    except OSError as reason:
        os.write(words, f"{reason.filename or 'the system'}: {reason.strerror}".encode("utf-8", "replace")[:4096])
    except BaseException as reason:
        os.write(words, f"{type(reason).__name__}: {reason}".encode("utf-8", "replace")[:4096])
    os._exit(127)


def _arrange(words: int, output: int, plan: SessionPlan) -> tuple[int, int]:
    """Where words and the plan's notice are now."""
    also = plan.body.descriptors if plan.body else frozenset[int]()
    words, output = (fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, _ABOVE_STANDARD) for fd in (words, output))
    notice = plan.notice
    if notice != memory_notice.NONE:
        notice = fcntl.fcntl(notice, fcntl.F_DUPFD_CLOEXEC, _ABOVE_STANDARD)
    null_on(0)
    os.dup2(output, 1)
    os.dup2(output, 2)
    close_all_but({0, 1, 2, words, notice, *also})
    return words, notice


def _limit(plan: SessionPlan, group: str, notice: int) -> tuple[str, ...]:
    """Hold the session to its profile; options of rsession that follow from it."""
    try:
        profile = session_limits.profile_of(plan.account, published.read(plan.files.run_dir))
        session_limits.hold(profile, group)
    except (published.Unreadable, session_limits.CannotLimit) as error:
        raise StartFailed(str(error)) from None
    if notice == memory_notice.NONE:
        return ()
    # Inherited, and none of those that an R that was started already reads from.
    kept = fcntl.fcntl(notice, fcntl.F_DUPFD, _SOCKET_FD + 1) if profile.max_memory_mb else None
    # Where nothing is executed nobody else closes it.
    os.close(notice)
    return () if kept is None else (f"--memory-event-fd={kept}",)


def _prepare(plan: SessionPlan, session: str, keeper: int, words: int) -> None:
    settings = plan.settings
    path = plan.files.socket(session)
    _hold(session_socket.listen(path, plan.account, settings.server_gid))
    record = _record(plan.account, session, keeper, path)
    for kind in ("exit", "order"):
        plan.files.remove(f"{session}.{kind}")
    plan.files.write_record(record)
    os.write(words, frame.encode({"started": record.to_json()}))


def _hold(sock: socket.socket) -> None:
    fd = sock.detach()
    if fd == _SOCKET_FD:
        os.set_inheritable(fd, True)
    else:
        os.dup2(fd, _SOCKET_FD)
        os.close(fd)


def _record(account: Account, session: str, keeper: int, path: str) -> SessionRecord:
    own, keepers = start_ticks(os.getpid()), start_ticks(keeper)
    # A keeper that was killed by now told nobody of us.
    if own is None or keepers is None or os.getppid() != keeper:
        raise StartFailed("the keeper is gone")
    return SessionRecord(
        session=session,
        user=account.name,
        uid=account.uid,
        gid=account.gid,
        pid=os.getpid(),
        keeper_pid=keeper,
        started=time.time(),
        pid_start=own,
        keeper_start=keepers,
        socket=path,
    )


def _enter_home(home: str) -> None:
    try:
        os.chdir(home)
    except OSError as error:
        os.write(2, f"rserver: cannot enter the home directory {home}: {error.strerror}; starting in /\n".encode())
        os.chdir("/")


def execute(plan: SessionPlan, spec: LaunchSpec) -> NoReturn:
    """Put the session's program in the place of this process; StartFailed or OSError when that cannot be."""
    argv = ("/bin/sh", plan.settings.run_script, *plan.settings.program, *spec.argv)
    try:
        os.execve(argv[0], argv, environment_of(plan, spec))
    except BlockingIOError:
        raise StartFailed("the account runs as many processes as it may") from None


def environment_of(plan: SessionPlan, spec: LaunchSpec) -> dict[str, str]:
    """What the session's login shell starts with."""
    return session_environment(plan.account, plan.settings.environment, plan.pam, spec.env)
