"""Tells a session to close a project that its user may not use any more."""

import asyncio
from collections.abc import Callable

from twisted.internet.defer import Deferred

from rserver.sessions.probe import NoAnswer
from rserver.sessions.session_call import call_session
from rserver_core.launch_wire import SessionRecord


class SocketLeave:
    """loop: where connections are made."""

    def __init__(self, loop: Callable[[], asyncio.AbstractEventLoop]) -> None:
        self._loop = loop

    def __call__(self, record: SessionRecord, by: str) -> "Deferred[None]":
        """Fires when it has closed the project; fails with OSError. by: account of who withdrew it."""
        return Deferred.fromFuture(asyncio.ensure_future(self._ask(record, by), loop=self._loop()))

    async def _ask(self, record: SessionRecord, by: str) -> None:
        answer = await call_session(self._loop(), record, "sharing_leave_project", [by])
        if not isinstance(answer, dict) or "result" not in answer:
            raise NoAnswer(f"answered {str(answer)[:60]!r}")
