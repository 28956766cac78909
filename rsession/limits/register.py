"""Puts the watching of limits into a session."""

from typing import TYPE_CHECKING, cast

from rserver_core.memory_limit import limit_of
from rsession.limits.kernel_events import on_change, on_count
from rsession.limits.memory_watch import MemoryWatch
from rsession.limits.process_watch import watch_processes

if TYPE_CHECKING:
    from twisted.internet.interfaces import IReactorFDSet

    from rsession.session import Session


def register(session: "Session", event_fd: int) -> None:
    """Watch; event_fd counts when memory runs short, -1: nobody counts. Called once."""
    reactor = cast("IReactorFDSet", session.clock)
    watch_processes(session, reactor)
    limit = limit_of()
    if limit is None:
        return
    watch = MemoryWatch(session, limit, is_told=event_fd >= 0)
    if event_fd >= 0:
        on_count(event_fd, reactor, watch.look)
    if limit.unified:
        on_change(f"{limit.own}/memory.events", reactor, watch.look)
    watch.look()
