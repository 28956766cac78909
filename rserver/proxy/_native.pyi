"""The compiled carrier: connections of one event loop, and what is done with them without Python."""

import asyncio
from collections.abc import Callable
from typing import Protocol, final

Fields = tuple[list[tuple[str, str]], dict[str, str], int | None, bool]
"""Fields, headers, length and chunked, as http_head.Head names them."""

def scan_request(block: bytes, /) -> tuple[int, Fields, str, str, bool, bool, bool] | None:
    """Version, fields, method, target, close, upgrade and expects_continue of a complete head.

    None when http_head.parse_request must read it, to say what is wrong with it or because it is unusual.
    """

def scan_answer(block: bytes, /) -> tuple[int, Fields, int, str, bool] | None:
    """Version, fields, status, reason and close of a complete head of an answer; None as with scan_request."""

class Events(Protocol):
    """What is reported: see SessionEvents."""

    def connected(self, session_id: str) -> None: ...
    def disconnected(self, session_id: str) -> None: ...
    def failed(self, session_id: str, reason: str) -> None: ...

@final
class Connection(asyncio.Transport):
    """A transport. Its protocol may let requests between two of its own be answered without it."""

    @property
    def wants_lesson(self) -> bool:
        """The request that went to the protocol would have been carried, had a verdict been known."""

    def has_carried(self) -> bool:
        """A request of this client is carried now, or was since this was asked last."""

    def setsockopt(self, level: int, name: int, value: int | bytes, /) -> None:
        """As a socket's."""

    def getsockopt(self, level: int, name: int, size: int = 0, /) -> int | bytes:
        """As a socket's."""

    def offer(self) -> None:
        """The protocol is between two requests and holds no bytes. Ends when it gets data."""

    def withdraw(self) -> None:
        """Nothing is to be learnt from the request at hand."""

    def learn(self, before: bytes, after: bytes, path: str, uid: int, user: str, session_id: str, /) -> None:
        """The verdict on the request at hand, and for a moment on all that resemble it in what says who asks.

        before, after: lines that the session gets in front of and behind the client's own fields.
        """

@final
class Engine:
    """An epoll set and all that is in it. `fileno` is readable when `run` has something to do."""

    def __init__(
        self,
        *,
        call_soon: Callable[[Callable[[], None]], object],
        broken: Callable[[BaseException], None],
        events: Events,
        ticks: Callable[[], None],
        root_path: bytes,
        refused: tuple[bytes, ...],
        own_cookies: tuple[bytes, ...],
        verdict_seconds: int,
        idle_seconds: int,
        spare_limit: int,
        spare_total: int,
        user_limit: int,
        others: dict[str, int],
    ) -> None:
        """broken is told of exceptions of protocols; ticks is called when `tick` is wanted every second.

        refused: paths below a session, or beginnings of such (with "*" at the end), that go to the protocol.
        own_cookies: names, in lower case, that sessions may not set. spare_limit: connections kept of a session,
        spare_total: of all.
        user_limit: requests carried for one account at a time, others of it counted in; more of them go to the
        protocols; 0: any number.
        """

    @property
    def busy(self) -> int:
        """Requests that are carried now."""

    @property
    def spares(self) -> int:
        """Connections to sessions that are kept for later."""

    def fileno(self) -> int:
        """To be watched for reading."""

    def run(self) -> None:
        """Do what there is to do, without waiting."""

    def settle(self) -> None:
        """Tell protocols of connections that ended."""

    def tick(self) -> bool:
        """Look after what grows old. False: nothing does, until `ticks` is called again."""

    def attach(self, fd: int, protocol: asyncio.BaseProtocol, /) -> Connection:
        """Take over a connected socket; connection_made has been called on return."""

    def keep(self, connection: Connection, path: str, uid: int, /) -> None:
        """Take over a session's connection that is between two requests."""

    def take(self, path: str, uid: int, protocol: asyncio.BaseProtocol, /) -> bool:
        """Give a session's connection that was kept to a protocol; False: there is none."""

    def count_busy(self, user: str, /) -> int:
        """Requests that are carried for this account now."""

    def join(self, client: Connection, session: Connection, ended: Callable[[], None], /) -> None:
        """Bytes go both ways, uninterpreted. ended is called once, when the first of the two is gone."""

    def forget(self) -> None:
        """No verdict holds any more."""

    def abandon(self, user: str | None, session_id: str | None, /) -> int:
        """Break off what is carried for the user, else for the session, else for all; how many requests there were."""

    def close(self) -> None:
        """End every connection; the engine cannot be used after that."""
