"""This process as R's body: its signals and its end."""

import os
import signal
from collections.abc import Sequence
from typing import TYPE_CHECKING

from rsession import _shim
from rsession.children import signal_children

if TYPE_CHECKING:
    from twisted.internet.interfaces import IReactorTime

_AGAIN_SECONDS = (0.1, 0.3, 1.0)


class RProcess:
    """Interrupts and ends R."""

    def __init__(self, clock: "IReactorTime") -> None:
        self._clock = clock
        self._unheeded = 0
        self.end_was_asked = False
        """Somebody who is not R wants R to end."""

    def interrupt(self) -> None:
        """Like Ctrl-C at a terminal: R and the children that run in its process group get SIGINT.

        A child that R starts between the signal and its next look at its flag would run on: until R heeds the
        interrupt, its children are interrupted again. Asked a second time before R asks for input again, it ends the
        children, which may be deaf to interrupts, and after that kills them.
        """
        self._interrupt(_AGAIN_SECONDS)
        if self._unheeded:
            signal_children(signal.SIGTERM if self._unheeded == 1 else signal.SIGKILL)
        self._unheeded += 1

    def asks(self) -> None:
        """R asks for input: no interrupt is unheeded."""
        self._unheeded = 0

    def end(self, save: bool, is_busy: bool = True) -> None:
        """End R by its own clean-up (`.Last`, finalizers), interrupting what it does."""
        self.end_was_asked = True
        _shim.request_end(save)
        if is_busy:
            self.interrupt()
        else:
            _shim.wake()

    def abort(self) -> None:
        """End this process at once."""
        os.kill(os.getpid(), signal.SIGKILL)

    def leave(self, status: int) -> None:
        """End this process at once, with that exit code."""
        os._exit(status)

    def _interrupt(self, again: Sequence[float]) -> None:
        if os.getpgrp() == os.getpid():
            os.killpg(0, signal.SIGINT)
        else:
            os.kill(os.getpid(), signal.SIGINT)
        _shim.wake()
        if again:
            self._clock.callLater(again[0], self._look, again[1:])

    def _look(self, again: Sequence[float]) -> None:
        if _shim.interrupt_is_pending():
            self._interrupt(again)
