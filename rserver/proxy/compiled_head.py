"""http_head's two readers, compiled: usual heads are read in C, all others by http_head, which alone refuses any."""

from rserver.proxy import http_head
from rserver.proxy._native import scan_answer, scan_request
from rserver.proxy.http_head import RequestLine, StatusLine, connection_tokens


def parse_request(block: bytes) -> RequestLine:
    """See http_head.parse_request."""
    seen = scan_request(block)
    if seen is None:
        return http_head.parse_request(block)
    version, (fields, headers, length, chunked), method, target, close, upgrade, expects = seen
    tokens = connection_tokens(headers.get("connection"))
    keep_alive = version == 1 and not close
    head = (version, fields, headers, length, chunked, tokens)
    return RequestLine(*head, method, target, keep_alive, upgrade, expects)


def parse_response(block: bytes) -> StatusLine:
    """See http_head.parse_response."""
    seen = scan_answer(block)
    if seen is None:
        return http_head.parse_response(block)
    version, (fields, headers, length, chunked), status, reason, _ = seen
    return StatusLine(
        version, fields, headers, length, chunked, connection_tokens(headers.get("connection")), status, reason
    )
