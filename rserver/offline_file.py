"""Whether an administrator took the server offline: the file `offline` in server-lib-dir, looked at twice a second."""

from collections.abc import Callable
from pathlib import Path

from twisted.logger import Logger

from rserver.clock import Clock, sleep
from rserver.worker_threads import ThreadsBusy, WorkerThreads

FILE_NAME = "offline"
LOOK_SECONDS = 0.5
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

    async def keep_looking(self) -> None:
        """Look again and again."""
        while True:
            await sleep(self._clock, LOOK_SECONDS)
            await self.look()

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
