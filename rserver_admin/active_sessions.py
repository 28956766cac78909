"""The verb active-sessions."""

import time
from typing import Any

from rserver_admin.session_stat import Usage, usage_of
from rserver_admin.verb import Context, Result
from rserver_core.launch_wire import SessionRecord
from rserver_core.session_id import NO_PROJECT, SessionId

_HEADINGS = ("PID", "USER", "SESSION", "PROJECT", "STARTED", "CPU", "MEMORY", "STATE")


def list_sessions(context: Context) -> Result:
    """Every session that runs."""
    measured = ((record, usage_of(record)) for record in context.server.sessions())
    found = [(record, usage) for record, usage in measured if usage is not None]
    text = _table([_HEADINGS, *(_cells(*one) for one in found)]) if found else "There are no active sessions."
    return Result(text, {"sessions": [_data(*one) for one in found]})


def project_of(record: SessionRecord) -> str | None:
    """The project part of the session's id; None without a project."""
    session_id = SessionId.parse(record.session)
    return None if session_id is None or session_id.project == NO_PROJECT else session_id.project


def _data(record: SessionRecord, usage: Usage) -> dict[str, Any]:
    return {
        "pid": record.pid,
        "user": record.user,
        "uid": record.uid,
        "session": record.session,
        "project": project_of(record),
        "started": record.started,
        "cpu_seconds": usage.cpu_seconds,
        "memory_bytes": usage.memory_bytes,
        "memory_kind": usage.memory_kind,
        "state": usage.state,
    }


def _cells(record: SessionRecord, usage: Usage) -> tuple[str, ...]:
    memory = "-" if usage.memory_bytes is None else f"{usage.memory_bytes / 2**20:.0f}M"
    started = time.strftime("%Y-%m-%dT%H:%M:%S", time.localtime(record.started))
    seconds = int(usage.cpu_seconds)
    cpu = f"{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}"
    return (str(record.pid), record.user, record.session, project_of(record) or "-", started, cpu, memory, usage.state)


def _table(rows: list[tuple[str, ...]]) -> str:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows)
    return "\n".join(line.rstrip() for line in lines)
