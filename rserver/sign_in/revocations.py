"""Which cookies have been signed out: one stamp per user, all cookies issued up to it are void. Pure."""

from collections.abc import Mapping


class Revocations:
    """Stamps in microseconds since 1970 by user."""

    def __init__(self, stamps: Mapping[str, int] | None = None) -> None:
        self._stamps = dict(stamps or {})

    def revoke(self, user: str, now: int) -> int:
        """Void all cookies of user issued so far; the stamp to keep. Never goes back, whatever the clock does."""
        self._stamps[user] = max(now, self._stamps.get(user, 0))
        return self._stamps[user]

    @property
    def stamps(self) -> Mapping[str, int]:
        """All of them."""
        return self._stamps

    def is_revoked(self, user: str, issued: int) -> bool:
        """True when a cookie issued then is void."""
        return issued <= self._stamps.get(user, -1)

    def issue_time(self, user: str, now: int) -> int:
        """When a cookie made now counts as issued: after the last stamp, even if the clock went back."""
        return max(now, self._stamps.get(user, -1) + 1)
