"""One end of a channel between two of our processes: framed JSON over a stream socket, never blocking."""

import contextlib
import socket
from collections import deque
from collections.abc import Callable

from rserver_core import frame
from rserver_core.frame import FrameError, FrameReader, Message
from rserver_process.event_loop import Loop

MAX_QUEUED = 16 << 20
_CHUNK = 1 << 16

OnMessage = Callable[[Message], None]
OnClosed = Callable[[str], None]


class Channel:
    """Sends and receives messages; the greetings are exchanged and checked here.

    on_greeting gets the other side's greeting, on_message every later message. on_closed is called exactly once, with
    the reason as a sentence for the log: the other side closed, it broke the protocol, or it does not read. Not after
    close().
    """

    def __init__(
        self,
        loop: Loop,
        sock: socket.socket,
        on_message: OnMessage,
        on_closed: OnClosed,
        *,
        greeting: Message,
        peer_role: str,
        on_greeting: OnMessage | None = None,
    ) -> None:
        self._loop, self._sock = loop, sock
        self._on_message, self._on_closed, self._on_greeting = on_message, on_closed, on_greeting
        self._peer_role, self._greeted = peer_role, False
        self._reader = FrameReader()
        self._queue: deque[memoryview] = deque()
        self._queued = 0
        self._open = True
        sock.setblocking(False)
        loop.add_reader(sock.fileno(), self._readable)
        self.send(greeting)

    @property
    def open(self) -> bool:
        """False once closed by either side."""
        return self._open

    def send(self, message: Message) -> None:
        """Queue a message; dropped when the channel is closed.

        A peer that lets MAX_QUEUED bytes pile up loses the channel.
        """
        if not self._open:
            return
        data = frame.encode(message)
        self._queue.append(memoryview(data))
        self._queued += len(data)
        if self._queued > MAX_QUEUED:
            self._loop.call_soon(lambda: self._fail(f"the {self._peer_role} does not read its messages"))
        elif len(self._queue) == 1:
            self._write()

    def close(self) -> None:
        """Close without calling back; what is queued is given one last chance to leave."""
        if not self._open:
            return
        if self._queue:
            with contextlib.suppress(OSError):
                self._send_some()
        self._open = False
        self._loop.remove_reader(self._sock.fileno())
        self._loop.remove_writer(self._sock.fileno())
        self._queue.clear()
        self._sock.close()

    def _fail(self, reason: str) -> None:
        if self._open:
            self._queue.clear()
            self.close()
            self._on_closed(reason)

    def _readable(self) -> None:
        try:
            data = self._sock.recv(_CHUNK)
        except (BlockingIOError, InterruptedError):
            return
        except OSError as error:
            return self._fail(f"the channel to the {self._peer_role} broke: {error}")
        if not data:
            return self._fail(f"the {self._peer_role} closed its channel")
        try:
            for message in self._reader.feed(data):
                self._received(message)
                if not self._open:
                    return None
        except FrameError as error:
            self._fail(f"the {self._peer_role} broke the protocol: {error}")

    def _received(self, message: Message) -> None:
        if self._greeted:
            self._on_message(message)
            return
        frame.check_greeting(message, self._peer_role)
        self._greeted = True
        if self._on_greeting:
            self._on_greeting(message)

    def _write(self) -> None:
        try:
            self._send_some()
        except OSError as error:
            # Not from within send(): its caller may not expect to be called back.
            reason = f"the channel to the {self._peer_role} broke: {error}"
            self._loop.call_soon(lambda: self._fail(reason))
            return
        if self._queue:
            self._loop.add_writer(self._sock.fileno(), self._write)
        else:
            self._loop.remove_writer(self._sock.fileno())

    def _send_some(self) -> None:
        while self._queue:
            try:
                sent = self._sock.send(self._queue[0])
            except (BlockingIOError, InterruptedError):
                return
            self._queued -= sent
            if sent < len(self._queue[0]):
                self._queue[0] = self._queue[0][sent:]
            else:
                self._queue.popleft()
