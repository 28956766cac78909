"""Which R a new session gets. Asked anew each time, in a thread: an R that was installed a moment ago counts."""

import os
from collections.abc import Callable

from rserver.clock import Clock, limit
from rserver.worker_threads import ThreadsBusy, WorkerThreads
from rserver_core.r_installation import NoR, RInstallation, every_installation, find_installation

LIMIT_SECONDS = 10.0


class RInstallations:
    """Finds the R of option rsession-which-r, or those of the machine."""

    def __init__(
        self,
        clock: Clock,
        threads: WorkerThreads,
        which_r: str,
        find: Callable[[str, str], RInstallation] = find_installation,
        find_every: Callable[[str, str], list[RInstallation]] = every_installation,
    ) -> None:
        self._clock, self._threads, self._which_r = clock, threads, which_r
        self._find, self._find_every = find, find_every

    async def current(self) -> RInstallation:
        """The R to use now; NoR tells why there is none."""
        path = os.environ.get("PATH", os.defpath)
        found = self._threads.run(lambda: self._find(self._which_r, path))
        return await limit(found, LIMIT_SECONDS, self._clock, NoR("the disk that R lies on does not answer"))

    async def wanted(self, version: str) -> RInstallation:
        """The R of this version; where it is not or no longer there, the one to use now. NoR."""
        if version:
            for installation in await self.every():
                if installation.version == version:
                    return installation
        return await self.current()

    async def every(self) -> list[RInstallation]:
        """One R of each version, the one to use by default first; none when the disk does not answer."""
        path = os.environ.get("PATH", os.defpath)
        found = self._threads.run(lambda: self._find_every(self._which_r, path))
        try:
            return await limit(found, LIMIT_SECONDS, self._clock, NoR("the disk that R lies on does not answer"))
        except (NoR, ThreadsBusy):
            return []
