"""Which session hosts the shared text of a file. Pure: every session comes to the same answer from the same notes."""

from collections.abc import Collection
from dataclasses import dataclass

from rsession.collab.notes import Note

TURN_SECONDS = 5.0
"""How long the others wait for who is newest."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """host: the note of the host, None while there is none; mine: I am to host; epoch: of the text that goes on.

    alone: nobody else has the file open.
    """

    host: Note | None = None
    mine: bool = False
    epoch: str = ""
    alone: bool = False


ALONE = Verdict(alone=True)


def decide(own: Note, others: Collection[Note], waited: float) -> Verdict:
    """others: notes of the same file, without those whose host was found gone; waited: seconds without a host."""
    if not others:
        return ALONE
    everybody = [own, *others]
    hosts = sorted((note for note in everybody if note.since), key=lambda note: (note.since, note.session))
    if hosts:
        return Verdict(hosts[0], hosts[0] is own, hosts[0].epoch)
    ranked = sorted(everybody, key=lambda note: (-note.changed, note.session))
    mine = waited >= ranked.index(own) * TURN_SECONDS
    epoch = next((note.epoch for note in ranked if note.epoch), "")
    return Verdict(None, mine, epoch)
