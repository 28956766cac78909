"""What sessions say of themselves: since when they are idle, and what stands against suspending them."""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from twisted.internet.defer import CancelledError, Deferred, gatherResults

from rserver.clock import Clock, limit
from rserver.sessions.machine import State
from rserver.sessions.probe import NoAnswer
from rserver.sessions.session import Session
from rserver.sessions.session_call import call_session
from rserver.sessions.suspend_call import sentences
from rserver_core.launch_wire import SessionRecord

FRESH_SECONDS = 2.0
LIMIT_SECONDS = 1.0
STALE_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Activity:
    """idle: seconds since a person used it or R worked; blockers: sentences; ends: how it will end soon, else None.

    is_held: it is to be suspended, by a time-out or because somebody wanted it, and the blockers stand against that.
    """

    idle: float
    busy: bool
    blockers: tuple[str, ...] = ()
    ends: str | None = None
    ends_in: int | None = None
    is_held: bool = False


Ask = Callable[[SessionRecord], "Deferred[Activity]"]


class SocketActivity:
    """loop: where connections are made."""

    def __init__(self, loop: Callable[[], asyncio.AbstractEventLoop]) -> None:
        self._loop = loop

    def __call__(self, record: SessionRecord) -> "Deferred[Activity]":
        """Fires with the session's answer; fails with OSError."""
        return Deferred.fromFuture(asyncio.ensure_future(self._ask(record), loop=self._loop()))

    async def _ask(self, record: SessionRecord) -> Activity:
        return read_answer(await call_session(self._loop(), record, "get_status"))


def read_answer(value: Any) -> Activity:
    """From the JSON of the answer; NoAnswer when it is none to this question."""
    try:
        result, ending = value["result"], value["result"]["timeouts"]
        reasons = sentences([blocker["reason"] for blocker in result["blockers"]])
        is_warned = ending["phase"] == "warned"
        action, seconds = str(ending["action"])[:20], int(ending["seconds"] or 0)
        ends, ends_in = (action, seconds) if is_warned else (None, None)
        is_held = ending["phase"] == "blocked"
        return Activity(float(result["idle"]), result["busy"] is True, reasons, ends, ends_in, is_held)
    except (LookupError, TypeError, ValueError, OverflowError):
        raise NoAnswer(f"answered {str(value)[:40]!r}") from None


class ActivityMeter:
    """Asks each session at most every FRESH_SECONDS; who does not answer at once is left out."""

    def __init__(self, clock: Clock, ask: Ask) -> None:
        self._clock, self._ask = clock, ask
        self._known: dict[tuple[int, int], tuple[float, Activity | None]] = {}

    async def measure(self, sessions: Iterable[Session]) -> dict[str, Activity]:
        """By session id; only sessions that run have any."""
        running = [session for session in sessions if session.state is State.RUNNING]
        records = [record for session in running if (record := session.status.record) is not None]
        stale = [record for record in records if not self._is_fresh(record)]
        if stale:
            self._forget_old()
            await gatherResults([Deferred.fromCoroutine(self._look(record)) for record in stale])
        known = ((record.session, self._known.get(_key(record), (0.0, None))[1]) for record in records)
        return {session_id: activity for session_id, activity in known if activity is not None}

    def _is_fresh(self, record: SessionRecord) -> bool:
        known = self._known.get(_key(record))
        return known is not None and self._clock.seconds() - known[0] < FRESH_SECONDS

    async def _look(self, record: SessionRecord) -> None:
        try:
            activity = await limit(self._ask(record), LIMIT_SECONDS, self._clock, TimeoutError())
        except (OSError, CancelledError):
            activity = None
        self._known[_key(record)] = (self._clock.seconds(), activity)

    def _forget_old(self) -> None:
        now = self._clock.seconds()
        for key in [key for key, (at, _) in self._known.items() if now - at > STALE_SECONDS]:
            del self._known[key]


def _key(record: SessionRecord) -> tuple[int, int]:
    return record.pid, record.pid_start
