"""Which session hosts the shared text of a file. Pure: every session comes to the same answer from the same seats."""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from rsession.collab.seat import Seat

TURN_SECONDS = 5.0
"""How long the others wait for who is newest."""
_WRONG_CLOCK_SECONDS = 86_400.0
_STEP = 0.001


@dataclass(frozen=True, slots=True)
class Verdict:
    """host: the seat of the host, None while there is none; mine: I am to host; epoch: of the text that goes on.

    alone: nobody else has the file open, and nobody is awaited.
    """

    host: Seat | None = None
    mine: bool = False
    epoch: str = ""
    alone: bool = False


ALONE = Verdict(alone=True)


def decide(own: Seat, others: Collection[Seat], waited: float, is_awaited: bool = False) -> Verdict:
    """others: seats at the same file, without hosts that were found gone; waited: seconds without a host.

    is_awaited: somebody who was in the text is gone and has not closed the file.
    """
    if not others and not is_awaited:
        return ALONE
    everybody = [own, *others]
    host = host_among(everybody)
    if host is not None:
        return Verdict(host, host is own, host.epoch)
    ranked = sorted(everybody, key=lambda seat: (-seat.changed, seat.session))
    mine = waited >= ranked.index(own) * TURN_SECONDS
    return Verdict(None, mine, _shown_by_most(ranked))


def host_among(everybody: Collection[Seat]) -> Seat | None:
    """The host that counts, if there is one: of the text that most show, else of the one that was there first.

    Of those who host one text the last: it became host because the one before could not be reached.
    """
    hosts = [seat for seat in everybody if seat.since]
    shown = Counter(seat.epoch for seat in everybody)
    first = {seat.epoch: seat.since for seat in sorted(hosts, key=lambda seat: -seat.since)}
    order = [(-shown[seat.epoch], first[seat.epoch], seat.epoch, -seat.since, seat.session, seat) for seat in hosts]
    return min(order, key=lambda each: each[:-1])[-1] if order else None


def _shown_by_most(ranked: Sequence[Seat]) -> str:
    """The text that most have goes on; of several the one of whoever is ranked first."""
    counts = Counter(seat.epoch for seat in ranked if seat.epoch)
    return max(counts, key=lambda epoch: counts[epoch], default="")


def later_than(hosts: Collection[Seat], now: float) -> float:
    """The time from which on a new host says that it hosts: behind those that were found gone, by whatever clock."""
    sound = [seat.since for seat in hosts if seat.since < now + _WRONG_CLOCK_SECONDS]
    return max(now, *(since + _STEP for since in sound)) if sound else now
