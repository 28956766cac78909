"""Turning a loop in a test until something has happened, with a deadline."""

import time
from collections.abc import Callable

from rserver_process.event_loop import Loop

DEADLINE = 20.0


def turn_until(loop: Loop, condition: Callable[[], object], seconds: float = DEADLINE) -> None:
    """Turn the loop until the condition holds."""
    end = time.monotonic() + seconds
    while not condition():
        left = end - time.monotonic()
        assert left > 0, "it did not happen in time"
        loop.turn(min(left, 0.05))
