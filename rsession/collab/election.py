"""Which session hosts the shared text of a file. Pure: every session comes to the same answer from the same seats."""

from collections.abc import Collection
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
    # Whoever became host later did so because the one before could not be reached.
    hosts = sorted((seat for seat in everybody if seat.since), key=lambda seat: (-seat.since, seat.session))
    if hosts:
        return Verdict(hosts[0], hosts[0] is own, hosts[0].epoch)
    ranked = sorted(everybody, key=lambda seat: (-seat.changed, seat.session))
    mine = waited >= ranked.index(own) * TURN_SECONDS
    epoch = own.epoch or next((seat.epoch for seat in ranked if seat.epoch), "")
    return Verdict(None, mine, epoch)


def later_than(hosts: Collection[Seat], now: float) -> float:
    """The time from which on a new host says that it hosts: behind those that were found gone, by whatever clock."""
    sound = [seat.since for seat in hosts if seat.since < now + _WRONG_CLOCK_SECONDS]
    return max(now, *(since + _STEP for since in sound)) if sound else now
