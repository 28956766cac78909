"""The bytes of a file as the body of an answer, read in a thread."""

import os
from typing import TYPE_CHECKING

from rsession.services.background import in_thread

if TYPE_CHECKING:
    from twisted.python.failure import Failure

    from rsession.http_stream import Output

_PIECE = 1 << 20


class FileSource:
    """See `http_stream.Source`. Takes over the descriptor; the first `size` bytes are sent."""

    def __init__(self, descriptor: int, size: int) -> None:
        self._descriptor, self._left = descriptor, size
        self._output: Output | None = None
        self._is_held = self._is_reading = False

    def begin(self, output: "Output") -> None:
        """See `Source`."""
        self._output = output
        self._go_on()

    def hold(self, is_full: bool) -> None:
        """See `Source`."""
        self._is_held = is_full
        self._go_on()

    def stop(self) -> None:
        """See `Source`."""
        self._output = None
        self._go_on()

    def _go_on(self) -> None:
        if self._is_reading or self._descriptor < 0:
            return
        if self._output is None or self._left == 0:
            self._end()
        elif not self._is_held:
            self._is_reading = True
            reading = in_thread(os.read, self._descriptor, min(_PIECE, self._left))
            reading.addCallbacks(self._read, self._failed)

    def _read(self, data: bytes) -> None:
        self._is_reading = False
        output = self._output
        if output is not None and data:
            self._left -= len(data)
            output.write(data)
        elif output is not None:
            self._fail()  # it has become shorter
        self._go_on()

    def _failed(self, _failure: "Failure") -> None:
        self._is_reading = False
        self._fail()
        self._go_on()

    def _fail(self) -> None:
        output, self._output = self._output, None
        if output is not None:
            output.fail()

    def _end(self) -> None:
        os.close(self._descriptor)
        self._descriptor = -1
        output, self._output = self._output, None
        if output is not None:
            output.finish()
