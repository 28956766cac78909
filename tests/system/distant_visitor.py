"""Somebody with a browser who reaches the server through a proxy with TLS, below a path."""

import contextlib
import http.client
import json
import re
import socket
import ssl
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from tests.system.reverse_proxies import HOST, Proxy
from tests.system.visitor import Answer, Visitor


@dataclass
class DistantVisitor(Visitor):
    """Paths of the server are put below the proxy's; paths that the server gave are taken as they are."""

    proxy: Proxy | None = None

    def connect(self) -> ssl.SSLSocket:
        """A new connection to the proxy, whose certificate is checked."""
        assert self.proxy
        plain = socket.create_connection(("127.0.0.1", self.proxy.port), 70)
        return ssl.create_default_context(cafile=str(self.proxy.authority)).wrap_socket(plain, server_hostname=HOST)

    @property
    def host(self) -> str:
        """The Host header."""
        assert self.proxy
        return f"{HOST}:{self.proxy.port}"

    @property
    def cookie_line(self) -> str:
        """The Cookie header."""
        return "; ".join(f"{name}={value}" for name, value in self.cookies.items())

    def below(self, path: str) -> str:
        """The path as the proxy wants it."""
        assert self.proxy
        return path if path.startswith(self.proxy.path + "/") else self.proxy.path + path

    def request(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: float = 70,
    ) -> Answer:
        """See Visitor."""
        assert self.proxy
        connection = http.client.HTTPConnection(HOST, self.proxy.port)
        connection.sock = self.connect()
        connection.sock.settimeout(timeout)
        fields = dict(headers or {}) | ({"Cookie": self.cookie_line} if self.cookies else {})
        with contextlib.closing(connection):
            connection.request(method, self.below(path), body, fields)
            response = connection.getresponse()
            answer = Answer(response.status, response.headers, response.read())
        self._keep_cookies(answer)
        return answer

    def open_session(self) -> dict[str, object]:
        """See Visitor."""
        assert self.proxy
        self.session_path = self.get("/").location
        assert re.fullmatch(rf"{self.proxy.path}/s/[0-9a-f]{{21}}/", self.session_path), self.session_path
        assert self.get(self.session_path).status == 200
        return self.init()

    @contextlib.contextmanager
    def websocket(self, path: str) -> Iterator[ssl.SSLSocket]:
        """A WebSocket; the answer to the handshake was read."""
        with self.connect() as stream:
            stream.sendall(
                f"GET {self.below(path)} HTTP/1.1\r\nHost: {self.host}\r\nOrigin: https://{self.host}\r\n"
                f"Cookie: {self.cookie_line}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
                "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n".encode()
            )
            head = b""
            while b"\r\n\r\n" not in head:
                piece = stream.recv(1)
                assert piece, head
                head += piece
            assert head.startswith(b"HTTP/1.1 101 "), head
            yield stream

    def greeted(self) -> str:
        """What R calls the address of the server."""
        return str(json.loads(self.run("cat(dQuote(Sys.getenv('RS_SERVER_URL'), FALSE))").split("\n")[0]))
