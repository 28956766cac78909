"""Who is in the text and where: the awareness states, each under the number and the name of the member who sends it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from filebase import bounds
from filebase.messages import BadMessage

_MOST_CLOCK = 1 << 48
_MOST_REMEMBERED = 100_000
_NOBODY = "null"


@dataclass
class Presence:
    """states: client number -> (clock, JSON text); owners: client number -> member; users: whose it ever was."""

    states: dict[int, tuple[int, str]] = field(default_factory=dict)
    owners: dict[int, int] = field(default_factory=dict)
    users: dict[int, str] = field(default_factory=dict)

    def take(self, member: int, user: str, said: Mapping[int, tuple[int, str]]) -> dict[int, tuple[int, str]]:
        """What is new of it; BadMessage for the name of somebody else.

        A page also repeats what it knows of others: that is passed over.
        """
        taken = {}
        for client, (clock, state) in said.items():
            if self.users.get(client, user) != user:
                continue
            _check(state, user, clock)
            if clock >= self.states.get(client, (-1, ""))[0]:
                self._claim(client, member, user)
                self.states[client] = taken[client] = (clock, state)
        return taken

    def leave(self, member: int) -> dict[int, tuple[int, str]]:
        """The member is gone: what the others are to be told."""
        gone = [client for client, owner in self.owners.items() if owner == member]
        for client in gone:
            del self.owners[client]
        return {client: (self.states.pop(client)[0] + 1, _NOBODY) for client in gone}

    def of_others(self, user: str) -> frozenset[int]:
        """Client numbers under which other users who are here write."""
        return frozenset(client for client in self.owners if self.users[client] != user)

    def _claim(self, client: int, member: int, user: str) -> None:
        is_new = self.owners.get(client) != member
        if is_new and list(self.owners.values()).count(member) >= bounds.CLIENTS_PER_MEMBER:
            raise BadMessage("too many client numbers")
        if client not in self.users and len(self.users) >= _MOST_REMEMBERED:
            raise BadMessage("the text was opened too often; close it everywhere once")
        self.owners[client], self.users[client] = member, user


def _check(text: str, user: str, clock: int) -> None:
    try:
        state = json.loads(text)
    except (ValueError, RecursionError):
        raise BadMessage("an awareness state is not JSON") from None
    if clock > _MOST_CLOCK or not (state is None or isinstance(state, dict)):
        raise BadMessage("an awareness state is no object")
    named = state.get("user") if state else None
    if named is not None and not (isinstance(named, dict) and named.get("name") == user):
        raise BadMessage("an awareness state has the name of somebody else")
