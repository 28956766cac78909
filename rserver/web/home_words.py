"""What the list of sessions says of one of them, in words. Pure."""

from collections.abc import Mapping
from datetime import UTC, datetime
from html import escape

from rserver.sessions.machine import State
from rserver.sessions.session import Session
from rserver.web import r_forms
from rserver.web.templates import Html
from rserver_core.project_path import project_name
from rserver_core.size_words import in_words

_STATES = {
    State.ABSENT: "Not running",
    State.LAUNCHING: "Starting",
    State.RUNNING: "Running",
    State.SUSPENDING: "Being suspended",
    State.SUSPENDED: "Suspended",
    State.RESUMING: "Resuming",
    State.FAILED: "Failed",
    State.ENDED: "Ended",
}


def words_of(session: Session, facts: Mapping[str, object], now: float) -> dict[str, str]:
    """Texts of the part `home_session`; facts: as GET /api/sessions shows it; now: seconds since 1970."""
    cause, notice = str(facts["cause"] or ""), str(facts["notice"])
    return {
        "id": session.id,
        "state": session.state.value,
        "state_words": _STATES[session.state],
        "title": session.title,
        "label": session.label,
        "cause_text": cause,
        "stands": str(int(bool(facts["held"]))),
        "cause": Html(f'<p class="cause">{escape(cause)}</p>' if cause else ""),
        "notice": notice,
        "notice_hidden": Html("" if notice else " hidden"),
        "project": project_name(session.project) or "None",
        "project_path": session.project,
        "r_key": session.r_key,
        "r_version": r_forms.description(session),
        "r_note": r_forms.note(session),
        **_use_of(session, facts, now),
    }


def _use_of(session: Session, facts: Mapping[str, object], now: float) -> dict[str, str]:
    return {
        "doing": _doing(facts["busy"], facts["idle_seconds"]),
        "cpu": _percent(facts["cpu_percent"]),
        "memory": _memory(facts["memory_bytes"], facts["memory_limit_bytes"]),
        "connected": _pages(facts["connected"]),
        "last_used": _ago(now - session.last_used),
        "last_used_seconds": f"{session.last_used:.0f}",
        "last_used_iso": datetime.fromtimestamp(session.last_used, UTC).isoformat(timespec="seconds"),
    }


def _percent(value: object) -> str:
    return "—" if not isinstance(value, float) else f"{value:.0f} %"


def _memory(used: object, limit: object) -> str:
    if not isinstance(used, int):
        return "—"
    return f"{in_words(used)} of {in_words(limit)}" if isinstance(limit, int) else in_words(used)


def _doing(busy: object, idle: object) -> str:
    if busy:
        return "R is working"
    if not isinstance(idle, float):
        return "—"
    since = _ago(idle)
    return "just used" if since == "just now" else f"idle for {since.removesuffix(' ago')}"


def _pages(value: object) -> str:
    return {0: "nobody", 1: "1 page"}.get(value, f"{value} pages") if isinstance(value, int) else "—"


def _ago(seconds: float) -> str:
    for size, name in ((86400, "day"), (3600, "hour"), (60, "minute")):
        if seconds >= size:
            count = int(seconds // size)
            return f"{count} {name}{'s' if count > 1 else ''} ago"
    return "just now"
