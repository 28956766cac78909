"""The members of one text: what each sends is checked, kept and told to the others. Knows no socket, clock or file.

A room begins with a text, with the state of a log, or with neither: then pages bring the state that a host had which
is gone, and until one has, newcomers wait.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from filebase import bounds, line_merge, messages
from filebase.messages import BadMessage, Sync
from filebase.presence import Presence
from filebase.shared_text import Refused, SharedText

POLICY, TOO_LARGE, NO_ACCESS, ENDED = 1008, 1009, 4403, 4410
"""Close codes."""


class Peer(Protocol):
    """The way to one member."""

    def send(self, message: bytes) -> None:
        """Send a message; who does not read is cut off."""

    def close(self, code: int, reason: str) -> None:
        """Say farewell."""


@dataclass(eq=False)
class Member:
    """A page of a user."""

    number: int
    user: str
    peer: Peer
    is_behind: bool = False
    """It has not taken notice yet that another text was begun: what it sends belongs to the one before."""
    has_answered: bool = False
    """It has said which text it has, or that it has none."""


class Host(Protocol):
    """What the room tells its host."""

    def save(self, member: int, number: int, text: str) -> None:
        """A member wants the text in the file."""

    def members_changed(self) -> None:
        """Somebody came or went."""

    def kept(self, update: bytes) -> None:
        """An update that the log must have."""


@dataclass
class Room:
    """base: the text of the file as last read or written."""

    host: Host
    epoch: str
    text: SharedText
    base: str
    is_ready: bool
    members: dict[int, Member] = field(default_factory=dict)
    presence: Presence = field(default_factory=Presence)
    on_ready: Callable[[], None] = lambda: None
    takes_history: bool = True
    """Pages may bring what others wrote: in the first seconds of a host."""
    _count: int = 0

    def enter(self, user: str, peer: Peer) -> Member:
        """A page has connected."""
        self._count += 1
        member = Member(self._count, user, peer)
        if len(self.members) >= bounds.MEMBERS:
            peer.close(POLICY, f"{bounds.MEMBERS} pages have this file open together, which is the most allowed")
            return member
        self.members[member.number] = member
        self._greet(member)
        self.host.members_changed()
        return member

    def leave(self, member: Member) -> None:
        """It is gone."""
        if self.members.pop(member.number, None) is None:
            return
        gone = self.presence.leave(member.number)
        if gone:
            self._tell_others(member, messages.awareness(gone))
        self.host.members_changed()

    def receive(self, member: Member, data: bytes) -> None:
        """A message of a member; what is none of this protocol, or not allowed, ends the connection."""
        if member.number not in self.members:
            return
        try:
            self._take(member, messages.parse(data))
        except BadMessage as bad:
            self.expel(member, POLICY, str(bad))
        except Refused as refused:
            self.expel(member, POLICY, str(refused))

    def expel(self, member: Member, code: int, reason: str) -> None:
        """End a connection."""
        self.leave(member)
        member.peer.close(code, reason)

    def expel_user(self, user: str) -> None:
        """Somebody may not write the file any more."""
        for member in [each for each in self.members.values() if each.user == user]:
            self.expel(member, NO_ACCESS, "You may not change this file any more.")

    @property
    def nobody_has_it(self) -> bool:
        """All who are here have answered, and brought no text."""
        return not self.is_ready and all(member.has_answered for member in self.members.values())

    def seed(self, epoch: str, text: str) -> None:
        """Nobody had the state: begin anew with a text."""
        self.epoch, self.text = epoch, SharedText(text=text)
        for member in self.members.values():
            member.is_behind = True
        self._become_ready()

    def merge_file(self, text: str) -> None:
        """The file was changed by another program."""
        base, self.base = self.base, text
        update = self.text.become(line_merge.merged(base, text, str(self.text)))
        if update:
            self._spread(None, update)
        self.tell(event="file_changed")

    def saved(self, text: str) -> None:
        """The file has this text."""
        self.base = text
        self.tell(event="saved")

    def tell(self, to: int | None = None, **fields: object) -> None:
        """Send control to all, or to one member."""
        found = self.members.values() if to is None else [each for each in self.members.values() if each.number == to]
        for member in list(found):
            member.peer.send(messages.control(**fields))

    def end(self, reason: str) -> None:
        """All must go."""
        for member in list(self.members.values()):
            self.expel(member, ENDED, reason)

    def _greet(self, member: Member) -> None:
        hello = messages.control(event="hello", epoch=self.epoch, user=member.user, ready=self.is_ready)
        member.peer.send(hello)
        member.peer.send(messages.sync(Sync.STATE, self.text.state_vector()))
        if self.presence.states:
            member.peer.send(messages.awareness(self.presence.states))

    def _take(self, member: Member, message: messages.Message) -> None:
        if isinstance(message, messages.SyncMessage):
            self._take_sync(member, message)
        elif isinstance(message, messages.AwarenessMessage):
            taken = self.presence.take(member.number, member.user, message.states)
            if taken:
                self._tell_others(member, messages.awareness(taken))
        elif isinstance(message, messages.AskAwareness):
            member.peer.send(messages.awareness(self.presence.states))
        else:
            self._take_control(member, message)

    def _take_sync(self, member: Member, message: messages.SyncMessage) -> None:
        member.is_behind = member.is_behind and message.step is not Sync.STATE
        if member.is_behind:
            return
        if message.step is Sync.STATE:
            if self.is_ready:
                member.peer.send(messages.sync(Sync.MISSING, self.text.missing(message.payload)))
            return
        brings_history = message.step is Sync.MISSING and self.takes_history
        foreign: frozenset[int] = frozenset() if brings_history else self.presence.of_others(member.user)
        is_new = self.text.apply(message.payload, foreign)
        member.has_answered |= message.step is Sync.MISSING
        if not is_new and message.step is Sync.MISSING:
            return
        self._spread(member, message.payload)
        if not self.is_ready and not self.text.is_empty:
            self._become_ready()

    def _take_control(self, member: Member, message: messages.Control) -> None:
        number = message.fields.get("number")
        if message.fields.get("ask") != "save" or type(number) is not int or not self.is_ready:
            raise BadMessage("there is no such control message")
        self.host.save(member.number, number, str(self.text))

    def _become_ready(self) -> None:
        self.is_ready = True
        self.on_ready()
        for member in list(self.members.values()):
            self._greet(member)

    def _spread(self, sender: Member | None, update: bytes) -> None:
        self.host.kept(update)
        self._tell_others(sender, messages.sync(Sync.UPDATE, update))

    def _tell_others(self, sender: Member | None, message: bytes) -> None:
        for member in list(self.members.values()):
            if member is not sender:
                member.peer.send(message)
