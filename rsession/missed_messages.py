"""Messages that were said while nobody listened: the next client is told."""

from collections import deque

_MOST_KEPT = 20

Message = dict[str, object]


class MissedMessages:
    """At most the last 20 `show_message` events that no listener was there for."""

    def __init__(self) -> None:
        self._kept: deque[Message] = deque(maxlen=_MOST_KEPT)

    def keep(self, data: object) -> None:
        """Nobody listens; data of the event."""
        if isinstance(data, dict):
            self._kept.append(data)

    def take(self) -> list[Message]:
        """Everything kept, oldest first; it is not kept any longer."""
        taken = list(self._kept)
        self._kept.clear()
        return taken
