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
    watch = None if limit is None else MemoryWatch(session, limit, is_told=event_fd >= 0)
    add_methods(session, watch)
    if limit is None or watch is None:
        return
    if event_fd >= 0:
        on_count(event_fd, reactor, watch.look)
    if limit.unified:
        on_change(f"{limit.own}/memory.events", reactor, watch.look)
    watch.look()


def add_methods(session: "Session", watch: MemoryWatch | None) -> None:
    """What pages may ask; watch: None where nothing limits the session."""

    @session.rpc.method("get_memory_use", is_use=False)
    def get_memory_use() -> dict[str, object] | None:
        """`{"used", "limit", "warning"}`: bytes that count against the limit of this session; null without a limit."""
        return None if watch is None else watch.state()
