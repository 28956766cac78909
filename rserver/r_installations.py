"""Which R a new session gets. Asked anew each time, in a thread: an R that was installed a moment ago counts."""

import os
from collections.abc import Callable

from rserver.clock import Clock, limit
from rserver.worker_threads import WorkerThreads
from rserver_core.r_installation import NoR, RInstallation, find_installation

LIMIT_SECONDS = 10.0


class RInstallations:
    """Finds the R of option rsession-which-r, or the first one of the machine."""

    def __init__(
        self,
        clock: Clock,
        threads: WorkerThreads,
        which_r: str,
        find: Callable[[str, str], RInstallation] = find_installation,
    ) -> None:
        self._clock, self._threads, self._which_r, self._find = clock, threads, which_r, find

    async def current(self) -> RInstallation:
        """The R to use now; NoR tells why there is none."""
        path = os.environ.get("PATH", os.defpath)
        found = self._threads.run(lambda: self._find(self._which_r, path))
        return await limit(found, LIMIT_SECONDS, self._clock, NoR("the disk that R lies on does not answer"))
