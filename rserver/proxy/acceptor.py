"""Accepts connections from one listening socket, also when the process has no descriptor left for them."""

import asyncio
import errno
import os
import socket
from collections.abc import Callable
from contextlib import suppress

from twisted.logger import Logger

Met = Callable[[socket.socket, str, bool], None]
"""Gets a connection, the address it comes from, and whether there is a descriptor for it."""

# More in one turn would keep those who are served already waiting, and leave nothing to the other workers.
_EACH_TURN = 4
# Kept back, so that somebody can still be told when descriptors run out.
_SPARE = 8
_REST_SECONDS = 0.2
_YIELD_SECONDS = 0.002
_TELL_SECONDS = 60.0
_EXHAUSTED = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})

_log = Logger()


class Acceptor:
    """One listening socket, which it owns. met is called on the loop's thread.

    yields: somebody else who shares the socket should take the connection, if he does so at once.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        listener: socket.socket,
        met: Met,
        yields: Callable[[], bool] = lambda: False,
    ) -> None:
        self._loop, self._met, self._yields = loop, met, yields
        self.listener = listener
        self._spare: list[int] = []
        self._rest: asyncio.TimerHandle | None = None
        self._tell_again = 0.0
        self._has_yielded = False
        self._refill()
        listener.setblocking(False)
        loop.add_reader(listener.fileno(), self._ready)

    def close(self) -> None:
        """Accept nothing more."""
        if self._rest is not None:
            self._rest.cancel()
        self._loop.remove_reader(self.listener.fileno())
        self.listener.close()
        while self._spare:
            os.close(self._spare.pop())

    def _ready(self) -> None:
        if not self._has_yielded and self._yields():
            self._has_yielded = True
            self._pause(_YIELD_SECONDS)
            return
        self._has_yielded = False
        is_plenty = len(self._spare) == _SPARE or self._refill()
        for _ in range(_EACH_TURN):
            try:
                sock, where = self.listener.accept()
            except BlockingIOError:
                return
            except OSError as error:
                if error.errno in _EXHAUSTED:
                    self._exhausted()
                    return
                continue  # who came has gone again
            self._meet(sock, where, is_plenty)
            if self._yields():
                return

    def _meet(self, sock: socket.socket, where: object, is_plenty: bool) -> None:
        sock.setblocking(False)
        address = str(where[0]).removeprefix("::ffff:") if isinstance(where, tuple) else ""
        self._met(sock, address, is_plenty)

    def _exhausted(self) -> None:
        """Take one connection with a spare descriptor; without any let them wait."""
        if self._loop.time() >= self._tell_again:
            self._tell_again = self._loop.time() + _TELL_SECONDS
            _log.error("no descriptor is left for new connections (ulimit -n): they are refused for now")
        if self._spare:
            os.close(self._spare.pop())
            with suppress(OSError):
                self._meet(*self.listener.accept(), False)
            return
        # Asked again at once, the kernel would say the same without end.
        self._pause(_REST_SECONDS)

    def _pause(self, seconds: float) -> None:
        self._loop.remove_reader(self.listener.fileno())
        self._rest = self._loop.call_later(seconds, self._rested)

    def _rested(self) -> None:
        self._loop.add_reader(self.listener.fileno(), self._ready)

    def _refill(self) -> bool:
        with suppress(OSError):
            while len(self._spare) < _SPARE:
                self._spare.append(os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC))
        return len(self._spare) == _SPARE
