"""How fast a member may send: more waits unread."""

from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass
class Bucket:
    """Fills at `rate` a second up to `most`. now: seconds of a clock that only goes forward."""

    rate: float
    most: float
    now: Callable[[], float]
    _level: float = field(init=False)
    _seen: float = field(init=False)

    def __post_init__(self) -> None:
        self._level, self._seen = self.most, self.now()

    def take(self, amount: float) -> float:
        """Seconds to wait before more is taken; 0 when there is no need to."""
        moment = self.now()
        self._level = min(self.most, self._level + (moment - self._seen) * self.rate) - amount
        self._seen = moment
        return max(0.0, -self._level / self.rate)
