"""Requests and answers of the session's HTTP server as plain values."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Request:
    """A request with its whole body; header names are lower case, of repeated names the last value counts."""

    method: str
    path: str
    """Without the query, percent-decoding done, begins with a slash."""
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes = b""


@dataclass(frozen=True)
class Response:
    """An answer; Content-Length, Date and Connection are added when it is sent."""

    status: int
    body: bytes = b""
    content_type: str = "application/octet-stream"
    headers: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of_text(cls, status: int, text: str) -> "Response":
        """A short sentence in plain text."""
        return cls(status, text.encode(), "text/plain; charset=utf-8")
