"""Plain HTTP/1.1 to whatever answers at the address; every wait and every answer is bounded."""

import contextlib
import http.client
import json
import socket
import ssl
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from rserver_core.diagnose_token import HEADER
from rserver_diagnose.address import Address

CONNECT_SECONDS = 10.0
ANSWER_SECONDS = 15.0
_MOST_BYTES = 1 << 18


@dataclass(frozen=True, slots=True)
class Answer:
    """own: the address from which it was asked; body: its first 256 KiB."""

    status: int
    fields: tuple[tuple[str, str], ...]
    body: bytes
    own: tuple[str, int]

    def all(self, name: str) -> list[str]:
        """The values of a field."""
        return [value for key, value in self.fields if key.lower() == name]

    def first(self, name: str) -> str:
        """The first value of a field, "" when it is missing."""
        return next(iter(self.all(name)), "")

    @property
    def arrived(self) -> dict[str, Any] | None:
        """What the server says arrived; None when the answer is not the server's."""
        try:
            value = json.loads(self.body)
        except ValueError:
            return None
        return value if _is_ours(value) else None

    @property
    def words(self) -> str:
        """Short, for people."""
        server = f", Server: {self.first('server')[:60]}" if self.first("server") else ""
        return f"status {self.status}{server}"


_SHAPE = {
    **dict.fromkeys(("method", "target", "version", "www_root_path"), str),
    "fields": list,
    "peer": list,
    "trusted": bool,
    "secure_cookies": bool,
    "seen": dict,
}
_SEEN = {"address": str, "secure": bool, "host": str, "root_path": str}


def _is_ours(value: object) -> bool:
    """What the server would say; whoever else answers may say anything."""
    if not isinstance(value, dict) or not _has(_SHAPE, value) or not _has(_SEEN, value["seen"]):
        return False
    pairs = all(isinstance(pair, list) and list(map(type, pair)) == [str, str] for pair in value["fields"])
    texts = all(isinstance(value.get(name, ""), str) for name in ("cookie", "location"))
    return pairs and texts and list(map(type, value["peer"])) == [str, int]


def _has(shape: Mapping[str, type], value: Mapping[str, object]) -> bool:
    return all(isinstance(value.get(name), kind) for name, kind in shape.items())


class Caller:
    """Asks with the token. context: for TLS, None without."""

    def __init__(self, address: Address, token: str, context: ssl.SSLContext | None) -> None:
        self.address, self._token, self.context = address, token, context

    def connect(self, seconds: float = ANSWER_SECONDS) -> socket.socket:
        """A new connection; OSError."""
        place = self.address.connect or (self.address.host, self.address.port)
        plain = socket.create_connection(place, CONNECT_SECONDS)
        plain.settimeout(seconds)
        if self.context is None:
            return plain
        try:
            return self.context.wrap_socket(plain, server_hostname=self.address.host)
        except BaseException:
            plain.close()
            raise

    def fields(self, probe: str, more: Mapping[str, str] | None = None) -> dict[str, str]:
        """The header fields of a request."""
        return {
            "Host": self.address.netloc,
            HEADER: f"{self._token} {probe}",
            "User-Agent": "rstudio-server diagnose",
            "Accept": "*/*",
            **(more or {}),
        }

    def head(self, probe: str, more: Mapping[str, str], method: str = "GET", path: str = "/rs-diagnose/x") -> bytes:
        """A request's head, to be sent by hand."""
        lines = "".join(f"{name}: {value}\r\n" for name, value in self.fields(probe, more).items())
        return f"{method} {self.address.path}{path} HTTP/1.1\r\n{lines}\r\n".encode("latin-1")

    def ask(
        self,
        probe: str,
        path: str = "/rs-diagnose/x",
        *,
        method: str = "GET",
        more: Mapping[str, str] | None = None,
        seconds: float = ANSWER_SECONDS,
    ) -> Answer:
        """One whole answer; OSError, http.client.HTTPException."""
        with self.asked(probe, path, method=method, more=more, seconds=seconds) as (response, own):
            body = response.read(_MOST_BYTES)
        return Answer(response.status, tuple(response.getheaders()), body, own)

    @contextlib.contextmanager
    def asked(
        self,
        probe: str,
        path: str,
        *,
        method: str = "GET",
        more: Mapping[str, str] | None = None,
        seconds: float = ANSWER_SECONDS,
    ) -> Iterator[tuple[http.client.HTTPResponse, tuple[str, int]]]:
        """An answer whose body is to be read; path begins behind the address's own, or is absolute with `//`."""
        target = path[1:] if path.startswith("//") else self.address.path + path
        connection = http.client.HTTPConnection(self.address.host, self.address.port)
        with contextlib.closing(connection):
            connection.sock = self.connect(seconds)
            own = connection.sock.getsockname()[:2]
            connection.putrequest(method, target, skip_host=True, skip_accept_encoding=True)
            for name, value in self.fields(probe, more).items():
                connection.putheader(name, value)
            connection.endheaders()
            with contextlib.closing(connection.getresponse()) as response:
                yield response, own


def lines_until(sock: socket.socket, deadline: float) -> Iterator[bytes]:
    """Lines as they come, until the deadline (time.monotonic) or the end."""
    data = b""
    while (left := deadline - time.monotonic()) > 0 and len(data) < _MOST_BYTES:
        sock.settimeout(left)
        try:
            piece = sock.recv(65536)
        except OSError:
            return
        if not piece:
            return
        *lines, data = (data + piece).split(b"\n")
        yield from lines
