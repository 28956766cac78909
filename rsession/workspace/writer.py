"""The forked process that writes a snapshot, seen from the reactor: its progress and its last word."""

import errno
import json
import os
import signal
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, cast

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from rsession.segment_reader import ReadableDescriptor
from rsession.services.background import in_thread

if TYPE_CHECKING:
    from twisted.internet.interfaces import IReactorFDSet

Progress = Callable[[int, float], None]
_PIECE = 65536
_CRASHES = (signal.SIGABRT, signal.SIGBUS, signal.SIGSEGV)


class _Pipe(ReadableDescriptor):
    """Tells the end also when the reactor notices it without reading."""

    def __init__(
        self, descriptor: int, reactor: "IReactorFDSet", on_readable: Callable[[], None], on_end: Callable[[], None]
    ) -> None:
        super().__init__(descriptor, reactor, on_readable)
        self._on_end = on_end

    def connectionLost(self, reason: Failure) -> None:
        """The other end is closed."""
        self._on_end()


class Writer:
    """A pipe whose one end the writer inherits. `ended` fires with its last word, None when it died without one."""

    def __init__(self, reactor: "IReactorFDSet", on_progress: Progress) -> None:
        self._reactor = reactor
        self._on_progress = on_progress
        self._read_end, self._write_end = os.pipe2(os.O_CLOEXEC)
        os.set_blocking(self._read_end, False)
        self._rest = b""
        self._last_word: dict[str, object] | None = None
        self.pid: int | None = None
        self.ended: Deferred[dict[str, object] | None] = Deferred()
        self._reader = _Pipe(self._read_end, reactor, self._read, self._end)
        reactor.addReader(self._reader)

    @property
    def descriptor(self) -> str:
        """The end for the writer, as an argument of R's function."""
        return str(self._write_end)

    def forked(self) -> None:
        """The writer has its own copy of the pipe, or there is none: its end will be noticed."""
        if self._write_end >= 0:
            os.close(self._write_end)
            self._write_end = -1

    def kill(self) -> None:
        """End the writer; what was there before it began stays."""
        if self.pid is not None:
            with suppress(ProcessLookupError):
                os.kill(self.pid, 9)

    async def reap(self) -> bool:
        """Wait for the process, whose memory may take a while to be given back; whether it crashed."""
        if self.pid is None:
            return False
        status = await in_thread(_wait, self.pid)
        self.pid = None
        return os.WIFSIGNALED(status) and os.WTERMSIG(status) in _CRASHES

    def _read(self) -> None:
        try:
            data = os.read(self._read_end, _PIECE)
        except OSError as error:
            if error.errno in (errno.EAGAIN, errno.EINTR):
                return
            data = b""
        if not data:
            self._end()
            return
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            self._take(cast("dict[str, object]", json.loads(line)))

    def _take(self, word: dict[str, object]) -> None:
        if "end" in word:
            self._last_word = word
        else:
            self._on_progress(int(str(word["done"])), float(str(word["total"])))

    def _end(self) -> None:
        if self.ended.called:
            return
        self._reactor.removeReader(self._reader)
        os.close(self._read_end)
        self.ended.callback(self._last_word)


def _wait(pid: int) -> int:
    try:
        return os.waitpid(pid, 0)[1]
    except ChildProcessError:
        return 0
