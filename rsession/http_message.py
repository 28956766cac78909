"""Requests and answers of the session's HTTP server as plain values."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rsession.http_stream import Source


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


@dataclass(frozen=True)
class StreamedResponse(Response):
    """An answer whose body comes piece by piece; length: its bytes, None when nobody knows."""

    source: "Source | None" = None
    length: int | None = None


_KINDS = {400: "BadRequest", 404: "NotFound", 507: "InsufficientStorage"}


class Refusal(Exception):
    """A program's request that is not carried out: a status of HTTP and a sentence for who sent it."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status, self.message = status, message

    @property
    def response(self) -> Response:
        """In the shape that programs know."""
        body = {"message": self.message, "link": "", "exceptionType": _KINDS.get(self.status, "")}
        return Response(self.status, json.dumps(body).encode(), "application/json")
