"""Answers of the door: JSON, and errors in the one shape that its clients know."""

import msgspec

from rserver.remote.messages import Error
from rserver.web.request import Response

_CSP = "default-src 'none'"
_KINDS = {400: "BadRequest", 401: "Unauthorized", 403: "Forbidden", 404: "NotFound", 409: "Conflict", 410: "Gone"}


def json_answer(value: object, status: int = 200, headers: tuple[tuple[str, str], ...] = ()) -> Response:
    """Any value msgspec can encode."""
    return Response(status, msgspec.json.encode(value), "application/json; charset=utf-8", headers, csp=_CSP)


def error(status: int, message: str) -> Response:
    """A sentence for who sent the request."""
    headers = (("WWW-Authenticate", "Bearer"),) if status == 401 else ()
    return json_answer(Error(message, exception_type=_KINDS.get(status, "")), status, headers)
