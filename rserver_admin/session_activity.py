"""What sessions say of themselves, all asked at once; a session that says nothing costs a moment, not the list."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from rserver_admin.session_call import NoAnswer, SessionError, call
from rserver_core.launch_wire import SessionRecord

_SECONDS = 2.0
_AT_ONCE = 32
_MOST_BLOCKERS, _MOST_CHARACTERS = 10, 500


@dataclass(frozen=True, slots=True)
class Activity:
    """idle: seconds since a person used it or R worked; blockers: what stands against a suspension.

    ends: `suspend`, `quit` or `kill` while its end by a time-out is near, in ends_in seconds.
    """

    idle: float
    busy: bool
    blockers: tuple[tuple[str, str], ...]
    ends: str | None = None
    ends_in: int | None = None


def activities(records: Sequence[SessionRecord]) -> list[Activity | None]:
    """In the order of the records; None: no answer."""
    with ThreadPoolExecutor(_AT_ONCE) as threads:
        return list(threads.map(_activity, records))


def blockers_of(value: Any) -> tuple[tuple[str, str], ...]:
    """Kinds and reasons in an answer; ValueError."""
    try:
        return tuple((_text(each["kind"]), _text(each["reason"])) for each in value[:_MOST_BLOCKERS])
    except (LookupError, TypeError):
        raise ValueError("these are no blockers") from None


def _activity(record: SessionRecord) -> Activity | None:
    try:
        answer = call(record, "get_status", (), _SECONDS)
        ending = answer["timeouts"]
        is_near = ending["phase"] == "warned"
        return Activity(
            float(answer["idle"]),
            answer["busy"] is True,
            blockers_of(answer["blockers"]),
            _text(ending["action"]) if is_near else None,
            int(ending["seconds"]) if is_near else None,
        )
    except (NoAnswer, SessionError, LookupError, TypeError, ValueError, OverflowError):
        return None


def _text(value: object) -> str:
    """Fit for a terminal: users may name a connection as they like."""
    return "".join(character if character.isprintable() else "?" for character in str(value)[:_MOST_CHARACTERS])
