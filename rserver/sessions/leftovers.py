"""Sessions whose folders nobody needs any more: a later session of the same user removes them, who alone may. Pure."""

from collections.abc import Iterable, Mapping

SETTING = "left_sessions"
"""Name among the users' settings of the store; the value has ids with commas between them."""
MOST = 500

Account = tuple[str, int]


class Leftovers:
    """Ids by account, those of the longest gone first. What is more than MOST is forgotten, and stays on the disk."""

    def __init__(self, kept: Mapping[Account, str] | None = None) -> None:
        self._ids = {account: ids.split(",") for account, ids in (kept or {}).items() if ids}
        self._changed: set[Account] = set()

    def add(self, account: Account, session_id: str) -> None:
        """This session was quit without a process, or struck off the list."""
        known = self._ids.setdefault(account, [])
        if session_id not in known:
            known.append(session_id)
            del known[:-MOST]
            self._changed.add(account)

    def of(self, account: Account) -> tuple[str, ...]:
        """What the next session of this account is to remove."""
        return tuple(self._ids.get(account, ()))

    def drop(self, account: Account, session_ids: Iterable[str]) -> None:
        """They were removed, or live again."""
        known, gone = self._ids.get(account, []), set(session_ids)
        kept = [session_id for session_id in known if session_id not in gone]
        if len(kept) < len(known):
            self._ids[account] = kept
            self._changed.add(account)

    def take_changed(self) -> list[tuple[Account, str]]:
        """What the store has not seen yet."""
        changed, self._changed = self._changed, set()
        return [(account, ",".join(self.of(account))) for account in sorted(changed)]
