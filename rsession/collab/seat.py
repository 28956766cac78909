"""Who has which document of the project open, and which text it shows: as the sentries of sessions say."""

from collections.abc import Iterable
from dataclasses import dataclass

from rsession.presence.sentry import OpenFile, Sentry


@dataclass(frozen=True, slots=True)
class Seat:
    """One document of one session. path: from the project's folder; changed, since: seconds since 1970.

    epoch: of the shared text of which it is a version, or empty; since: it hosts that since then, 0: it does not.
    """

    session: str
    document: str
    path: str
    changed: float
    epoch: str = ""
    since: float = 0.0

    @property
    def server(self) -> str:
        """How pages name the host."""
        return f"{self.session}/{self.document}"


def seat(session: str, file: OpenFile) -> Seat:
    """A file that a session has open."""
    return Seat(session, file.document, file.path, file.changed, file.epoch, file.since)


def seats(sentries: Iterable[Sentry]) -> list[Seat]:
    """All files that these have open."""
    return [seat(each.session, file) for each in sentries for file in each.open if file.document]
