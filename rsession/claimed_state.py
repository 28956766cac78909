"""The state folder of this process's session, brought home and locked, before anything is read from it."""

from contextlib import suppress
from functools import cache
from typing import NamedTuple

from rsession.session_lock import SessionLock
from rsession.spare_state import bring_home, take_along
from rsession.state_home import state_home
from rsession.workspace.folder import session_folder


class ClaimedState(NamedTuple):
    """sentences: what its user must be told; lock None: nothing can be written there."""

    sentences: tuple[str, ...]
    lock: SessionLock | None


@cache
def claim_state(home: str, session_id: str) -> ClaimedState:
    """Once in a process; LockedElsewhere, CannotTakeAlong. May wait for an older process."""
    take_along(home, session_id)
    sentences = [state_home(home).complaint, bring_home(home, session_id)]
    lock = SessionLock(session_folder(state_home(home).path, session_id))
    taken = False
    with suppress(OSError):
        sentences.append(lock.take())
        taken = True
    return ClaimedState(tuple(filter(None, sentences)), lock if taken else None)
