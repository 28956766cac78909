"""The keeper: one small process per session that holds its PAM session and sees how its process ends.

Forked from the launcher (or the master), it outlives both and owns the session's files in the run directory.
"""

import contextlib
import os
import select
import signal
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NoReturn, Protocol

from rserver_core import frame
from rserver_core.launch_wire import LaunchSpec
from rserver_process import accounts, cgroup, kernel_files, memory_notice
from rserver_process.accounts import Account, AccountRefused
from rserver_process.attendance import Attendance
from rserver_process.keeper_settings import KeeperSettings
from rserver_process.run_records import RunRecords
from rserver_process.session_start import SessionBegun, SessionBody, SessionPlan, StartFailed, start

_CLOSE_LIMIT = 60
_CLEAR_LIMIT = 10.0


class SessionRefused(Exception):
    """PAM does not let this account have a session; the text is for the log and the failure page."""


class OpenedSession(Protocol):
    """A PAM session that is open in this process."""

    @property
    def environment(self) -> Mapping[str, str]:
        """Variables that PAM modules set for the session."""

    def close(self) -> None:
        """Close the session and drop its credentials."""


OpenSession = Callable[[Account], OpenedSession]


@dataclass(frozen=True, slots=True)
class KeeperContext:
    """What is the same for all keepers of one Keepers. open_session None: sessions run without PAM.

    body: what sessions go on with instead of executing a program.
    """

    settings: KeeperSettings
    files: RunRecords
    open_session: OpenSession | None
    body: SessionBody | None = None


def order(spec: LaunchSpec) -> bytes:
    """What a keeper is told through its socket: session, user and uid on a line, then the frame of the spec."""
    return f"{spec.session} {spec.user} {spec.uid}\n".encode() + frame.encode(spec.to_json())


def keep(context: KeeperContext, channel: int) -> NoReturn:
    """Be the keeper of one session, in a process forked for it. The order comes from `channel`, reports go there.

    SessionBegun comes out of here in the session's own process when the context has a body.
    """
    code = 1
    reports = Reports(channel)
    try:
        os.setsid()
        _name_process()
        _Keeper(context, reports).run(_read_order(channel))
        code = 0
    except SessionBegun:
        raise
    except BaseException as error:
        # Whatever it is, this process must never return into the code of the one it was forked from.
        reports.refuse("failed", f"{type(error).__name__}: {error}")
    os._exit(code)


def _name_process() -> None:
    try:
        kernel_files.write("/proc/self/comm", "rserver-keeper")
    except OSError:
        # Only for the eyes of who looks at ps.
        return


def _read_order(channel: int) -> bytes:
    content = b""
    while chunk := os.read(channel, 1 << 16):
        content += chunk
        start = content.find(b"\n") + 1
        if start and len(content) >= start + 4 + int.from_bytes(content[start : start + 4], "big"):
            break
    return content


class Reports:
    """The socket to the process that asked for us; that one may be gone."""

    def __init__(self, fd: int) -> None:
        self._fd = fd

    def send(self, **message: Any) -> None:
        """Report; unheard when nobody is there."""
        self.forward(frame.encode(message))

    def forward(self, data: bytes) -> None:
        """Report what is a frame already."""
        with contextlib.suppress(OSError):
            os.write(self._fd, data)

    def refuse(self, code: str, text: str) -> None:
        """Report that there is no session."""
        self.send(refused={"code": code, "message": text[:4096]})

    def are_read(self) -> bool:
        """False once the other end is closed."""
        poll = select.poll()
        poll.register(self._fd, 0)
        return not poll.poll(0)


class _Keeper:
    def __init__(self, context: KeeperContext, reports: Reports) -> None:
        self._context, self._reports = context, reports
        self._opened: OpenedSession | None = None

    def run(self, content: bytes) -> None:
        head, _, spec = content.partition(b"\n")
        session, user, uid = head.decode().split(" ")
        try:
            account = accounts.look_up(user)
            accounts.check(account, self._context.settings.minimum_uid, int(uid))
            if self._context.open_session:
                self._opened = self._context.open_session(account)
            # When the launcher died meanwhile its successor knows nothing of us.
            if self._reports.are_read():
                self._run_session(session, spec, account)
        except AccountRefused as error:
            self._reports.refuse("refused", str(error))
        except SessionRefused as error:
            self._reports.refuse("pam", str(error))
        except StartFailed as error:
            self._reports.refuse("failed", str(error))
        except SessionBegun:
            # What is open stays the keeper's.
            self._opened = None
            raise
        finally:
            self._close_session()

    def _run_session(self, session: str, spec: bytes, account: Account) -> None:
        context, opened = self._context, self._opened
        # With PAM the groups are those of this process: pam_group may have added some.
        groups, pam = (None, opened.environment) if opened else (account.groups, {})
        notice = memory_notice.make()
        try:
            group = cgroup.create(session, os.getpid())
            plan = SessionPlan(spec, context.settings, context.files, account, pam, groups, context.body, notice)
            child = start(plan, group)
        except StartFailed:
            self._undo(session)
            raise
        self._reports.forward(child.report)
        memory_notice.hand_over(notice, cgroup.name(session, os.getpid()))
        Attendance(context.files, session, child, self._reports.send).until_end()

    def _undo(self, session: str) -> None:
        self._context.files.forget(session)
        self._context.files.remove(f"{session}.sock")
        cgroup.clear(session, os.getpid(), _CLEAR_LIMIT)

    def _close_session(self) -> None:
        if self._opened:
            # A module that hangs at the end must not leave a keeper for ever.
            signal.signal(signal.SIGALRM, signal.SIG_DFL)
            signal.alarm(_CLOSE_LIMIT)
            self._opened.close()
