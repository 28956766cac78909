"""Every implementation of the proxy that is built here: the same tests run on each."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.util import find_spec

from rserver.proxy import body, http_head
from rserver.proxy.body import Body
from rserver.proxy.http_head import HeadBuffer, RequestLine, StatusLine
from rserver.proxy.implementation import VARIABLE


@dataclass(frozen=True)
class Reader:
    """What turns bytes into heads and payload, as `http_head` and `body` do."""

    head_buffer: Callable[[], HeadBuffer]
    parse_request: Callable[[bytes], RequestLine]
    parse_response: Callable[[bytes], StatusLine]
    chunked_body: Callable[[], Body]


PURE = Reader(http_head.HeadBuffer, http_head.parse_request, http_head.parse_response, body.ChunkedBody)
READERS: dict[str, Reader] = {"pure": PURE}
if find_spec("rserver.proxy._native"):
    from rserver.proxy import compiled_head

    READERS["compiled"] = Reader(
        http_head.HeadBuffer, compiled_head.parse_request, compiled_head.parse_response, body.ChunkedBody
    )

# What a program that carries bytes finds in its environment to do so with each implementation.
ENVIRONMENTS: dict[str, Mapping[str, str]] = {"pure": {VARIABLE: "pure"}}
if find_spec("rserver.proxy._native"):
    ENVIRONMENTS["compiled"] = {VARIABLE: ""}
