"""Growing delays for those who fail to sign in, counted per user and per address. Pure: time is handed in."""

from dataclasses import dataclass, field
from ipaddress import IPv6Address, ip_address

LEAK_SECONDS = 60.0
LONGEST_DELAY = 30.0
_MOST_COUNTED = 40.0


@dataclass(slots=True)
class LeakyCounters:
    """Failures by key; each leaks away after LEAK_SECONDS. Bounded: the key that failed longest ago goes first."""

    size: int
    _levels: dict[str, tuple[float, float]] = field(default_factory=dict)

    def level(self, key: str, now: float) -> float:
        """Failures of key that have not leaked away."""
        level, then = self._levels.get(key, (0.0, now))
        return max(0.0, level - max(0.0, now - then) / LEAK_SECONDS)

    def add(self, key: str, now: float) -> None:
        """One more failure of key."""
        level = min(self.level(key, now) + 1.0, _MOST_COUNTED)
        self._levels.pop(key, None)
        if len(self._levels) >= self.size:
            del self._levels[next(iter(self._levels))]
        self._levels[key] = (level, now)

    def forget(self, key: str) -> None:
        """Start key anew."""
        self._levels.pop(key, None)

    def __len__(self) -> int:
        return len(self._levels)


class Penalties:
    """How long a check must wait. One user may fail a few times for free, one address (a whole office) some more."""

    FREE_FOR_USER = 3
    FREE_FOR_ADDRESS = 10

    def __init__(self, size: int = 10_000) -> None:
        self._users = LeakyCounters(size)
        self._addresses = LeakyCounters(size)

    def delay(self, user: str, address: str, now: float) -> float:
        """Seconds to wait before a check of user from address is made."""
        by_user = _doubled(self._users.level(user, now), self.FREE_FOR_USER)
        return max(by_user, _doubled(self._addresses.level(network(address), now), self.FREE_FOR_ADDRESS))

    def failed(self, user: str, address: str, now: float) -> None:
        """A check of user from address was refused."""
        self._users.add(user, now)
        self._addresses.add(network(address), now)

    def succeeded(self, user: str) -> None:
        """The account's count starts anew. The address keeps its own, or one good account would buy guesses."""
        self._users.forget(user)


def network(address: str) -> str:
    """What counts as one address: an IPv4 address, or the /64 that a single IPv6 customer has."""
    try:
        parsed = ip_address(address.partition("%")[0])
    except ValueError:
        return address[:64]
    if isinstance(parsed, IPv6Address):
        mapped = parsed.ipv4_mapped
        return str(mapped) if mapped else parsed.exploded[:19]
    return str(parsed)


def _doubled(level: float, free: int) -> float:
    over = round(level) - free
    return 0.0 if over < 0 else min(2.0**over, LONGEST_DELAY)
