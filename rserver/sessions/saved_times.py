"""What sessions that run have told of their objects is noted, for when nobody is left to tell it."""

import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from rserver.clock import Clock
from rserver.sessions.machine import State
from rserver.sessions.table import SessionTable
from rserver_core.saved_time import saved_at

LOOK_SECONDS = 5.0


@dataclass(slots=True)
class SavedTimes:
    """Looks at the times of the sessions' sockets, which lie in memory. save: writes the table to the store."""

    clock: Clock
    table: SessionTable
    save: Callable[[], object]

    def keep_looking(self) -> None:
        """Look now, and then again and again."""
        if self.look():
            self.save()
        self.clock.callLater(LOOK_SECONDS, self.keep_looking)

    def look(self) -> bool:
        """Note them; whether any is another one."""
        has_changed = False
        for session in self.table:
            record = session.status.record
            if session.state is not State.RUNNING or record is None:
                continue
            told = _told(record.socket)
            if told is not None and told != session.stored:
                session.stored = told
                self.table.changed(session)
                has_changed = True
        return has_changed


def _told(path: str) -> float | None:
    with suppress(OSError):
        return saved_at(os.lstat(path).st_mtime)
    return None
