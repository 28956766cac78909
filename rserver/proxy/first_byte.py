"""What a client begins to speak, seen before anything of it is read."""

import asyncio
import socket
from contextlib import suppress


async def is_plain_text(loop: asyncio.AbstractEventLoop, sock: socket.socket, seconds: float) -> bool:
    """Whether a request in clear arrives where TLS is expected: methods begin with a letter, no record of TLS does.

    TimeoutError when nothing comes for that long; OSError.
    """
    first = _peek(sock)
    if first is None:
        await _until_readable(loop, sock, seconds)
        first = _peek(sock)
    if first is None:
        raise TimeoutError("nothing has come")
    return first.isalpha()


def _peek(sock: socket.socket) -> bytes | None:
    with suppress(BlockingIOError):
        return sock.recv(1, socket.MSG_PEEK)
    return None


async def _until_readable(loop: asyncio.AbstractEventLoop, sock: socket.socket, seconds: float) -> None:
    """Or until the time is over."""
    readable: asyncio.Future[None] = loop.create_future()

    def tell() -> None:
        if not readable.done():
            readable.set_result(None)

    timer = loop.call_later(seconds, tell)
    loop.add_reader(sock.fileno(), tell)
    try:
        await readable
    finally:
        loop.remove_reader(sock.fileno())
        timer.cancel()
