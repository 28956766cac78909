"""Who, in a session of theirs, edits texts that sessions of others keep: asked at each request, and looked over."""

from collections.abc import Callable
from dataclasses import dataclass, field

from rserver.sessions.session import Session
from rserver.web.request import Identity

MayJoin = Callable[[Identity, Session, Session], bool]
"""Whether somebody may, in a session of theirs (second), edit a text that another session (third) keeps."""

_MANY = 4096


@dataclass(slots=True)
class Joins:
    """may: filled by who knows what is shared with whom; close: breaks off what a session has open with a host."""

    may: MayJoin = lambda *_: True
    close: Callable[[Session, Session], object] = lambda *_: None
    _let: dict[tuple[str, str], tuple[Identity, Session, Session]] = field(default_factory=dict)

    def ask(self, identity: Identity, own: Session, host: Session) -> bool:
        """Whether a request may go there."""
        if not self.may(identity, own, host):
            return False
        if len(self._let) >= _MANY:
            self._let = {ids: each for ids, each in self._let.items() if each[1].target and each[2].target}
        self._let[own.id, host.id] = (identity, own, host)
        return True

    def look_over(self) -> int:
        """Break off what `may` does not allow any more; how many pairs of sessions that were."""
        ended = [ids for ids, let in self._let.items() if not self.may(*let)]
        for ids in ended:
            _, own, host = self._let.pop(ids)
            self.close(own, host)
        return len(ended)
