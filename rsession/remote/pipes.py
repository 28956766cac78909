"""Bodies of requests that R reads, and of answers that R writes: through a pipe, at the speed of the slower side."""

import fcntl
import os
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

from twisted.internet.abstract import FileDescriptor
from twisted.internet.defer import CancelledError, Deferred

if TYPE_CHECKING:
    from twisted.internet.interfaces import IReactorFDSet
    from twisted.python.failure import Failure

    from rsession.http_message import Response
    from rsession.http_stream import Output, Sender

_PIPE_BYTES = 1 << 20
_PIECE = 256 << 10

Work = Callable[[str], "Deferred[Response]"]
"""What R does with the path of its end of the pipe."""


def _pipe() -> tuple[int, int]:
    ends = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
    with suppress(OSError):  # more than this user may have
        fcntl.fcntl(ends[0], fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
    return ends


def _path(descriptor: int) -> str:
    """R opens it anew, and so waits where we do not."""
    return f"/proc/self/fd/{descriptor}"


class PipeReceiver(FileDescriptor):
    """See `http_stream.Receiver`. R's call begins with the body, and its answer is that to the request."""

    def __init__(self, reactor: "IReactorFDSet", sender: "Sender", work: Work) -> None:
        super().__init__(reactor)
        self._sender = sender
        self._reading, self._writing = _pipe()
        self._waiting: deque[memoryview] = deque()
        self._is_whole = self._is_held = False
        self._work = work(_path(self._reading))
        self._done: Deferred[Response] = Deferred(lambda _: self._work.cancel())
        self._work.addBoth(self._worked)

    def data(self, data: bytes) -> None:
        """See `Receiver`. What R has no more use for is dropped."""
        if self._writing >= 0:
            self._waiting.append(memoryview(data))
            self._write_waiting()

    def end(self) -> "Deferred[Response]":
        """See `Receiver`."""
        self._is_whole = True
        self._write_waiting()
        return self._done

    def lost(self) -> None:
        """See `Receiver`. R finds the end of the data too early, which is an error to it."""
        self._done.addErrback(lambda failure: None)
        self._close_writing()
        self._work.cancel()

    def fileno(self) -> int:
        """The descriptor that is watched."""
        return self._writing

    def doWrite(self) -> None:
        """R has read something."""
        self._write_waiting()

    def connectionLost(self, reason: "Failure") -> None:
        """Nobody reads any more: what R answers says why."""
        self._close_writing()

    def _write_waiting(self) -> None:
        while self._waiting and self._writing >= 0:
            try:
                written = os.write(self._writing, self._waiting[0])
            except BlockingIOError:
                self._hold(True)
                return
            piece = self._waiting.popleft()
            if written < len(piece):
                self._waiting.appendleft(piece[written:])
        self._hold(False)
        if self._is_whole:
            self._close_writing()

    def _hold(self, is_full: bool) -> None:
        if self._is_held != is_full:
            self._is_held = is_full
            self.startWriting() if is_full else self.stopWriting()  # type: ignore[no-untyped-call]
            self._sender.hold(is_full)

    def _worked(self, result: "Response | Failure") -> None:
        self._waiting.clear()
        self._hold(False)
        self._close_writing()
        os.close(self._reading)
        self._done.callback(result)

    def _close_writing(self) -> None:
        if self._writing >= 0:
            self.stopWriting()  # type: ignore[no-untyped-call]
            os.close(self._writing)
            self._writing = -1


class PipeSource(FileDescriptor):
    """See `http_stream.Source`. R's call writes the body; what it answers tells only that it has written all."""

    def __init__(self, reactor: "IReactorFDSet", work: "Callable[[str], Deferred[bytes]]") -> None:
        super().__init__(reactor)
        self._reading, self._writing = _pipe()
        self._output: Output | None = None
        self._has_failed = False
        self._make = work
        self._work: Deferred[bytes] | None = None

    def begin(self, output: "Output") -> None:
        """See `Source`."""
        self._output = output
        self._work = self._make(_path(self._writing))
        self._work.addCallbacks(self._worked, self._failed)
        self.startReading()  # type: ignore[no-untyped-call]

    def hold(self, is_full: bool) -> None:
        """See `Source`."""
        if self._reading >= 0:
            self.stopReading() if is_full else self.startReading()  # type: ignore[no-untyped-call]

    def stop(self) -> None:
        """See `Source`. R finds nobody who reads, which is an error to it."""
        self._output = None
        self._close_reading()
        if self._work is None:
            self._close_writing()
        else:
            self._work.cancel()

    def fileno(self) -> int:
        """The descriptor that is watched."""
        return self._reading

    def doRead(self) -> None:
        """R has written something."""
        try:
            data = os.read(self._reading, _PIECE)
        except BlockingIOError:
            return
        if not data:
            self._ended()
        elif self._output is not None:
            self._output.write(data)

    def connectionLost(self, reason: "Failure") -> None:
        """R has written all, and all was read."""
        self._ended()

    def _ended(self) -> None:
        self._close_reading()
        output, self._output = self._output, None
        if output is not None:
            output.fail() if self._has_failed else output.finish()

    def _worked(self, _answer: bytes) -> None:
        self._close_writing()

    def _failed(self, failure: "Failure") -> None:
        self._has_failed = not failure.check(CancelledError)
        self._close_writing()

    def _close_writing(self) -> None:
        if self._writing >= 0:
            os.close(self._writing)
            self._writing = -1

    def _close_reading(self) -> None:
        if self._reading >= 0:
            self.stopReading()  # type: ignore[no-untyped-call]
            os.close(self._reading)
            self._reading = -1
