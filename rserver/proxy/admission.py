"""How many there may be at once, in all and of one kind each (an address, an account). Pure."""

from collections.abc import Hashable

NO_LIMIT = 0


class Admission:
    """Counts who is in. most: of all together; most_each: with the same key; NO_LIMIT: any number."""

    def __init__(self, most: int = NO_LIMIT, most_each: int = NO_LIMIT) -> None:
        self.most, self.most_each = most, most_each
        self._in: dict[Hashable, int] = {}
        self._all = 0

    def __len__(self) -> int:
        return self._all

    def of(self, key: Hashable) -> int:
        """How many of this key are in."""
        return self._in.get(key, 0)

    def may_enter(self, key: Hashable, *, counted: bool = True) -> bool:
        """There is room for one more. counted False: the limit of each does not hold for this one."""
        if self.most and self._all >= self.most:
            return False
        return not (counted and self.most_each) or self.of(key) < self.most_each

    def enter(self, key: Hashable) -> None:
        """One more, whatever the limits say."""
        self._all += 1
        self._in[key] = self._in.get(key, 0) + 1

    def leave(self, key: Hashable) -> None:
        """One less; every enter has exactly one leave."""
        self._all -= 1
        left = self._in[key] - 1
        if left:
            self._in[key] = left
        else:
            del self._in[key]
