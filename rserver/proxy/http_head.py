"""Strict reader of HTTP/1 heads: bytes in, a checked value or one error out. No socket, no clock.

Whatever two servers could read differently is refused, not repaired: see docs/reference/http-front.md.
"""

import re
from dataclasses import dataclass

from rserver.proxy.memo import Memo

HEAD_LIMIT = 32 * 1024
FIELD_LIMIT = 100
TARGET_LIMIT = 8 * 1024

_TOKEN = r"[!#$%&'*+\-.^_`|~0-9A-Za-z]"
_FIELD = re.compile(rf"({_TOKEN}++):([\t\x20-\x7e\x80-\xff]*+)")
_REQUEST_LINE = re.compile(rf"({_TOKEN}{{1,32}}+) ([!-~]++) HTTP/([0-9]\.[0-9])")
_STATUS_LINE = re.compile(r"HTTP/1\.([01]) ([1-5][0-9]{2})(?: ([\t\x20-\x7e\x80-\xff]*+))?")
_HOST = re.compile(r"(?:[A-Za-z0-9._\-]{1,255}+|\[[0-9A-Fa-f:.]{2,45}+\])(?::[0-9]{0,5}+)?")
_LENGTH = re.compile(r"[0-9]{1,18}")
# What can be refused before a head is complete: a bare CR or LF, NUL and other control bytes.
_HOPELESS = re.compile(rb"\r[^\n]|(?<!\r)\n|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")

_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_BLANK_BEFORE_COLON = re.compile(rf"{_TOKEN}++[ \t]++:")

# Two of these in one head leave open which one counts.
_ONCE = frozenset(
    {"host", "content-length", "transfer-encoding", "content-type", "authorization", "origin", "upgrade", "expect"}
    | {"x-rs-csrf-token", "sec-websocket-key", "sec-websocket-version", "x-forwarded-host", "x-forwarded-proto"}
    | {"x-rstudio-request", "x-rstudio-root-path"}
)


_CONTROL_BYTE = "control byte or bare line break in the head"
_LONG_TARGET = "the address is longer than 8 KiB"


# Requests that may be sent again when nothing came back.
REPEATABLE = frozenset({"GET", "HEAD", "OPTIONS"})


