"""When a refusal is answered, so that its time does not tell its kind. Pure.

Answers come at whole steps after the request. A refusal that cost no failed PAM check (right password but not in the
group, say) takes the time of a recent one that did: otherwise a PAM module that delays failures would tell a right
password.
"""

import math
import random
from collections import deque

STEP_SECONDS = 1.0


class RefusalPace:
    """Remembers how long real refusals took."""

    def __init__(self, chance: random.Random | None = None, size: int = 15) -> None:
        self._recent: deque[float] = deque(maxlen=size)
        self._chance = chance or random.SystemRandom()

    def refused_by_pam(self, seconds: float) -> None:
        """PAM took that long to refuse."""
        self._recent.append(seconds)

    def imitation(self) -> float:
        """Seconds that a refusal without PAM's own should take for its check."""
        return self._chance.choice(self._recent) if self._recent else 0.0


def next_step(elapsed: float) -> float:
    """The moment after the request, in seconds, at which to answer one that is done after elapsed seconds."""
    return max(1, math.ceil(elapsed / STEP_SECONDS)) * STEP_SECONDS
