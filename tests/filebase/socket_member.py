"""A page at the far end of a real WebSocket."""

import contextlib
import json
import socket
import threading
import time
from collections.abc import Callable, Mapping

from wsproto import ConnectionType, WSConnection
from wsproto.events import AcceptConnection, BytesMessage, CloseConnection, Ping, RejectConnection, Request

from tests.filebase.member import Page

PATIENCE = 20.0


class SocketMember:
    """Connects, and keeps its page up to date on a thread of its own."""

    def __init__(self, port: int, path: str, user: str, headers: Mapping[str, str], page: Page | None = None) -> None:
        self.page = page or Page(user)
        self.page.ready = False
        self.closed: tuple[int, str] | None = None
        self.refused = 0
        self._changed = threading.Condition()
        self._sock = socket.create_connection(("127.0.0.1", port))
        self._frames = WSConnection(ConnectionType.CLIENT)
        fields = [(name.encode(), value.encode()) for name, value in headers.items()]
        self._sock.sendall(self._frames.send(Request(host=f"127.0.0.1:{port}", target=path, extra_headers=fields)))
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def do(self, action: Callable[[Page], None]) -> None:
        """Have the page do something, and send it."""
        with self._changed:
            action(self.page)
            self._flush()

    def until(self, wanted: Callable[[Page], bool]) -> None:
        """Wait for something to be true of the page."""
        with self._changed:
            assert self._changed.wait_for(lambda: wanted(self.page), PATIENCE), (str(self.page), self.page.controls)

    def until_closed(self) -> tuple[int, str]:
        """Wait for the end; code and reason."""
        with self._changed:
            assert self._changed.wait_for(lambda: self.closed is not None, PATIENCE)
        assert self.closed is not None
        return self.closed

    def close(self) -> None:
        """Go away without a word."""
        with contextlib.suppress(OSError):
            self._sock.shutdown(socket.SHUT_RDWR)
        self._thread.join(PATIENCE)
        self._sock.close()

    def _flush(self) -> None:
        out, self.page.out = self.page.out, []
        # Who is cut off learns it by reading.
        with contextlib.suppress(OSError):
            for message in out:
                self._sock.sendall(self._frames.send(BytesMessage(data=message)))

    def _run(self) -> None:
        parts: list[bytes] = []
        while data := self._read():
            with self._changed:
                self._frames.receive_data(data)
                for event in self._frames.events():
                    self._take(event, parts)
                self._flush()
                self._changed.notify_all()
        with self._changed:
            self.closed = self.closed or (1006, "")
            self._changed.notify_all()

    def _read(self) -> bytes:
        try:
            return self._sock.recv(1 << 20)
        except OSError:
            return b""

    def _take(self, event: object, parts: list[bytes]) -> None:
        if isinstance(event, AcceptConnection):
            self.page.announce(clock=int(time.time()))
        elif isinstance(event, RejectConnection):
            self.refused = event.status_code
            self.closed = (1006, "")
        elif isinstance(event, Ping):
            self._sock.sendall(self._frames.send(event.response()))
        elif isinstance(event, CloseConnection):
            self.closed = (event.code, event.reason or "")
        elif isinstance(event, BytesMessage):
            parts.append(bytes(event.data))
            if event.message_finished:
                self.page.hear(b"".join(parts))
                parts.clear()


def controls(page: Page, event: str) -> list[dict[str, object]]:
    """What filebase said with this event."""
    return [json.loads(json.dumps(each)) for each in page.controls if each["event"] == event]
