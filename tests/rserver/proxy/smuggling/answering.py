"""A session that answers with exactly the bytes of a case, and what a strict client makes of what comes through."""

import socket
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h11

from tests.rserver.proxy.smuggling.cases import expanded, prefix
from tests.rserver.proxy.smuggling.listening import Listening
from tests.rserver.proxy.world import COOKIE, TOKEN

_FILE = Path(__file__).with_name("answers.toml")
_PLAIN = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


@dataclass(frozen=True)
class AnswerCase:
    """One entry of answers.toml. status None: the client gets no whole answer."""

    name: str
    number: int
    says: bytes
    method: str
    ends: bool
    status: int | None
    body: bytes
    again: bool


def answer_cases() -> list[AnswerCase]:
    """All cases."""
    with _FILE.open("rb") as file:
        return [_case(number, entry) for number, entry in enumerate(tomllib.load(file)["answer"])]


def _case(number: int, entry: dict[str, Any]) -> AnswerCase:
    assert set(entry) <= {"name", "says", "method", "ends", "status", "broken", "body", "again"}, entry
    assert ("status" in entry) != entry.get("broken", False), entry["name"]
    return AnswerCase(
        entry["name"],
        number,
        expanded(entry["says"], number).encode("latin-1"),
        entry.get("method", "GET"),
        entry.get("ends", False),
        entry.get("status"),
        entry.get("body", "").encode("latin-1"),
        entry.get("again", False),
    )


class Answering(Listening):
    """`served` has by path the numbers of the connections that brought a request for it."""

    def __init__(self, path: Path, cases: list[AnswerCase]) -> None:
        self.served: dict[str, list[int]] = {}
        self._cases = {f"/{case.number}/x": case for case in cases}
        super().__init__(path)

    def serve(self, end: socket.socket, number: int) -> None:
        """See Listening."""
        with end:
            while True:
                head = _head(end)
                if not head:
                    return
                path = head.split(b" ")[1].decode()
                self.served.setdefault(path, []).append(number)
                case = self._cases.get(path)
                try:
                    end.sendall(case.says if case else _PLAIN)
                except OSError:
                    return
                if case is not None and case.ends:
                    return


def _head(end: socket.socket) -> bytes:
    """Of the next request, which has no body; empty when none comes."""
    data = b""
    while not data.endswith(b"\r\n\r\n"):
        try:
            more = end.recv(4096)
        except ConnectionResetError:
            return b""
        if not more:
            return b""
        data += more
    return data


def asked(client: socket.socket, number: int, name: str, method: str = "GET") -> tuple[int, bytes] | None:
    """Status and body of the answer as h11 reads it; None when there is no whole one."""
    path = f"{prefix(number)}/{name}"
    client.sendall(f"{method} {path} HTTP/1.1\r\nHost: h\r\n{COOKIE}\r\n{TOKEN}\r\n\r\n".encode())
    reader = h11.Connection(h11.CLIENT)
    reader.send(h11.Request(method=method, target=path, headers=[("Host", "h")]))
    reader.send(h11.EndOfMessage())
    status, body = 0, b""
    try:
        while not isinstance(event := reader.next_event(), h11.EndOfMessage):
            if event is h11.NEED_DATA:
                reader.receive_data(client.recv(65536))
            elif isinstance(event, h11.Response):
                status = event.status_code
            elif isinstance(event, h11.Data):
                body += event.data
            else:
                return None
    except (h11.RemoteProtocolError, ConnectionResetError):
        return None
    return status, body
