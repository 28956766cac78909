"""The verbs that suspend and kill sessions: a signal to the session's process and to no other one."""

import os
import signal
from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any

from rserver_admin.session_stat import is_starting
from rserver_admin.verb import Context, Refused, Result
from rserver_core.launch_wire import SessionRecord
from rserver_process.process_table import is_alive


@dataclass(frozen=True, slots=True)
class Deed:
    """What is done to sessions. done: in the past tense; cuts_start: also to sessions that are just starting."""

    signal: int
    done: str
    cuts_start: bool = False


_SUSPEND = Deed(signal.SIGUSR1, "asked to suspend")
_FORCE_SUSPEND = Deed(signal.SIGUSR2, "told to suspend")
_KILL = Deed(signal.SIGKILL, "killed", cuts_start=True)


def send(record: SessionRecord, number: int) -> bool:
    """Signal the session's process; False when it has ended."""
    try:
        handle = os.pidfd_open(record.pid)
    except ProcessLookupError:
        return False
    try:
        # The number may have passed to another process since the record was written; now that it is held it cannot.
        if not is_alive(record.pid, record.pid_start):
            return False
        signal.pidfd_send_signal(handle, number)
        return True
    except ProcessLookupError:
        return False
    finally:
        os.close(handle)


def _one(deed: Deed, context: Context) -> Result:
    wanted = context.invocation.operands[0]
    found = [record for record in context.server.sessions() if wanted in {str(record.pid), record.session}]
    if not found:
        raise Refused(f"There is no session with the process id or session id {wanted[:40]}.")
    result = _all(deed, found)
    if not result.data["signalled"]:
        raise Refused(result.text)
    return result


def _every(deed: Deed, context: Context) -> Result:
    return _all(deed, context.server.sessions())


def _all(deed: Deed, records: Iterable[SessionRecord]) -> Result:
    signalled, starting, lines = list[Any](), list[Any](), list[str]()
    for record in records:
        name = f"session {record.session} of {record.user} (pid {record.pid})"
        row = {"pid": record.pid, "user": record.user, "session": record.session}
        if not deed.cuts_start and is_starting(record):
            lines.append(f"{name} is just starting: there is nothing to suspend yet")
            starting.append(row)
        elif send(record, deed.signal):
            lines.append(f"{name} was {deed.done}")
            signalled.append(row)
        else:
            lines.append(f"{name} has ended by itself")
    return Result("\n".join(lines) or "There are no active sessions.", {"signalled": signalled, "starting": starting})


suspend_session, suspend_all = partial(_one, _SUSPEND), partial(_every, _SUSPEND)
force_suspend_session, force_suspend_all = partial(_one, _FORCE_SUSPEND), partial(_every, _FORCE_SUSPEND)
kill_session, kill_all = partial(_one, _KILL), partial(_every, _KILL)
