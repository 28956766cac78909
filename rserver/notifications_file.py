"""What the administrator tells everybody, as notifications.conf says at the moment."""

import os
from collections.abc import Callable

from twisted.logger import Logger

from rserver.clock import Clock, sleep
from rserver.worker_threads import ThreadsBusy, WorkerThreads
from rserver_core.config_errors import ConfigErrors
from rserver_core.notifications import Notification, load, path_of

LOOK_SECONDS = 2.0

_log = Logger()
_Mark = tuple[int, int, int] | None


class NotificationsFile:
    """Looked at every two seconds, read when it changed. A file with errors is logged; what counted goes on to count.

    now: seconds since 1970; threads: where it is read, so that a disk that hangs does not hold up the loop.
    """

    def __init__(self, clock: Clock, threads: WorkerThreads, now: Callable[[], float]) -> None:
        self._clock, self._threads, self._now = clock, threads, now
        self._known: tuple[Notification, ...] = ()
        self._mark: _Mark = None

    def shown(self) -> list[Notification]:
        """Those whose time is now."""
        now = self._now()
        return [notification for notification in self._known if notification.is_shown(now)]

    async def look(self) -> None:
        """Look now. What cannot be looked at is as it was."""
        try:
            found = await self._threads.run(self._read)
        except ThreadsBusy:
            return
        except (OSError, ConfigErrors) as error:
            _log.error("notifications.conf is not read again: {error}", error=str(error))
            return
        if found is not None:
            self._known = found
            _log.info("notifications.conf was read: {count} notifications", count=len(found))

    async def keep_looking(self) -> None:
        """Look again and again."""
        while True:
            await self.look()
            await sleep(self._clock, LOOK_SECONDS)

    def _read(self) -> tuple[Notification, ...] | None:
        """What the file says; None when it is the one that was read before."""
        mark = _mark()
        if mark == self._mark:
            return None
        self._mark = mark
        return load(os.environ)


def _mark() -> _Mark:
    try:
        found = os.stat(path_of(os.environ))
    except FileNotFoundError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns
