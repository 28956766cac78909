"""Whether an administrator took the server offline: the file `offline` in server-lib-dir."""

from collections.abc import Callable
from pathlib import Path

from twisted.internet.defer import Deferred
from twisted.logger import Logger

from rserver.clock import Clock, sleep
from rserver.worker_threads import ThreadsBusy, WorkerThreads

FILE_NAME = "offline"
LOOK_SECONDS = 0.5
# Where the kernel tells of changes; what another machine writes on a file server it does not see.
SELDOM_SECONDS = 30.0
_MOST = 4096

_log = Logger()


class OfflineFile:
    """message: what the administrator wrote, perhaps nothing, while the server is offline; None while it is not.

    threads: where it is looked at, so that a disk that hangs does not hold up the loop.
    """

    def __init__(self, clock: Clock, threads: WorkerThreads, path: Path, went_offline: Callable[[], object]) -> None:
        self.message: str | None = None
        self._clock, self._threads, self._path, self._went_offline = clock, threads, path, went_offline

    async def look(self) -> None:
        """Look now. What cannot be looked at is as it was."""
        try:
            found = await self._threads.run(self._read)
        except (OSError, ThreadsBusy):
            return
        before, self.message = self.message, found
        if (before is None) == (found is None):
            return
        if found is None:
            _log.info("online again")
        else:
            _log.info("offline, as {path} says", path=str(self._path))
            self._went_offline()

    async def keep_looking(self, seconds: float = LOOK_SECONDS) -> None:
        """Look again and again."""
        while True:
            await sleep(self._clock, seconds)
            await self.look()

    def look_now(self) -> None:
        """It may have changed."""
        Deferred.fromCoroutine(self.look()).addErrback(_not_seen)

    def _read(self) -> str | None:
        try:
            self._path.lstat()
        except FileNotFoundError:
            return None
        try:
            with open(self._path, "rb") as file:
                content = file.read(_MOST)
        except OSError:
            # That it is there is what counts.
            return ""
        first = content.decode("utf-8", "replace").strip().partition("\n")[0]
        return "".join(filter(str.isprintable, first))


def _not_seen(failure: object) -> None:
    _log.error("the file that takes the server offline was not looked at: {why!r}", why=failure)
