"""The program that keeps a shared text, as a child of this session, and what is said between the two."""

import json
import os
import signal
import socket
import struct
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from twisted.internet import protocol
from twisted.python.failure import Failure

if TYPE_CHECKING:
    from twisted.internet.epollreactor import EPollReactor

_PROGRAM = Path(__file__).resolve().parents[2] / "filebase" / "__main__.py"
_LENGTH = struct.Struct(">I")
_FRAME_LIMIT = 64 << 20
_CONTROL, _DOORS = 3, 4
# Large texts come and go: what they leave free is given back to the system.
_MEMORY = {"MALLOC_ARENA_MAX": "1", "MALLOC_TRIM_THRESHOLD_": "65536", "MALLOC_MMAP_THRESHOLD_": "65536"}

Fields = dict[str, Any]


class FilebaseProcess(protocol.Protocol):
    """heard: called with each message; gone: when the program has ended, of itself or as it was told."""

    def __init__(self, heard: Callable[[Fields], None], gone: Callable[[], None]) -> None:
        self._heard, self._gone = heard, gone
        self._buffer = bytearray()
        self._pid = 0

    def start(self, reactor: "EPollReactor", log: Path) -> None:
        """Start the program. OSError."""
        ours, theirs = socket.socketpair()
        self._doors, doors = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs, doors, ours:
            self._pid = _spawn(log, theirs.fileno(), doors.fileno())
            ours.setblocking(False)
            self._doors.setblocking(False)
            factory = protocol.Factory.forProtocol(lambda: self)
            factory.noisy = False
            reactor.adoptStreamConnection(ours.fileno(), socket.AF_UNIX, factory)

    def dataReceived(self, data: bytes) -> None:
        """Bytes of the program."""
        self._buffer += data
        while len(self._buffer) >= _LENGTH.size:
            (length,) = _LENGTH.unpack_from(self._buffer)
            if length > _FRAME_LIMIT:
                self.stop()
                return
            if len(self._buffer) < _LENGTH.size + length:
                return
            body = bytes(self._buffer[_LENGTH.size : _LENGTH.size + length])
            del self._buffer[: _LENGTH.size + length]
            self._heard(json.loads(body))

    def connectionLost(self, reason: Failure = protocol.connectionDone) -> None:
        """The program has ended."""
        self._doors.close()
        self._gone()

    def say(self, what: str, **fields: object) -> None:
        """Send a message."""
        body = json.dumps({"type": what, **fields}).encode()
        if self.transport is not None:
            self.transport.write(_LENGTH.pack(len(body)) + body)

    def let_in(self, descriptor: int, user: str, key: str, early: str) -> bool:
        """Hand a member's connection over; False when that cannot be now. early: base64 of what came already."""
        packet = json.dumps({"user": user, "key": key, "early": early}).encode()
        try:
            socket.send_fds(self._doors, [packet], [descriptor])
        except OSError:
            return False
        return True

    def stop(self) -> None:
        """Let it end."""
        if self.transport is not None:
            self.transport.loseConnection()

    def reap(self) -> bool:
        """Whether the process has ended and is no zombie any more."""
        if not self._pid:
            return True  # it was never started
        try:
            return os.waitpid(self._pid, os.WNOHANG)[0] == self._pid
        except ChildProcessError:
            return True


def _spawn(log: Path, control: int, doors: int) -> int:
    actions: list[tuple[Any, ...]] = [
        *((os.POSIX_SPAWN_OPEN, number, "/dev/null", os.O_RDWR, 0) for number in range(3)),
        # In two steps: one of them may have the number that the other is to get.
        (os.POSIX_SPAWN_DUP2, control, doors + control + 10),
        (os.POSIX_SPAWN_DUP2, doors, _DOORS),
        (os.POSIX_SPAWN_DUP2, doors + control + 10, _CONTROL),
    ]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")} | _MEMORY
    everything = set(signal.Signals) - {signal.SIGKILL, signal.SIGSTOP}
    arguments = [sys.executable, str(_PROGRAM), str(log)]
    return os.posix_spawn(
        sys.executable, arguments, environment, file_actions=actions, setsigmask=[], setsigdef=everything
    )
