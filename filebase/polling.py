"""All members who come by requests: whose link a request belongs to, and when it is answered. On asyncio's loop."""

import asyncio
import base64
from collections.abc import Callable, Mapping
from functools import partial

from filebase import bounds
from filebase.messages import BadMessage
from filebase.poll_link import LOST, Answer, Ask, PollLink, farewell, messages_of
from filebase.room import POLICY, Room

HOLD_SECONDS = 20.0
"""How long a request waits for messages: shorter than what proxies allow."""
_IDLE_SECONDS = 30.0
_SWEEP_SECONDS = 5.0
_MOST_LINKS = 2 * bounds.MEMBERS

Polled = Callable[[int, str], None]


class Polling:
    """polled: called with the number of a request and the body of its answer in base64."""

    def __init__(self, loop: asyncio.AbstractEventLoop, polled: Polled) -> None:
        self._loop, self._polled = loop, polled
        self._links: dict[str, PollLink] = {}
        self._open: dict[int, tuple[PollLink, Answer]] = {}
        self._sweeps = False

    def ask(self, room: Room, fields: Mapping[str, object]) -> None:
        """A request: request, user, link, after, first, waits, body (base64)."""
        number, user = int(str(fields["request"])), str(fields["user"])
        link = self._link(room, user, fields)
        if link is None:
            self._say(number, farewell(LOST, "the link is not known here"))
            return
        try:
            messages = messages_of(base64.b64decode(str(fields["body"])))
        except BadMessage as bad:
            link.close(POLICY, str(bad))
            link.leave(str(bad))
            messages = []
        ask = Ask(int(str(fields["after"])), int(str(fields["first"])), messages, bool(fields["waits"]))
        self._take(number, link, ask)

    def over(self, number: int) -> None:
        """Nobody waits for the answer to this request any more."""
        link, answer = self._open.pop(number, (None, None))
        if link is not None and answer is not None:
            link.give_up(answer)

    def _take(self, number: int, link: PollLink, ask: Ask) -> None:
        answer = partial(self._say, number)
        self._open[number] = (link, answer)
        pause = link.take(ask)
        if pause:
            self._loop.call_later(pause, self._answer, number, ask.waits)
        else:
            self._answer(number, ask.waits)

    def _answer(self, number: int, waits: bool) -> None:
        link, answer = self._open.get(number, (None, None))
        if link is None or answer is None:
            return
        link.answer(answer, waits)
        if number in self._open:
            self._loop.call_later(HOLD_SECONDS, self._late, number)

    def _late(self, number: int) -> None:
        link, _ = self._open.get(number, (None, None))
        if link is not None:
            link.wake(is_late=True)

    def _say(self, number: int, body: bytes) -> None:
        self._open.pop(number, None)
        self._polled(number, base64.b64encode(body).decode())

    def _link(self, room: Room, user: str, fields: Mapping[str, object]) -> PollLink | None:
        """A link belongs to whoever began it; one begins with a request that has nothing and brings the first."""
        name = f"{user} {fields['link']}"
        known = self._links.get(name)
        if known is not None or (fields["after"], fields["first"]) != (0, 1) or len(self._links) >= _MOST_LINKS:
            return known
        self._links[name] = PollLink(room, user, self._loop.time)
        if not self._sweeps:
            self._sweeps = True
            self._loop.call_later(_SWEEP_SECONDS, self._sweep)
        return self._links[name]

    def _sweep(self) -> None:
        now, in_use = self._loop.time(), {id(link) for link, _ in self._open.values()}
        for name, link in list(self._links.items()):
            if id(link) not in in_use and now - link.touched > _IDLE_SECONDS:
                del self._links[name]
                link.leave("nobody has asked for long")
        self._sweeps = bool(self._links)
        if self._sweeps:
            self._loop.call_later(_SWEEP_SECONDS, self._sweep)
