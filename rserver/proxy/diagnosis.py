"""What `rstudio-server diagnose` asks through the proxies in front: what arrived, and trials of what proxies spoil.

Answered only to who shows a token of the root command (or of a page for administrators), whatever the path that
arrived, for that may be what is wrong. The header is `X-RS-Diagnose: TOKEN PROBE [SECONDS]`.
"""

import asyncio
import base64
import hashlib
from collections.abc import Callable

import msgspec

from rserver.proxy import own_nginx
from rserver.proxy.body import LAST_CHUNK, chunk
from rserver.proxy.client import Client
from rserver.proxy.http_head import RequestLine
from rserver.proxy.settings import FrontSettings
from rserver.web.request import RequestHead, Response
from rserver.web.responses import json_answer
from rserver_core.diagnose_token import HEADER

FIELD = HEADER.lower()
_HIDDEN = frozenset({FIELD, own_nginx.FIELD})
MOST_SECONDS = 120.0
MOST_AT_ONCE = 32
EVENTS, EVENT_SECONDS = 8, 0.15
COOKIE = "rs-diagnose"
_WORDS = "The quick brown fox jumps over the lazy dog. " * 4
_STREAM = (
    b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nCache-Control: no-store\r\nConnection: close\r\n%s\r\n"
)
_SWITCHED = (
    "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: %s\r\n\r\n"
)
_GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


class Diagnosis:
    """Makes the exchanges; few at a time. knows: whether a token is good now."""

    def __init__(self, loop: asyncio.AbstractEventLoop, settings: FrontSettings, knows: Callable[[str], bool]) -> None:
        self.loop, self.settings, self._knows = loop, settings, knows
        self.running: set[asyncio.Task[None]] = set()

    def exchange(self, client: Client, line: RequestLine, head: RequestHead, peer: tuple[str, int]) -> "Probe | None":
        """None for who has no good token."""
        token, _, rest = line.headers[FIELD].partition(" ")
        if len(self.running) >= MOST_AT_ONCE or not self._knows(token):
            return None
        name, _, seconds = rest.partition(" ")
        return Probe(self, client, line, self._arrived(line, head, peer), (head.root_path, head.secure), name, seconds)

    def stop(self) -> None:
        """Break off what runs."""
        for task in self.running:
            task.cancel()

    def _arrived(self, line: RequestLine, head: RequestHead, peer: tuple[str, int]) -> dict[str, object]:
        tls = self.settings.tls
        if peer == own_nginx.OWN_NGINX:
            address, port, tls = own_nginx.peer_of_nginx(line.headers)
            peer = (address, port)
        return {
            "method": line.method,
            "target": line.target,
            "version": f"1.{line.version}",
            "fields": [field for field in line.fields if field[0] not in _HIDDEN],
            "peer": peer,
            "trusted": peer[0] in self.settings.trusted_proxies,
            "secure_cookies": self.settings.secure_cookies,
            "www_root_path": self.settings.root_path,
            "tls": tls,
            "seen": {
                "address": head.remote[0],
                "secure": head.secure,
                "host": head.host,
                "root_path": head.root_path,
            },
        }


class Probe:
    """See Exchange. place: root path and whether the browser speaks TLS, as this server believes."""

    def __init__(
        self,
        diagnosis: Diagnosis,
        client: Client,
        line: RequestLine,
        arrived: dict[str, object],
        place: tuple[str, bool],
        name: str,
        seconds: str,
    ) -> None:
        self._diagnosis = diagnosis
        self._client: Client | None = client
        self._line, self._arrived, self._place, self._name = line, arrived, place, name
        self._seconds = min(float(seconds), MOST_SECONDS) if seconds.isdigit() and len(seconds) < 4 else 0.0

    def start(self) -> None:
        """See Exchange."""
        if self._line.upgrade:
            self._switch()
        elif self._name == "stream":
            self._run(self._stream())
        elif self._seconds:
            self._run(self._wait())
        else:
            self._answer(self._at_once())

    def request_data(self, payload: bytes) -> None:
        """See Exchange. No trial wants its body."""

    def request_end(self) -> None:
        """See Exchange."""

    def client_full(self, full: bool) -> None:
        """See Exchange. What is sent is small."""

    def client_lost(self) -> None:
        """See Exchange."""
        self._client = None

    def _run(self, trial: "asyncio._CoroutineLike[None]") -> None:
        running = self._diagnosis.running
        task = self._diagnosis.loop.create_task(trial)
        running.add(task)
        task.add_done_callback(running.discard)

    def _answer(self, response: Response) -> None:
        client, self._client = self._client, None
        if client is not None:
            client.answer(response)

    def _at_once(self) -> Response:
        root, secure = self._place
        if self._name == "cookie":
            cookie = f"{COOKIE}=kept; Path={root}/; SameSite=Lax; HttpOnly" + ("; Secure" if secure else "")
            return json_answer({**self._arrived, "cookie": cookie}, cookies=(cookie,))
        if self._name == "redirect":
            place = f"{root}/rs-diagnose/there?a=1"
            body = msgspec.json.encode({**self._arrived, "location": place})
            return Response(302, body, "application/json", (("Location", place),))
        return json_answer(self._arrived, 426 if self._name == "upgrade" else 200)

    async def _wait(self) -> None:
        await asyncio.sleep(self._seconds)
        self._answer(self._at_once())

    async def _stream(self) -> None:
        framed = self._line.version == 1
        self._write([_STREAM % (b"Transfer-Encoding: chunked\r\n" if framed else b"")])
        for number in range(EVENTS):
            event = f"data: {number} {_WORDS}\n\n".encode()
            self._write(chunk(event) if framed else [event])
            await asyncio.sleep(EVENT_SECONDS)
        self._write([LAST_CHUNK] if framed else [])
        if self._client is not None:
            self._client.finish(False)

    def _write(self, pieces: list[bytes]) -> None:
        if self._client is not None and pieces:
            self._client.write(pieces)

    def _switch(self) -> None:
        client, self._client = self._client, None
        assert client is not None
        key = self._line.headers.get("sec-websocket-key", "")
        accept = base64.b64encode(hashlib.sha1((key + _GUID).encode("latin-1")).digest()).decode()
        detached = client.detach()
        echo = _Echo(detached.transport)
        detached.transport.set_protocol(echo)
        detached.transport.resume_reading()
        detached.transport.write((_SWITCHED % accept).encode())
        echo.data_received(detached.surplus)
        self._run(echo.end_in_time())


class _Echo(asyncio.Protocol):
    """Sends each small frame back, unmasked."""

    _FRAME = 2 + 4

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._data = b""
        self._lost = asyncio.Event()

    def data_received(self, data: bytes) -> None:
        self._data += data
        while len(self._data) >= self._FRAME:
            size = self._FRAME + (self._data[1] & 0x7F)
            if size > self._FRAME + 125:
                self._transport.abort()
                return
            if len(self._data) < size:
                return
            frame, self._data = self._data[:size], self._data[size:]
            text = bytes(byte ^ frame[2 + number % 4] for number, byte in enumerate(frame[self._FRAME :]))
            self._transport.write(bytes((frame[0], len(text))) + text)

    def connection_lost(self, exc: Exception | None) -> None:
        self._lost.set()

    async def end_in_time(self) -> None:
        """Break off what outstays the longest trial."""
        try:
            await asyncio.wait_for(self._lost.wait(), MOST_SECONDS + 10)
        except TimeoutError:
            pass
        finally:
            self._transport.abort()
