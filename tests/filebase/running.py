"""A real filebase process, as its host's session starts it, and pages at the far ends of real connections."""

import base64
import contextlib
import json
import select
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any

from wsproto.connection import Connection, ConnectionType
from wsproto.events import BytesMessage, CloseConnection, Ping
from wsproto.utilities import LocalProtocolError

from tests.filebase.member import Page

PROGRAM = str(Path(__file__).resolve().parents[2] / "filebase" / "__main__.py")
PATIENCE = 30.0
_LENGTH = struct.Struct(">I")


class Line:
    """A page's connection: what it wants to say is sent by `pump`, which also takes in what has arrived."""

    def __init__(self, sock: socket.socket, page: Page) -> None:
        self.page = page
        self.closed: tuple[int, str] | None = None
        self.sock = sock
        sock.setblocking(False)
        self._frames = Connection(ConnectionType.CLIENT)
        self._head: bytes | None = b""
        self._parts: list[bytes] = []
        self._unsent = b""
        page.ready = False
        page.out.clear()
        page.announce(clock=int(time.time() * 1000))

    def pump(self) -> bool:
        """Whether anything happened."""
        if self.closed is not None:
            return False
        happened = self._read()
        if self._head is None:
            out, self.page.out = self.page.out, []
            for message in out:
                self.say(message)
        return self._write() or happened

    def say(self, message: bytes) -> None:
        """Send one message, whatever it is."""
        with contextlib.suppress(LocalProtocolError):
            self.say_raw(self._frames.send(BytesMessage(data=message)))

    def say_raw(self, data: bytes) -> None:
        """Send bytes."""
        self._unsent += data

    def cut(self) -> None:
        """Gone without a word; what is on its way is lost in both directions."""
        self.closed = self.closed or (1006, "")
        self.page.out.clear()
        self.page.ready = False
        self.sock.close()

    def _write(self) -> bool:
        if not self._unsent or self.closed is not None:
            return False
        try:
            sent = self.sock.send(self._unsent)
        except BlockingIOError:
            return False
        except OSError:
            self.cut()
            return True
        self._unsent = self._unsent[sent:]
        return sent > 0

    def _read(self) -> bool:
        try:
            data = self.sock.recv(1 << 20)
        except BlockingIOError:
            return False
        except OSError:
            data = b""
        if not data:
            self.cut()
            return True
        self._take(data)
        return True

    def _take(self, data: bytes) -> None:
        if self._head is not None:
            self._head += data
            head, end, data = self._head.partition(b"\r\n\r\n")
            if not end:
                return
            if not head.startswith(b"HTTP/1.1 101"):
                self.cut()
                return
            self._head = None
        self._frames.receive_data(data)
        for event in self._frames.events():
            if isinstance(event, CloseConnection):
                self.closed = (event.code, event.reason or "")
                self.page.ready = False
                self.sock.close()
                return
            if isinstance(event, Ping):
                self.say_raw(self._frames.send(event.response()))
            elif isinstance(event, BytesMessage):
                self._parts.append(bytes(event.data))
                if event.message_finished:
                    message, self._parts = b"".join(self._parts), []
                    self.page.hear(message)


class Filebase:
    """Begins with a text, or with what the log or pages have of an epoch."""

    def __init__(self, log: Path, epoch: str, text: str | None, base: str = "") -> None:
        ours, theirs = socket.socketpair()
        self._doors, doors = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._control = ours
        self.said: list[dict[str, Any]] = []
        self._buffer = b""
        with theirs, doors:
            code = f"import os, sys; os.dup2({theirs.fileno()}, 1003); os.dup2({doors.fileno()}, 4); os.dup2(1003, 3)"
            code += f"; os.execv(sys.executable, [sys.executable, {PROGRAM!r}, {str(log)!r}])"
            descriptors = (theirs.fileno(), doors.fileno())
            self.process = subprocess.Popen([sys.executable, "-S", "-c", code], pass_fds=descriptors)
        self.say("begin", epoch=epoch, text=text, base=base)

    def __enter__(self) -> "Filebase":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()

    def say(self, what: str, **fields: object) -> None:
        """As the session says it."""
        body = json.dumps({"type": what, **fields}).encode()
        self._control.sendall(_LENGTH.pack(len(body)) + body)

    def join(self, page: Page) -> Line:
        """As the session hands a connection over."""
        near, far = socket.socketpair()
        with far:
            packet = json.dumps({"user": page.user, "key": "x", "early": ""}).encode()
            socket.send_fds(self._doors, [packet], [far.fileno()])
        return Line(near, page)

    def hear(self, what: str, **wanted: object) -> dict[str, Any]:
        """The next message of this type, and with these fields, which is taken; waits for it."""
        end = time.monotonic() + PATIENCE
        while True:
            for fields in self.said:
                if fields["type"] == what and wanted.items() <= fields.items():
                    self.said.remove(fields)
                    return fields
            ready, _, _ = select.select([self._control], [], [], max(0.0, end - time.monotonic()))
            assert ready, f"{what} was not said; {self.said[-5:]}"
            data = self._control.recv(1 << 20)
            assert data, "filebase has ended"
            self._collect(data)

    def poll(self, number: int, user: str, link: str, body: bytes = b"", after: int = 0, **more: Any) -> None:
        """As the session passes a request on."""
        fields = {"first": 1, "waits": False, **more}
        encoded = base64.b64encode(body).decode()
        self.say("poll", request=number, user=user, link=link, after=after, body=encoded, **fields)

    def answer(self, number: int) -> bytes:
        """The answer to a request."""
        return base64.b64decode(self.hear("polled", request=number)["body"])

    def text(self) -> str:
        """What it has, at its end."""
        self.say("end", reason="enough")
        return str(self.hear("text")["text"])

    def resident_kib(self) -> int:
        """Memory that it has in use."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(next(line for line in status.splitlines() if line.startswith("VmRSS:")).split()[1])

    def kill(self) -> None:
        """At this instant."""
        self.process.kill()
        self.process.wait()
        self._control.close()
        self._doors.close()

    def _collect(self, data: bytes) -> None:
        self._buffer += data
        while len(self._buffer) >= _LENGTH.size:
            (length,) = _LENGTH.unpack_from(self._buffer)
            if len(self._buffer) < _LENGTH.size + length:
                return
            self.said.append(json.loads(self._buffer[_LENGTH.size : _LENGTH.size + length]))
            self._buffer = self._buffer[_LENGTH.size + length :]


def pump(lines: list[Line], until: Callable[[], bool]) -> None:
    """Carry messages until something is true."""
    end = time.monotonic() + PATIENCE
    while not until():
        assert time.monotonic() < end, [(str(line.page), line.closed, line.page.epoch) for line in lines]
        happened = [line.pump() for line in lines]
        if not any(happened):
            open_ = [line.sock for line in lines if line.closed is None]
            select.select(open_, [], [], 0.05)


def settled(lines: list[Line]) -> bool:
    """Everybody is in the text, and it is the same for all; a text that is not here yet is none."""
    pages = [line.page for line in lines]
    return (
        all(page.ready and str(page) and not page.out for page in pages) and len({page.state() for page in pages}) == 1
    )
