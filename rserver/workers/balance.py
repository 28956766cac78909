"""How many connections each worker has, written where the others can read it, so that new ones go to who has few.

Without that the one whom the kernel wakes first would take nearly all: connections of browsers come slowly and stay.
"""

import mmap
import os

SLACK = 2
"""That many more than another one has are no reason to hold back."""
_NUMBER = 4


class Balance:
    """A file of one 32-bit number for each of count workers, mapped; mine is our place in it. OSError."""

    def __init__(self, path: str, mine: int, count: int) -> None:
        descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
        try:
            self._numbers = memoryview(mmap.mmap(descriptor, count * _NUMBER)).cast("I")
        finally:
            os.close(descriptor)
        self._mine = mine
        self._numbers[mine] = 0

    def is_ahead(self, connections: int) -> bool:
        """Publish that we have so many: another one should take the next, having fewer.

        What a worker that is gone left behind may be wrong: this is advice that holds for a moment only.
        """
        self._numbers[self._mine] = connections
        return connections > min(self._numbers) + SLACK
