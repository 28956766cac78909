"""The keeper: one small process per session that holds its PAM session and sees how its process ends.

Forked from the launcher (or the master), it outlives both and owns the session's files in the run directory.
"""

import contextlib
import gc
import os
import select
import signal
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NoReturn, Protocol

from rserver_core import frame
from rserver_core.launch_wire import LaunchSpec
from rserver_process import accounts, cgroup, kernel_files
from rserver_process.accounts import Account, AccountRefused
from rserver_process.attendance import Attendance
from rserver_process.descriptors import close_all_but, null_on
from rserver_process.keeper_settings import KeeperSettings
from rserver_process.run_records import RunRecords
from rserver_process.session_start import SessionPlan, StartFailed, start

_CLOSE_LIMIT = 60


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
class KeeperTask:
    """What a keeper is forked for. open_session None: the session runs without PAM."""

    spec: LaunchSpec
    settings: KeeperSettings
    files: RunRecords
    open_session: OpenSession | None


def keep(task: KeeperTask, reports: int) -> NoReturn:
    """Be the keeper of a session, in a process forked for it. Reports go as frames to the descriptor `reports`."""
    code = 1
    try:
        _leave_parent(reports)
        _Keeper(task, Reports(reports)).run()
        code = 0
    except BaseException as error:
        # Whatever it is, this process must never return into the code of the one it was forked from.
        Reports(reports).refuse("failed", f"{type(error).__name__}: {error}")
    finally:
        os._exit(code)


def _leave_parent(reports: int) -> None:
    os.setsid()
    gc.disable()
    # The parent's loop is not ours: its descriptors close below, its wake-up must not reach the parent.
    signal.set_wakeup_fd(-1)
    close_all_but({reports})
    null_on(0, 1, 2)
    os.chdir("/")
    os.umask(0o022)
    with contextlib.suppress(OSError):
        kernel_files.write("/proc/self/comm", "rserver-keeper")


class Reports:
    """The pipe to the process that forked us; that one may be gone."""

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
    def __init__(self, task: KeeperTask, reports: Reports) -> None:
        self._task, self._reports = task, reports
        self._opened: OpenedSession | None = None

    def run(self) -> None:
        try:
            account = accounts.look_up(self._task.spec.user)
            accounts.check(account, self._task.settings.minimum_uid)
            if self._task.open_session:
                self._opened = self._task.open_session(account)
            # When the launcher died meanwhile its successor knows nothing of us.
            if self._reports.are_read():
                self._run_session(account)
        except AccountRefused as error:
            self._reports.refuse("refused", str(error))
        except SessionRefused as error:
            self._reports.refuse("pam", str(error))
        except StartFailed as error:
            self._reports.refuse("failed", str(error))
        finally:
            self._close_session()

    def _run_session(self, account: Account) -> None:
        task, opened = self._task, self._opened
        # With PAM the groups are those of this process: pam_group may have added some.
        groups, pam = (None, opened.environment) if opened else (account.groups, {})
        try:
            child = start(SessionPlan(task.spec, task.settings, task.files, account, pam, groups))
        except StartFailed:
            self._undo()
            raise
        self._reports.forward(child.report)
        Attendance(task.files, task.spec.session, child, self._reports.send).until_end()

    def _undo(self) -> None:
        session = self._task.spec.session
        self._task.files.forget(session)
        self._task.files.remove(f"{session}.sock")
        cgroup.clear(session, os.getpid())

    def _close_session(self) -> None:
        if self._opened:
            # A module that hangs at the end must not leave a keeper for ever.
            signal.signal(signal.SIGALRM, signal.SIG_DFL)
            signal.alarm(_CLOSE_LIMIT)
            self._opened.close()
