"""Results of pure functions, kept for inputs that come again and again. Pure."""

from collections.abc import Callable
from typing import TypeVar

ENTRIES = 1024
LONGEST_KEY = 512

K = TypeVar("K")
V = TypeVar("V")


class Memo(dict[K, V]):
    """memo[key] is function(key). Bounded: long keys are not kept, and when it is full it is emptied.

    Most lines of a browser's head are the same in its every request: looking a line up costs a tenth of reading it.
    """

    def __init__(self, function: Callable[[K], V], length: Callable[[K], int]) -> None:
        super().__init__()
        self._function = function
        self._length = length

    def __missing__(self, key: K) -> V:
        value = self._function(key)
        if self._length(key) <= LONGEST_KEY:
            if len(self) >= ENTRIES:
                self.clear()
            self[key] = value
        return value
