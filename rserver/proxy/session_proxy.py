"""One request carried to a session: find it, send the request, bring back the answer, or join the two after 101."""

from collections.abc import Awaitable
from typing import TYPE_CHECKING, NamedTuple

from rserver.proxy import forward
from rserver.proxy.back import Back, write_pieces
from rserver.proxy.body import LAST_CHUNK, Body, LengthBody, chunk
from rserver.proxy.carrier import Lesson
from rserver.proxy.client import Client
from rserver.proxy.http_head import REPEATABLE, RequestLine, StatusLine
from rserver.proxy.pool import Unreachable
from rserver.proxy.router import LISTENING, PortRoute, SessionRoute
from rserver.proxy.services import Services
from rserver.proxy.splice import Splice
from rserver.web.request import Identity, RequestHead, Response, Target
from rserver.web.responses import INTERNAL, LOST, UNREACHABLE

if TYPE_CHECKING:
    import asyncio

# Named, as a union written in place is made anew for every request.
_Found = Target | Response
# Body bytes taken from a client whose session is still being found or launched.
_HELD_LIMIT = 64 * 1024
_UPGRADED = "connection: Upgrade\r\nupgrade: websocket\r\n"


class Asked(NamedTuple):
    """One request, who makes it and where it goes. cookies: new ones of ours, for the answer."""

    line: RequestLine
    head: RequestHead
    identity: Identity
    route: SessionRoute | PortRoute
    cookies: tuple[str, ...]


