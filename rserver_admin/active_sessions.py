"""The verb active-sessions."""

import time
from typing import Any

from rserver_admin.session_activity import Activity, activities
from rserver_admin.session_stat import Usage, usage_of
from rserver_admin.verb import Context, Result
from rserver_core.launch_wire import SessionRecord
from rserver_core.session_id import NO_PROJECT, SessionId

_HEADINGS = ("PID", "USER", "SESSION", "PROJECT", "STARTED", "CPU", "MEMORY", "STATE", "IDLE", "BLOCKED BY")


def list_sessions(context: Context) -> Result:
    """Every session that runs."""
    records = context.server.sessions()
    measured = (
        (record, usage_of(record), activity) for record, activity in zip(records, activities(records), strict=True)
    )
    found = [(record, usage, activity) for record, usage, activity in measured if usage is not None]
    text = _table([_HEADINGS, *(_cells(*one) for one in found)]) if found else "There are no active sessions."
    return Result(text, {"sessions": [_data(*one) for one in found]})


def project_of(record: SessionRecord) -> str | None:
    """The project part of the session's id; None without a project."""
    session_id = SessionId.parse(record.session)
    return None if session_id is None or session_id.project == NO_PROJECT else session_id.project


def _data(record: SessionRecord, usage: Usage, activity: Activity | None) -> dict[str, Any]:
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
        "busy": activity.busy if activity else None,
        "idle_seconds": activity.idle if activity else None,
        "blockers": [{"kind": kind, "reason": reason} for kind, reason in activity.blockers] if activity else None,
        "ends": activity.ends if activity else None,
        "ends_in_seconds": activity.ends_in if activity else None,
    }


def _cells(record: SessionRecord, usage: Usage, activity: Activity | None) -> tuple[str, ...]:
    memory = "-" if usage.memory_bytes is None else f"{usage.memory_bytes / 2**20:.0f}M"
    started = time.strftime("%Y-%m-%dT%H:%M:%S", time.localtime(record.started))
    named = (str(record.pid), record.user, record.session, project_of(record) or "-")
    return (*named, started, _clock(usage.cpu_seconds), memory, usage.state, *_activity_cells(activity))


def _activity_cells(activity: Activity | None) -> tuple[str, str]:
    if activity is None:
        return "-", "it does not answer"
    return _clock(activity.idle), " ".join(reason for _, reason in activity.blockers) or "-"


def _clock(seconds: float) -> str:
    whole = int(seconds)
    return f"{whole // 3600}:{whole // 60 % 60:02}:{whole % 60:02}"


def _table(rows: list[tuple[str, ...]]) -> str:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows)
    return "\n".join(line.rstrip() for line in lines)
