"""Ways from a client to the recording backend, by our front and nginx in every order, and what comes of cases there."""

import random
import re
import socket
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from tests.rserver.proxy.lone_plane import lone_plane
from tests.rserver.proxy.nginx import free_port, nginx
from tests.rserver.proxy.smuggling.cases import Case, Request
from tests.rserver.proxy.smuggling.recorder import Recorder
from tests.rserver.proxy.world import COOKIE, LIMIT_SECONDS, SID, TOKEN

# Long enough for a loaded machine, as they also limit what is in order.
_SETTINGS = {
    "tick_seconds": 0.05,
    "head_seconds": 2.0,
    "keep_alive_seconds": 1.0,
    "body_stall_seconds": 2.0,
    "linger_seconds": 1.0,
}
_HEAD = re.compile(rb"HTTP/1\.[01] (\d{3})[^\r\n]*\r\n((?:[^\r\n]+\r\n)*)\r\n")
_LENGTH = re.compile(rb"(?i)^content-length: (\d+)\r$", re.MULTILINE)
_AT_ONCE = 800
_HARMLESS = f"GET /s/{SID}/warm HTTP/1.1\r\nHost: h\r\n{COOKIE}\r\n{TOKEN}\r\n\r\n".encode()

Environment = Mapping[str, str]


@dataclass(frozen=True)
class Answer:
    """A final answer: status (0: it has no head), the lines of its head, body."""

    status: int
    fields: bytes
    body: bytes

    @property
    def closes(self) -> bool:
        """It says that it is the last one."""
        return b"connection: close\r\n" in self.fields.lower()


@dataclass(frozen=True)
class Outcome:
    """What a client got for a case before the connection ended, and what the backend saw of it."""

    answers: tuple[Answer, ...]
    requests: tuple[Request, ...]


@dataclass(frozen=True)
class Outcomes:
    """By number of the case; `broken` are connections on which the backend met what breaks the rules."""

    of: Mapping[int, Outcome]
    broken: tuple[str, ...]


def outcomes(
    way: "Way", folder: Path, environment: Environment, cases: Sequence[Case], *, warm: bool = False, pieces: int = 1
) -> Outcomes:
    """What comes of all cases on this way, each sent in so many pieces, with those of all others between them.

    warm: behind two harmless requests on the same connection, as a proxy may take short cuts for what it has seen.
    """
    recorder = Recorder(folder / "recorder.sock")
    try:
        with way(folder, recorder, environment) as port:
            answers: dict[int, tuple[Answer, ...]] = {}
            for start in range(0, len(cases), _AT_ONCE):
                answers |= _conversations(port, cases[start : start + _AT_ONCE], warm, pieces)
    finally:
        recorder.stop()
    found = {case.number: Outcome(answers[case.number], recorder.of(case.number)) for case in cases}
    return Outcomes(found, tuple(recorder.broken))


@contextmanager
def ours(folder: Path, recorder: Recorder, environment: Environment) -> Iterator[int]:
    """Client, we, backend."""
    with lone_plane(recorder.path, environment, **_SETTINGS) as (port, _):
        yield port


@contextmanager
def ours_before_nginx(folder: Path, recorder: Recorder, environment: Environment) -> Iterator[int]:
    """Client, we, nginx, backend."""
    listen = folder / "nginx.sock"
    behind = nginx(folder / "nginx", f"unix:{recorder.path}", f"unix:{listen}")
    with behind, lone_plane(str(listen), environment, **_SETTINGS) as (port, _):
        yield port


@contextmanager
def ours_behind_nginx(folder: Path, recorder: Recorder, environment: Environment) -> Iterator[int]:
    """Client, nginx, we, backend."""
    outer = free_port()
    with (
        lone_plane(recorder.path, environment, **_SETTINGS) as (port, _),
        nginx(folder / "nginx", f"127.0.0.1:{port}", f"127.0.0.1:{outer}"),
    ):
        yield outer


@contextmanager
def only_nginx(folder: Path, recorder: Recorder, environment: Environment) -> Iterator[int]:
    """Client, nginx, backend."""
    port = free_port()
    with nginx(folder / "nginx", f"unix:{recorder.path}", f"127.0.0.1:{port}"):
        yield port


Way = Callable[[Path, Recorder, Environment], AbstractContextManager[int]]


def _conversations(port: int, cases: Sequence[Case], warm: bool, pieces: int) -> dict[int, tuple[Answer, ...]]:
    """All at once: those that wait for a time limit do so together."""
    clients = []
    for case in cases:
        # With the first piece at once: while a client makes the other connections, a server's time limit runs.
        clients.append(client := socket.create_connection(("127.0.0.1", port), LIMIT_SECONDS))
        with suppress(ConnectionError):
            client.sendall(_HARMLESS if warm else _piece(case, 0, pieces))
    if warm:
        for client in clients:
            _skip_answer(client)
            client.sendall(_HARMLESS)
        for client in clients:
            _skip_answer(client)
    for piece in range(0 if warm else 1, pieces):
        for client, case in zip(clients, cases, strict=True):
            with suppress(ConnectionError):
                client.sendall(_piece(case, piece, pieces))
    return {case.number: _answers(_to_end(client)) for case, client in zip(cases, clients, strict=True)}


def _piece(case: Case, piece: int, pieces: int) -> bytes:
    cuts = sorted(random.Random(case.number).choices(range(len(case.data) + 1), k=pieces - 1))
    return case.data[[0, *cuts][piece] : [*cuts, len(case.data)][piece]]


def _skip_answer(client: socket.socket) -> None:
    data = b""
    while not data.endswith(b"\r\n\r\nok"):
        data += client.recv(1)
    assert data.startswith(b"HTTP/1.1 200 ")


def _to_end(client: socket.socket) -> bytes:
    data = b""
    with client, suppress(ConnectionError):
        while more := client.recv(1 << 16):
            data += more
    return data


def _answers(data: bytes) -> tuple[Answer, ...]:
    found: list[Answer] = []
    position = 0
    while position < len(data):
        head = _HEAD.match(data, position)
        if head is None:  # nginx answers HTTP/0.9
            return (*found, Answer(0, b"", data[position:]))
        length = _LENGTH.search(head[2])
        size = int(length[1]) if length else 0
        if _HEAD.match(data, head.end()):
            size = 0  # to a HEAD request
        position = head.end() + size
        if head[1] >= b"200":
            found.append(Answer(int(head[1]), head[2], data[head.end() : position]))
    return tuple(found)