class SessionExchange:
    """See Exchange, BackUser and Live: this is all three, for one request."""

    __slots__ = (
        "_answered",
        "_back",
        "_chunked",
        "_client",
        "_connected",
        "_cookies",
        "_head",
        "_held",
        "_held_size",
        "_identity",
        "_keep_alive",
        "_line",
        "_out",
        "_request_complete",
        "_rest",
        "_retried",
        "_services",
        "_target",
        "_task",
        "session_id",
    )
    unreachable_text = "The session cannot be reached."
    lost_text = "The connection to the session was lost before it answered."

    def __init__(self, services: Services, client: Client, asked: Asked) -> None:
        self._services = services
        self._client: Client | None = client
        self._line, self._head, self._identity, route, self._cookies = asked
        self.session_id = route.session_id
        self._rest = route.rest
        self._held: list[bytes] = []
        self._held_size = 0
        self._out: list[bytes] = []
        self._back: Back | None = None
        self._task: asyncio.Task[None] | None = None
        self._target: Target | None = None
        self._request_complete = self._connected = self._answered = self._retried = False
        self._chunked = self._keep_alive = False

    @property
    def user(self) -> str:
        """See Live."""
        return self._identity.user

    @property
    def listens(self) -> bool:
        """See Live."""
        return self._rest in LISTENING

    @property
    def joins(self) -> str:
        """See Live."""
        return ""

    def close(self) -> None:
        """See Live."""
        if self._client is not None:
            self._client.abort()

    # What the client does.

    def start(self) -> None:
        """See Exchange."""
        self._services.live.add(self)
        self._services.shares.begin(self._identity.user, self._begin)

    def _begin(self) -> None:
        if self._client is None:
            return  # gone while it waited for its turn
        try:
            found = self._services.gate.session_target(self._identity, self.session_id, self._head)
        except Exception:
            self._broken()
            return
        if isinstance(found, _Found):
            self._found(found)
        else:
            self._task = self._services.loop.create_task(self._wait(found))

    def request_data(self, payload: bytes) -> None:
        """See Exchange."""
        pieces = chunk(payload) if self._line.chunked else [payload]
        if self._back is not None:
            self._back.send(pieces)
            return
        self._held.extend(pieces)
        self._held_size += len(payload)
        if self._client is not None and self._held_size > _HELD_LIMIT:
            self._client.hold(True)

    def request_end(self) -> None:
        """See Exchange."""
        self._request_complete = True
        last = [LAST_CHUNK] if self._line.chunked else []
        if self._back is None:
            self._held.extend(last)
        else:
            self._back.request_sent()
            self._back.send(last)

    def client_full(self, full: bool) -> None:
        """See Exchange."""
        if self._back is not None:
            self._back.hold(full)

    def client_lost(self) -> None:
        """See Exchange. The session sees its connection end, and so need not go on with what nobody awaits."""
        task, back = self._task, self._back
        self._end()
        if task is not None:
            task.cancel()
        if back is not None:
            back.abort()

    # Finding the session.

    async def _wait(self, found: Awaitable[Target | Response]) -> None:
        try:
            result = await found
        except Exception:
            self._broken()
        else:
            self._task = None
            self._found(result)

    def _found(self, result: Target | Response) -> None:
        if isinstance(result, Response):
            self._answer(result)
            return
        self._target = result
        self._connected = True
        self._services.events.connected(self.session_id)
        back = None if self._line.repeated else self._services.pool.take(result)
        if back is None:
            self._task = self._services.loop.create_task(self._connect(result))
        else:
            self._send(back, result)

    async def _connect(self, target: Target) -> None:
        try:
            back = await self._services.pool.connect(target)
        except Unreachable as error:
            self._fail(UNREACHABLE, self.unreachable_text, str(error))
            return
        except Exception:
            self._broken()
            return
        self._task = None
        self._send(back, target)

    def _send(self, back: Back, target: Target) -> None:
        client = self._client
        assert client is not None
        target_path = f"{self._rest}?{self._head.query}" if self._head.query else self._rest
        self._back = back
        head = forward.request_head(self._line, target_path, self._own_lines(target))
        back.begin(self, self._line, [head, *self._held])
        self._held = []
        if client.full:
            back.hold(True)
        if self._request_complete:
            back.request_sent()
        else:
            client.send_continue()
            client.hold(False)

    def _own_lines(self, target: Target) -> bytes:
        return forward.own_lines(self._head, self.session_id) + target.head_lines

    def _answers(self) -> None:
        self._services.events.first_byte(self.session_id)
        client, target = self._client, self._target
        if client is not None and client.wants_lesson and target is not None and not self._cookies:
            before, after = forward.request_lines(self._line, self._own_lines(target))
            client.learn(Lesson(before, after, target.socket_path, target.uid, self.user, self.session_id))

    # What the session does.

    def answer_head(self, head: StatusLine, body: Body) -> None:
        """See BackUser."""
        assert self._client is not None
        self._answered = True
        self._answers()
        self._keep_alive = self._client.can_keep_alive
        framing = self._framing(head, body)
        if not self._keep_alive:
            framing += "connection: close\r\n"
        self._out.append(forward.response_head(head, framing, self._cookies))

    def answer_data(self, payload: bytes) -> None:
        """See BackUser."""
        if self._chunked:
            self._out.extend(chunk(payload))
        else:
            self._out.append(payload)

    def answer_end(self) -> None:
        """See BackUser."""
        client = self._client
        assert client is not None
        if self._chunked:
            self._out.append(LAST_CHUNK)
        self._back = None
        self.flush()
        self._end()
        client.finish(self._keep_alive)

    def flush(self) -> None:
        """See BackUser."""
        if self._out and self._client is not None:
            out, self._out = self._out, []
            self._client.write(out)

    def upstream_full(self, full: bool) -> None:
        """See BackUser."""
        if self._client is not None:
            self._client.hold(full)

    def upstream_lost(self, reason: str) -> None:
        """See BackUser."""
        self._back = None
        if self._answered:
            client = self._client
            self._services.events.failed(self.session_id, reason)
            if client is not None:
                client.abort()
        elif self._may_repeat() and self._target is not None:
            self._retried = True
            self._task = self._services.loop.create_task(self._connect(self._target))
        else:
            self._fail(LOST, self.lost_text, reason)

    def switched(self, head: StatusLine) -> None:
        """See BackUser."""
        back, client = self._back, self._client
        assert back is not None
        assert client is not None
        if not self._line.upgrade or head.headers.get("upgrade", "").lower() != "websocket":
            back.abort()
            self._back = None
            self._fail(LOST, self.lost_text, "the session switched to a protocol nobody asked for")
            return
        self._answers()
        self._splice(back, client, forward.response_head(head, _UPGRADED, self._cookies))

    def _splice(self, back: Back, client: Client, answer: bytes) -> None:
        session, early = back.detach()
        detached = client.detach()
        services, session_id = self._services, self.session_id
        self._connected = False
        self._back = None
        self._end()

        def ended(splice: Splice) -> None:
            services.connections.leave(detached.address)
            services.live.discard(splice)
            services.events.disconnected(session_id)

        services.connections.enter(detached.address)
        write_pieces(detached.transport, [answer, early])
        if detached.surplus:
            session.write(detached.surplus)
        splice = Splice(self.user, session_id, detached.transport, session, ended, self.listens, self.joins)
        services.live.add(splice)
        splice.begin(services.carrier.join, detached.full)

    # Ends.

    def _framing(self, head: StatusLine, body: Body) -> str:
        if isinstance(body, LengthBody):
            return "" if head.length is None or head.status == 204 else f"content-length: {head.length}\r\n"
        if self._line.version == 0:
            self._keep_alive = False
            return ""
        self._chunked = True
        return "transfer-encoding: chunked\r\n"

    def _may_repeat(self) -> bool:
        return (
            not self._retried
            and not self._line.repeated
            and self._line.method in REPEATABLE
            and not self._line.has_body
        )

    def _broken(self) -> None:
        self._services.log.failure("request for session {session} failed", session=self.session_id)
        self._answer(self._services.error(self._head, INTERNAL, "The server failed to answer this request."))

    def _fail(self, code: int, message: str, reason: str) -> None:
        self._services.events.failed(self.session_id, reason)
        self._answer(self._services.error(self._head, code, message))

    def _answer(self, response: Response) -> None:
        client = self._client
        self._end()
        if client is not None:
            client.answer(response)

    def _end(self) -> None:
        self._client = self._task = None
        self._back = None
        self._services.live.discard(self)
        if self._connected:
            self._connected = False
            self._services.events.disconnected(self.session_id)
