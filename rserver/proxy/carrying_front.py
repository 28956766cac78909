"""A client's connection whose plain requests may be carried to sessions without it, between two of its own."""

import asyncio
from collections.abc import Callable
from typing import Protocol

from rserver.proxy.carrier import Lane, Lesson
from rserver.proxy.client import Exchange
from rserver.proxy.deadlines import Deadlines
from rserver.proxy.front import Front
from rserver.proxy.http_head import REPEATABLE, RequestLine
from rserver.proxy.implementation import parse_request
from rserver.proxy.settings import FrontSettings
from rserver.proxy.timed_client import State
from rserver.web.responses import ResponseEncoder


class Requests(Protocol):
    """What answers requests: see Dispatcher."""

    def begin(self, front: Front, line: RequestLine) -> Exchange | None:
        """The exchange that answers this request; None when the answer was given already."""

    def failed(self, front: Front, line: RequestLine, reason: str) -> None:
        """Answer a request that was carried and found no answer."""


class CarryingFront(Front):
    """See Front. lane finds out whether a transport can carry requests by itself."""

    __slots__ = ("_lane", "_lane_of", "_requests")

    def __init__(
        self,
        settings: FrontSettings,
        encoder: ResponseEncoder,
        deadlines: Deadlines,
        requests: Requests,
        lost: Callable[[Front], None],
        lane: Callable[[asyncio.BaseTransport], Lane | None],
    ) -> None:
        super().__init__(settings, encoder, deadlines, requests.begin, lost)
        self._requests = requests
        self._lane_of = lane
        self._lane: Lane | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._lane = self._lane_of(transport)
        self._offer()

    def timed_out(self) -> None:
        """See Expiring."""
        if self._is_between_requests() and self._lane is not None and self._lane.has_carried():
            self._deadlines.set(self, self._settings.keep_alive_seconds)
        else:
            super().timed_out()

    def answer_failed(self, block: bytes, reason: str) -> None:
        """A request of this head was carried, all of its body too, and no answer came."""
        line = parse_request(block)
        if line.method in REPEATABLE and not line.has_body:
            line.repeated = True
            self._start(line)
        else:
            self._deadlines.clear(self)
            self._line = line
            self._state = State.WAIT
            self._requests.failed(self, line, reason)

    @property
    def wants_lesson(self) -> bool:
        """See Client."""
        return self._lane is not None and self._lane.wants_lesson

    def learn(self, lesson: Lesson | None) -> None:
        """See Client."""
        if self._lane is None:
            return
        if lesson is None:
            self._lane.withdraw()
        else:
            self._lane.learn(*lesson)

    def finish(self, keep_alive: bool) -> None:
        """See Client."""
        super().finish(keep_alive)
        self._offer()

    def _offer(self) -> None:
        if self._lane is not None and self._is_between_requests() and not self.stopping:
            self._lane.offer()

    def _is_between_requests(self) -> bool:
        waits = self._state is State.HEAD and not len(self._heads)
        return waits and not self._transport.get_write_buffer_size()
