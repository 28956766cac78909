"""Whether the parts of a running server answer: the worker, and the nginx in front of it when there is one."""

import contextlib
import http.client
import socket
import ssl
from dataclasses import dataclass
from pathlib import Path

_SECONDS = 3.0
_UNAVAILABLE = 503
_ANY = {"0.0.0.0": "127.0.0.1", "[::]": "[::1]"}


@dataclass(frozen=True, slots=True)
class Health:
    """Who answers. nginx None: there is none in front; tls: the addresses at which TLS is spoken."""

    worker: bool
    nginx: bool | None
    tls: frozenset[str] = frozenset()


def look(addresses: list[str], run_dir: Path) -> Health:
    """Ask them. addresses: `host:port` on which the server listens."""
    tls = frozenset(address for address in addresses if _speaks_tls(address))
    served = [address for address in addresses if not tls or address in tls][:1]
    worker_socket = run_dir / "http" / "worker.sock"
    if not _is_listened_on(worker_socket):
        return Health(any(_answers(_tcp(each, each in tls), "/health-check") for each in served), None, tls)
    nginx = any(_answers(_tcp(each, each in tls), "/health-check/http") for each in served)
    return Health(_answers(_UnixConnection(str(worker_socket)), "/health-check"), nginx, tls)


def says_offline(addresses: list[str], run_dir: Path) -> bool | None:
    """Whether the worker that answers says that the server is offline; None when nobody answers."""
    worker_socket = run_dir / "http" / "worker.sock"
    if _is_listened_on(worker_socket):
        connection: http.client.HTTPConnection = _UnixConnection(str(worker_socket))
    elif addresses:
        tls = [address for address in addresses if _speaks_tls(address)]
        connection = _tcp((tls or addresses)[0], bool(tls))
    else:
        return None
    try:
        connection.request("GET", "/health-check")
        answer = connection.getresponse()
        return answer.status == _UNAVAILABLE and answer.read(100) == b"offline\n"
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()


def _speaks_tls(address: str) -> bool:
    with contextlib.suppress(OSError, ValueError), _connected(address) as plain, _context().wrap_socket(plain):
        return True
    return False


def _is_listened_on(path: Path) -> bool:
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as probe:
        probe.settimeout(_SECONDS)
        probe.connect(str(path))
        return True
    return False


def _answers(connection: http.client.HTTPConnection, path: str) -> bool:
    """Any answer will do: while it is offline the server says 503."""
    try:
        connection.request("GET", path)
        return connection.getresponse().status > 0
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _tcp(address: str, tls: bool) -> http.client.HTTPConnection:
    host, _, port = address.rpartition(":")
    where = _ANY.get(host, host).strip("[]")
    if tls:
        return http.client.HTTPSConnection(where, int(port), timeout=_SECONDS, context=_context())
    return http.client.HTTPConnection(where, int(port), timeout=_SECONDS)


def _connected(address: str) -> socket.socket:
    host, _, port = address.rpartition(":")
    return socket.create_connection((_ANY.get(host, host).strip("[]"), int(port)), _SECONDS)


def _context() -> ssl.SSLContext:
    """It is asked whether somebody answers at our own address, not who."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: str) -> None:
        super().__init__("localhost", timeout=_SECONDS)
        self._path = path

    def connect(self) -> None:
        """See HTTPConnection."""
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(_SECONDS)
        self.sock.connect(self._path)
