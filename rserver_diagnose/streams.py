"""Whether events arrive one by one, plain and compressed."""

import http.client
import math
import time
import zlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

from rserver_diagnose import faults
from rserver_diagnose.connection import ANSWER_SECONDS, Caller
from rserver_diagnose.finding import Finding

# The server sends one each 0.15 s.
_LAST = b"data: 7 "
_APART_SECONDS = 0.3
_MOST_BYTES = 1 << 18


def streams(caller: Caller) -> Iterator[Finding]:
    """Compression is blamed only when plain streams come as they should."""
    with ThreadPoolExecutor(2) as pool:
        waiting = [pool.submit(_spread, caller, more) for more in ({}, {"Accept-Encoding": "gzip, deflate"})]
        (plain, _), (packed, coding) = [future.result() for future in waiting]
    if plain < _APART_SECONDS:
        yield Finding(faults.BUFFERED, f"eight events sent over a second arrived within {plain:.2f} s")
    elif packed < _APART_SECONDS:
        yield Finding(faults.COMPRESSED, f"with Content-Encoding: {coding} eight events arrived within {packed:.2f} s")


def _spread(caller: Caller, more: dict[str, str]) -> tuple[float, str]:
    """Seconds between the first event and the last, as a program would see them, and the coding."""
    begun = first = last = 0.0
    text = b""
    with caller.asked("stream", "/rs-diagnose/x", more={"Accept": "text/event-stream", **more}) as (response, _):
        coding = response.getheader("Content-Encoding") or ""
        unpack = zlib.decompressobj(47) if coding else None
        begun = time.monotonic()
        while len(text) < _MOST_BYTES and time.monotonic() - begun < ANSWER_SECONDS and (piece := _piece(response)):
            text += _unpacked(unpack, piece)
            if not first and b"data: 0 " in text:
                first = time.monotonic()
            if _LAST in text:
                last = time.monotonic()
                break
    # A stream that broke off was not held back.
    return (last - first if last else math.inf), coding


def _unpacked(unpack: "zlib._Decompress | None", piece: bytes) -> bytes:
    try:
        return unpack.decompress(piece, _MOST_BYTES) if unpack else piece
    except zlib.error:
        return b""


def _piece(response: http.client.HTTPResponse) -> bytes:
    try:
        return response.read1(65536)
    except (OSError, http.client.HTTPException):
        return b""
