"""A session as the web door shows it: in JSON, and the answers for a session that cannot be had."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from twisted.internet.defer import Deferred

from rserver.sessions import causes
from rserver.sessions.activity import Activity, ActivityMeter
from rserver.sessions.machine import State
from rserver.sessions.session import Session
from rserver.sessions.usage import NONE, Usage, UsageMeter
from rserver.web.request import RequestHead, Response
from rserver.web.responses import NO_SUCH_SESSION, SESSION_FAILED, rpc_error
from rserver_core.project_path import project_name

_HOST = re.compile(r"(?:[A-Za-z0-9._-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(?::[0-9]{1,5})?", re.ASCII)

_ENDS = {"suspend": "suspended", "quit": "quit", "kill": "killed"}


def url_of(session_id: str, root_path: str) -> str:
    """The address of a session's page on this server."""
    return f"{root_path}/s/{session_id}/"


def json_of(
    session: Session, root_path: str, usage: Usage = NONE, connected: int = 0, activity: Activity | None = None
) -> dict[str, object]:
    """As GET /api/sessions/{id} shows it. A session that ended by q() is absent, with code 0."""
    cause = _cause_of(session, activity)
    return {
        **_identity_of(session, root_path),
        **_fate_of(session, cause),
        **_figures_of(session, usage),
        "connected": connected,
        **_doing_of(activity, cause),
        "created": session.created,
        "last_used": session.last_used,
    }


def _identity_of(session: Session, root_path: str) -> dict[str, object]:
    return {
        "id": session.id,
        "url": url_of(session.id, root_path),
        "label": session.label,
        "title": session.title,
        "project": session.project,
        "project_id": session.project_id,
        "project_name": project_name(session.project),
        "r_version": session.r_version,
        "r_key": session.r_key,
        "r_wish": session.r_wish or None,
        "r_note": session.r_note or None,
    }


def _fate_of(session: Session, cause: str | None) -> dict[str, object]:
    fate = session.status.fate
    return {
        "state": (State.ABSENT if session.state is State.ENDED else session.state).value,
        "cause": cause,
        "code": fate.code if fate else None,
        "signal": fate.signal if fate else None,
        "stderr_tail": fate.stderr_tail if fate else None,
        "quick_failures": session.quick_failures,
        "stored": session.stored,
    }


def _figures_of(session: Session, usage: Usage) -> dict[str, object]:
    record = session.status.record
    return {
        "pid": record.pid if record else None,
        "cpu_percent": usage.cpu_percent,
        "memory_bytes": usage.memory_bytes,
        "memory_limit_bytes": usage.memory_limit_bytes,
    }


def _doing_of(activity: Activity | None, cause: str | None) -> dict[str, object]:
    return {
        "busy": activity.busy if activity else None,
        "idle_seconds": activity.idle if activity else None,
        "blockers": list(activity.blockers) if activity else [],
        "held": activity.is_held if activity else False,
        "ends": activity.ends if activity else None,
        "ends_in_seconds": activity.ends_in if activity else None,
        "notice": "" if activity is None else _notice_of(activity, cause),
    }


def _cause_of(session: Session, activity: Activity | None) -> str | None:
    """What stood against a suspension when it was wanted may have changed since."""
    fate = session.status.fate
    if session.is_blocked and fate is not None and activity is not None and activity.blockers:
        return causes.of_blockers(activity.blockers).cause
    return fate.cause if fate else None


def _notice_of(activity: Activity, cause: str | None) -> str:
    """What its user should know about how long a session goes on; empty: nothing."""
    if activity.ends is not None:
        how = _ENDS.get(activity.ends, "ended")
        return f"It will be {how} {_soon(activity.ends_in or 0)}, because nobody uses it. Open it to keep it running."
    if activity.is_held and activity.blockers and cause is None:
        return f"It cannot be suspended at the moment. {' '.join(activity.blockers)}"
    return ""


def _soon(seconds: int) -> str:
    if seconds < 2:
        return "in a moment"
    return f"in {seconds} seconds" if seconds < 90 else f"in {round(seconds / 60)} minutes"


@dataclass(slots=True)
class SessionLister:
    """Sessions with what they use, what they do and who is there.

    listeners: open event streams by session id; freed: told of sessions that nothing keeps from being suspended.
    """

    meter: UsageMeter
    activities: ActivityMeter
    listeners: Callable[[], Mapping[str, int]]
    freed: Callable[[Session], object]

    async def shown(self, sessions: Iterable[Session], root_path: str) -> list[dict[str, object]]:
        """As GET /api/sessions shows them, in the given order."""
        listed = list(sessions)
        asked = Deferred.fromCoroutine(self.activities.measure(listed))
        usages, activities, listeners = await self.meter.measure(listed), await asked, self.listeners()
        for session in listed:
            if (activity := activities.get(session.id)) is not None and not activity.blockers:
                self.freed(session)
        return [
            json_of(
                session,
                root_path,
                usages.get(session.id, NONE),
                listeners.get(session.id, 0),
                activities.get(session.id),
            )
            for session in listed
        ]


def no_such_session() -> Response:
    """A session that is unknown, or somebody else's: nobody can tell which."""
    return rpc_error(NO_SUCH_SESSION, "There is no such session.")


def not_running(session: Session, root_path: str) -> Response:
    """A session that failed or ended."""
    fate = session.status.fate
    message = fate.cause if fate else "The session is not running."
    return rpc_error(SESSION_FAILED, message, session=json_of(session, root_path))


def server_url(head: RequestHead) -> str:
    """The address of this server as the browser sees it; "" when the Host header is none."""
    if _HOST.fullmatch(head.host) is None:
        return ""
    return f"{'https' if head.secure else 'http'}://{head.host}{head.root_path}/"
