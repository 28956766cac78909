"""The verbs that kill sessions: a signal to the session's process and to no other one."""

import contextlib
import os
import signal
from collections.abc import Iterable, Sequence
from typing import Any

from rserver_admin.server import Server
from rserver_admin.verb import Context, Refused, Result
from rserver_core.launch_wire import SessionRecord
from rserver_process.process_table import is_alive
from rserver_process.run_records import RunRecords


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


def find(context: Context) -> Sequence[SessionRecord]:
    """The session that the operand names; Refused."""
    wanted = context.invocation.operands[0]
    found = [record for record in context.server.sessions() if wanted in {str(record.pid), record.session}]
    if not found:
        raise Refused(f"There is no session with the process id or session id {wanted[:40]}.")
    return found


def name_of(record: SessionRecord) -> str:
    """As a line about it begins."""
    return f"session {record.session} of {record.user} (pid {record.pid})"


def kill_session(context: Context) -> Result:
    """Kill one session; Refused when it had ended."""
    result = _kill(context.server, find(context))
    if not result.data["signalled"]:
        raise Refused(result.text)
    return result


def kill_all(context: Context) -> Result:
    """Kill every session."""
    return _kill(context.server, context.server.sessions())


def _kill(server: Server, records: Iterable[SessionRecord]) -> Result:
    files = RunRecords(str(server.run_dir))
    signalled, lines = list[Any](), list[str]()
    for record in records:
        # Told to the session's user; a full run directory is no reason to leave it alive.
        with contextlib.suppress(OSError):
            files.write_order(record)
        if send(record, signal.SIGKILL):
            lines.append(f"{name_of(record)} was killed")
            signalled.append({"pid": record.pid, "user": record.user, "session": record.session})
        else:
            files.remove(f"{record.session}.order")
            lines.append(f"{name_of(record)} has ended by itself")
    return Result("\n".join(lines) or "There are no active sessions.", {"signalled": signalled})