class BadHead(Exception):
    """The peer sent a head that is not accepted. `status` is what a client is told; the text says why."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status


@dataclass(slots=True)
class Head:
    """Fields of a head. Names are lower-case; `headers` joins repeated ones by ", " (cookies by "; ").

    `length` and `chunked` are what the head says about the body; both unset: nothing was said.
    `connection` holds the lower-case tokens of the Connection field.
    """

    version: int
    fields: list[tuple[str, str]]
    headers: dict[str, str]
    length: int | None
    chunked: bool
    connection: frozenset[str]


@dataclass(slots=True)
class RequestLine(Head):
    """A checked request head. `upgrade`: a valid WebSocket handshake; `expects_continue`: 100-continue is awaited.

    `repeated`: it was sent to a session once already, and nothing came back.
    """

    method: str
    target: str
    keep_alive: bool
    upgrade: bool
    expects_continue: bool
    repeated: bool = False

    @property
    def has_body(self) -> bool:
        return self.chunked or bool(self.length)


@dataclass(slots=True)
class StatusLine(Head):
    """A checked response head."""

    status: int
    reason: str


class HeadBuffer:
    """Collects bytes until a head is complete and keeps what came after it."""

    __slots__ = ("_data", "_searched")

    def __init__(self) -> None:
        self._data = b""
        self._searched = 0

    def __len__(self) -> int:
        return len(self._data)

    def push(self, data: bytes) -> None:
        """Add what arrived."""
        self._data = self._data + data if self._data else data

    def take(self) -> bytes | None:
        """The next complete head with its empty line, or None. BadHead when it cannot become one."""
        end = self._data.find(b"\r\n\r\n", self._searched)
        if end > HEAD_LIMIT - 4 or (end < 0 and len(self._data) >= HEAD_LIMIT):
            raise self._too_large()
        if end < 0:
            self._check_hope()
            return None
        head = self._data[: end + 4]
        self._data = self._data[end + 4 :]
        self._searched = 0
        return head

    def take_rest(self) -> bytes:
        """Everything that is here, whatever it is."""
        rest, self._data, self._searched = self._data, b"", 0
        return rest

    def _check_hope(self) -> None:
        if _HOPELESS.search(self._data, self._searched):
            raise BadHead(400, _CONTROL_BYTE)
        self._searched = max(0, len(self._data) - 3)

    def _too_large(self) -> BadHead:
        if self._data.find(b"\r\n", 0, HEAD_LIMIT) < 0:
            return BadHead(414, _LONG_TARGET)
        return BadHead(431, "the head is larger than 32 KiB")


def parse_request(block: bytes) -> RequestLine:
    """The request in a complete head (with its empty line). BadHead for anything ambiguous."""
    line, *lines = block[:-4].decode("latin-1").split("\r\n")
    method, target, version = _request_line(line)
    fields, headers = _fields(lines)
    length, chunked = _framing(headers, version)
    connection = connection_tokens(headers.get("connection"))
    _check_host(headers.get("host"), version)
    keep_alive = version == 1 and "close" not in connection
    upgrade = "upgrade" in connection and _is_upgrade(method, version, headers, chunked or bool(length))
    expects = "expect" in headers and _expects_continue(headers["expect"], version)
    head = (version, fields, headers, length, chunked, connection)
    return RequestLine(*head, method, target, keep_alive, upgrade, expects)


def parse_response(block: bytes) -> StatusLine:
    """The response in a complete head (with its empty line). BadHead (status 502) for anything ambiguous."""
    line, *lines = block[:-4].decode("latin-1").split("\r\n")
    match = _STATUS_LINE.fullmatch(line)
    if match is None:
        raise BadHead(502, "no status line")
    fields, headers = _fields(lines)
    version = int(match[1])
    length, chunked = _framing(headers, version)
    connection = connection_tokens(headers.get("connection"))
    return StatusLine(version, fields, headers, length, chunked, connection, int(match[2]), match[3] or "")


def _request_line(line: str) -> tuple[str, str, int]:
    match = _REQUEST_LINE.fullmatch(line)
    if match is None:
        raise BadHead(400, "the request line is not a method, an address and a version with one blank between them")
    method, target, version = match.groups()
    if version not in {"1.0", "1.1"}:
        raise BadHead(505, "only HTTP/1.0 and HTTP/1.1 are spoken here")
    if len(target) > TARGET_LIMIT:
        raise BadHead(414, _LONG_TARGET)
    if target[0] != "/" or "#" in target:
        raise BadHead(400, "the address is not a path")
    if method in {"CONNECT", "TRACE"}:
        raise BadHead(405, "the methods CONNECT and TRACE are not allowed")
    return method, target, int(version[2])


def _fields(lines: list[str]) -> tuple[list[tuple[str, str]], dict[str, str]]:
    if len(lines) > FIELD_LIMIT:
        raise BadHead(431, "more than 100 header fields")
    fields = [_READ_FIELDS[line] for line in lines]
    headers = dict(fields)
    return fields, headers if len(headers) == len(fields) else _joined(fields)


def _read_field(line: str) -> tuple[str, str]:
    match = _FIELD.fullmatch(line)
    if match is None:
        raise BadHead(400, _what_is_wrong(line))
    return match[1].lower(), match[2].strip(" \t")


def _what_is_wrong(line: str) -> str:
    """The reason why this is no header field."""
    if line[:1] in {" ", "\t"}:
        return "a header field continues on a second line"
    if _BLANK_BEFORE_COLON.match(line):
        return "blank before the colon of a header field"
    if _CONTROL.search(line):
        return _CONTROL_BYTE
    return "a header field has no proper name"


_READ_FIELDS: Memo[str, tuple[str, str]] = Memo(_read_field, len)


def _joined(fields: list[tuple[str, str]]) -> dict[str, str]:
    headers: dict[str, str] = {}
    for name, value in fields:
        if name not in headers:
            headers[name] = value
        elif name in _ONCE:
            raise BadHead(400, f"more than one {name}")
        else:
            headers[name] += ("; " if name == "cookie" else ", ") + value
    return headers


def _framing(headers: dict[str, str], version: int) -> tuple[int | None, bool]:
    coding, length = headers.get("transfer-encoding"), headers.get("content-length")
    if coding is not None:
        _check_coding(coding, length, version)
        return None, True
    if length is None:
        return None, False
    if _LENGTH.fullmatch(length) is None:
        raise BadHead(400, "Content-Length is not a number of 1 to 18 digits")
    return int(length), False


def _check_coding(coding: str, length: str | None, version: int) -> None:
    if length is not None:
        raise BadHead(400, "Transfer-Encoding together with Content-Length")
    if version == 0:
        raise BadHead(400, "Transfer-Encoding in HTTP/1.0")
    if coding.lower() != "chunked":
        raise BadHead(400, "a transfer coding other than chunked")


def _check_host(host: str | None, version: int) -> None:
    if host is None:
        if version == 1:
            raise BadHead(400, "HTTP/1.1 needs a Host field")
    elif _HOST.fullmatch(host) is None:
        raise BadHead(400, "malformed Host field")


def connection_tokens(value: str | None) -> frozenset[str]:
    if value is None:
        return frozenset()
    return _TOKEN_SETS.get(value) or frozenset(token.strip(" \t") for token in value.lower().split(","))


_TOKEN_SETS = {
    "keep-alive": frozenset({"keep-alive"}),
    "close": frozenset({"close"}),
    "Upgrade": frozenset({"upgrade"}),
}


def _is_upgrade(method: str, version: int, headers: dict[str, str], has_body: bool) -> bool:
    return method == "GET" and version == 1 and not has_body and headers.get("upgrade", "").lower() == "websocket"


def _expects_continue(value: str, version: int) -> bool:
    if value.lower() != "100-continue":
        raise BadHead(417, "an expectation other than 100-continue")
    return version == 1
