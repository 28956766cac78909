"""The address that people type, taken apart. Pure."""

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

_PATH = re.compile(r"(?:/[A-Za-z0-9._~-]{1,64}){0,8}/?", re.ASCII)
_HOST = re.compile(r"[A-Za-z0-9._-]{1,255}|[0-9A-Fa-f:.]{2,45}", re.ASCII)
_PORTS = {"https": 443, "http": 80}


class BadAddress(Exception):
    """Not an address of a server; the text says why."""


@dataclass(frozen=True, slots=True)
class Address:
    """path is "" or "/prefix". connect: where to connect to instead of host and port."""

    scheme: str
    host: str
    port: int
    path: str = ""
    connect: tuple[str, int] | None = None

    @property
    def netloc(self) -> str:
        """What a browser sends as Host."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"

    @property
    def origin(self) -> str:
        """What a browser sends as Origin."""
        return f"{self.scheme}://{self.netloc}"

    @property
    def url(self) -> str:
        """The whole address."""
        return f"{self.origin}{self.path}/"


def parse(url: str, connect: str = "") -> Address:
    """BadAddress for what is none. connect: HOST:PORT."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise BadAddress(f"{url[:200]!r} is no address: {error}") from None
    place = _place(connect) if connect else None
    # urlsplit leaves out what it does not like.
    if not url.isprintable() or parts.scheme not in _PORTS or not parts.hostname or not _HOST.fullmatch(parts.hostname):
        raise BadAddress(f"{url[:200]!r} is no address such as https://r.example.org/r/")
    if "@" in parts.netloc:
        raise BadAddress(
            "The address must not name a user or password (the part before the @): https://r.example.org/r/"
        )
    if parts.query or parts.fragment or not _PATH.fullmatch(parts.path):
        raise BadAddress("The address ends with the path under which the server is shown: https://r.example.org/r/")
    return Address(parts.scheme, parts.hostname, port or _PORTS[parts.scheme], parts.path.rstrip("/"), place)


def _place(connect: str) -> tuple[str, int]:
    try:
        parts = urlsplit(f"//{connect}")
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port = None, None
    if not host or not port:
        raise BadAddress(f"--connect: {connect[:200]!r} is not HOST:PORT")
    return host, port
