"""How long to wait before a child that died is started again.

At once the first time, then doubling while it keeps dying young.
"""

FIRST, LONGEST = 0.1, 5.0
SETTLED_SECONDS = 10.0


class Backoff:
    """Restart delays of one child, in seconds."""

    def __init__(self) -> None:
        self._delay = 0.0

    def after(self, lived: float) -> float:
        """The delay before the next start, given how long the last one lived."""
        if lived >= SETTLED_SECONDS:
            self._delay = 0.0
        delay = self._delay
        self._delay = min(max(FIRST, 2 * delay), LONGEST)
        return delay
