"""The seam between a client's connection and what answers one request on it."""

import asyncio
from typing import NamedTuple, Protocol

from rserver.proxy.carrier import Lesson
from rserver.web.request import Response


class Detached(NamedTuple):
    """A client's transport taken out of HTTP: bytes it sent ahead, whether it is too slow to be written to now, and its
    address."""

    transport: asyncio.Transport
    surplus: bytes
    full: bool
    address: str


class Client(Protocol):
    """A client's connection, as the exchange sees it that answers the current request."""

    @property
    def can_keep_alive(self) -> bool:
        """The client wants to, and the whole request was read."""

    @property
    def full(self) -> bool:
        """The client reads more slowly than we write."""

    @property
    def wants_lesson(self) -> bool:
        """Requests like this one could be carried without an exchange, if it were known how."""

    def learn(self, lesson: Lesson | None) -> None:
        """How requests like this one are answered; None: nothing is to be learnt from it."""

    def answer(self, response: Response) -> None:
        """Send this answer and end the exchange. Not after `write`."""

    def write(self, pieces: list[bytes]) -> None:
        """Send bytes of an answer that the exchange frames itself."""

    def finish(self, keep_alive: bool) -> None:
        """The answer written with `write` is complete."""

    def hold(self, held: bool) -> None:
        """Stop or go on reading the request body."""

    def send_continue(self) -> None:
        """Tell a client that waits for it (Expect: 100-continue) to send the body."""

    def detach(self) -> Detached:
        """Take the transport away from HTTP; whoever does sets its protocol next."""

    def abort(self) -> None:
        """Break the connection off, so that a half answer cannot pass for a whole one."""


class Exchange(Protocol):
    """Answers one request. Nothing more is told to it once it called answer, finish, detach or abort."""

    def start(self) -> None:
        """Begin to answer. The part of the body that came with the head was given before, to travel in one packet."""

    def request_data(self, payload: bytes) -> None:
        """A piece of the request body, without framing."""

    def request_end(self) -> None:
        """The request body is complete."""

    def client_full(self, full: bool) -> None:
        """The client's write buffer is above its high-water mark, or below its low one again."""

    def client_lost(self) -> None:
        """The client is gone; nothing may be sent any more."""
