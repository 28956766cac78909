"""Who wants to know what happens in a session, and the certainty that one who fails keeps it from nobody else."""

from collections.abc import Callable, Iterable
from functools import partial

from twisted.logger import Logger

_log = Logger()

Callback = Callable[[], None]
ReadEvent = Callable[[object], None]


class Callbacks:
    """Lists by occasion; to each anything may be added."""

    def __init__(self) -> None:
        self.prompt: list[Callback] = []
        self.end: list[Callback] = []
        self.project_closed: list[Callback] = []
        self.snapshot: list[Callback] = []
        self.use: list[Callback] = []
        self.saved: list[Callable[[str], None]] = []
        self.r_events: dict[str, list[ReadEvent]] = {}

    def tell_saved(self, path: str) -> None:
        """A file was written."""
        run(partial(callback, path) for callback in self.saved)

    def tell_r_event(self, type: str, value: object) -> bool:  # noqa: A002 - the protocol's own word
        """R code emitted it; False when nobody wants events of that type."""
        wanted = self.r_events.get(type)
        run(partial(callback, value) for callback in wanted or ())
        return wanted is not None


def run(callbacks: Iterable[Callback]) -> None:
    """Call each of them; what fails is logged."""
    for callback in callbacks:
        guarded(callback)


def guarded(callback: Callback) -> None:
    """Call it; what fails is logged."""
    try:
        callback()
    except Exception:
        _log.failure("a service failed")
