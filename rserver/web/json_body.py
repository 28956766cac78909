"""Bodies of requests as values of a message type."""

from typing import TypeVar

import msgspec

from rserver.web.request import Request

_T = TypeVar("_T")


class BadBody(Exception):
    """The body is not what this address takes; the text says why."""


def json_body(request: Request, kind: type[_T]) -> _T:
    """The body, an empty one as `{}`; BadBody."""
    try:
        return msgspec.json.decode(request.body or b"{}", type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as bad:
        raise BadBody(str(bad)) from None
