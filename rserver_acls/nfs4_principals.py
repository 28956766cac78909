"""How an NFSv4 server spells users: by number, or as name@domain where it maps ids to names."""

from collections.abc import Iterable, Mapping

from rserver_core.nfs4_domain import spelled
from rserver_core.nfs4_list import IS_GROUP, Entry
from rserver_core.nfs4_rights import number


class Principals:
    """The people of a project as one server spells them. Numbers are tried first; the server's lists teach."""

    def __init__(self, names: Mapping[int, str], domain: str) -> None:
        """names: account names by uid."""
        self._names = {number(uid): spelled(name, domain) for uid, name in names.items()}
        self._numbers = {name.lower(): digits for digits, name in self._names.items()}
        self._uses_names = False

    def numbered(self, entries: Iterable[Entry]) -> tuple[Entry, ...]:
        """Entries in which these people are numbers."""
        return tuple(self._numbered(entry) if b"@" in entry.who else entry for entry in entries)

    def spelled(self, entries: Iterable[Entry]) -> tuple[Entry, ...]:
        """The same as the server wants them."""
        if not self._uses_names:
            return tuple(entries)
        return tuple(
            entry if entry.flags & IS_GROUP else entry._replace(who=self._names.get(entry.who, entry.who))
            for entry in entries
        )

    def respell(self) -> bool:
        """The server refused a list; True when it may take it in the other spelling."""
        if self._uses_names:
            return False
        self._uses_names = True
        return True

    def _numbered(self, entry: Entry) -> Entry:
        known = None if entry.flags & IS_GROUP else self._numbers.get(entry.who.lower())
        if known is None:
            return entry
        self._uses_names = True
        return entry._replace(who=known)
