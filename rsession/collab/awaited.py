"""Those who were in a shared text and are gone without having closed the file: their page may still have it."""

from collections.abc import Collection

from rsession.collab.seat import Seat

AWAITED_SECONDS = 7200.0
"""So long the text is kept for them; later it is that of whoever is left."""
EXPECTED_SECONDS = 30.0


class Awaited:
    """Of one document; true while there is anybody."""

    def __init__(self) -> None:
        self._gone: dict[str, float] = {}
        self._met: list[Seat] = []

    def __bool__(self) -> bool:
        return bool(self._gone)

    def expect(self, now: float) -> None:
        """A page has a shared text from before this session began: the others may be on their way as well."""
        self._gone[""] = now - AWAITED_SECONDS + EXPECTED_SECONDS

    def forget(self) -> None:
        """It is another file now."""
        self._gone, self._met = {}, []

    def look(
        self, epoch: str, others: Collection[Seat], living: Collection[Seat], here: Collection[str], now: float
    ) -> None:
        """living: those of others who can be reached; here: sessions that have the project open; now: in seconds."""
        at_file, reached = {each.session for each in others}, {each.session for each in living}
        for each in self._met:
            is_gone = each.session not in here or (each.session in at_file and each.session not in reached)
            if each.session not in reached and is_gone and each.epoch == epoch != "":
                self._gone.setdefault(each.session, now)
        self._met = list(living)
        for session, since in list(self._gone.items()):
            has_closed = session in here and session not in at_file
            if session in reached or has_closed or now - since > AWAITED_SECONDS:
                del self._gone[session]
