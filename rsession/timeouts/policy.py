"""What is to happen to a session that nobody uses, and when. Pure: seconds of a clock that never jumps.

Theory of operation: a session is idle since the last interaction of a person, or since R stopped working when that was
later. Its idle end (suspension, or quitting) comes when it was idle, or without any page, for long enough. The kill
comes when no person did anything for long enough; R's work does not put it off.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rserver_core.options.rsession import RsessionSettings

_WARNING_SHARE = 0.5
_KILL_WARNING_FACTOR = 5


class Action(StrEnum):
    """How a session ends that nobody uses."""

    SUSPEND = "suspend"
    QUIT = "quit"
    KILL = "kill"


@dataclass(frozen=True)
class Limits:
    """Seconds, 0 is never; `suspends`: the idle end is a suspension, not `q()`."""

    idle: float = 0.0
    disconnected: float = 0.0
    kill: float = 0.0
    warning: float = 0.0
    suspends: bool = True


def limits_of(settings: "RsessionSettings") -> Limits:
    """From the options of the process."""
    return Limits(
        settings.session_timeout_minutes * 60.0,
        settings.session_disconnected_timeout_minutes * 60.0,
        settings.session_timeout_kill_hours * 3600.0,
        float(settings.session_timeout_warning_seconds),
        settings.session_timeout_suspend,
    )


@dataclass(frozen=True)
class Seen:
    """Moments: `touched` last interaction, `worked` when R worked last, `left` when the last page left (None: not)."""

    now: float
    touched: float
    worked: float
    left: float | None = None


@dataclass(frozen=True)
class End:
    """One that is to come. `reason`: a sentence for its time; `rule`: a sentence for the time before."""

    action: Action
    at: float
    warn_at: float
    reason: str
    rule: str


def idle_end(limits: Limits, seen: Seen) -> End | None:
    """The suspension, or quitting, that comes first; None: never."""
    action = Action.SUSPEND if limits.suspends else Action.QUIT
    idle_since = max(seen.touched, seen.worked)
    ends = []
    if limits.idle > 0:
        span = duration(limits.idle)
        rule = f"Sessions that nobody uses for {span} are {_DONE[action]}."
        ends.append(_end(action, idle_since, limits.idle, limits.warning, f"Nobody used it for {span}.", rule))
    if limits.disconnected > 0 and seen.left is not None:
        span = duration(limits.disconnected)
        rule = f"Sessions without an open page are {_DONE[action]} after {span}."
        reason = f"No page was open for {span}."
        ends.append(_end(action, max(idle_since, seen.left), limits.disconnected, limits.warning, reason, rule))
    return min(ends, key=lambda end: end.at, default=None)


def kill(limits: Limits, seen: Seen) -> End | None:
    """The kill; None: never."""
    if limits.kill <= 0:
        return None
    span = duration(limits.kill)
    reason = f"Nobody used it for {span}. Its objects are kept as of its last checkpoint."
    rule = (
        f"Sessions that nobody uses for {span} are killed, whatever R does. Objects are kept as of the last checkpoint."
    )
    return _end(Action.KILL, seen.touched, limits.kill, limits.warning * _KILL_WARNING_FACTOR, reason, rule)


def duration(seconds: float) -> str:
    """As a person says it: `2 hours`, `90 minutes`, `1 minute`."""
    for size, name in ((3600, "hour"), (60, "minute")):
        count = round(seconds / size)
        if count and abs(count * size - seconds) < 1:
            return f"{count} {name}" if count == 1 else f"{count} {name}s"
    return f"{seconds:g} seconds"


_DONE = {Action.SUSPEND: "suspended", Action.QUIT: "ended", Action.KILL: "killed"}


def _end(action: Action, since: float, limit: float, warning: float, reason: str, rule: str) -> End:
    at = since + limit
    return End(action, at, at - min(warning, limit * _WARNING_SHARE), reason, rule)
