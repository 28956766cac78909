"""Descriptors through which the kernel says that something happened, without anybody asking again and again."""

import os
import select
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

from rsession.segment_reader import ReadableDescriptor

if TYPE_CHECKING:
    from twisted.internet.interfaces import IReactorFDSet


def on_change(path: str, reactor: "IReactorFDSet", changed: Callable[[], None]) -> bool:
    """Call back each time the kernel announces a change of one of its files; False when there is no such file."""
    try:
        file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False
    # The reactor waits for what can be read; that such a file changed is told as an exception, once for each reading.
    waiting = select.epoll()
    try:
        waiting.register(file, select.EPOLLPRI)
    except OSError:
        os.close(file)
        waiting.close()
        return False

    def read() -> None:
        with suppress(OSError):
            os.pread(file, 1 << 12, 0)
        waiting.poll(0)
        changed()

    with suppress(OSError):
        os.pread(file, 1 << 12, 0)
    reactor.addReader(ReadableDescriptor(waiting.fileno(), reactor, _keeping(waiting, read)))
    return True


def on_count(event_fd: int, reactor: "IReactorFDSet", counted: Callable[[], None]) -> None:
    """Call back when an inherited eventfd has counted; programs that R starts do not inherit it."""
    os.set_inheritable(event_fd, False)
    os.set_blocking(event_fd, False)

    def read() -> None:
        with suppress(BlockingIOError):
            os.eventfd_read(event_fd)
        counted()

    reactor.addReader(ReadableDescriptor(event_fd, reactor, read))


def _keeping(kept: object, callback: Callable[[], None]) -> Callable[[], None]:
    """callback, which holds on to an object whose end would close its descriptor."""

    def call() -> None:
        assert kept is not None
        callback()

    return call
