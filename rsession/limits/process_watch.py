"""Tells when the session has as many processes as it may have and wanted one more."""

import re
from typing import TYPE_CHECKING

from rserver_core.cgroup_paths import UNIFIED, group_path, mounts
from rsession.limits import sentences
from rsession.limits.kernel_events import on_change

if TYPE_CHECKING:
    from twisted.internet.interfaces import IReactorFDSet

    from rsession.session import Session

_QUIET_SECONDS = 60.0
_REFUSED = re.compile(r"^max (\d+)$", re.MULTILINE)


class ProcessWatch:
    """Emits `show_message`, at most once a minute; group: directory with the limit, most: the limit as a text."""

    def __init__(self, session: "Session", group: str, most: str) -> None:
        self._session, self._most = session, most
        self._path = f"{group}/pids.events"
        self._refused = self._count()
        self._last = -_QUIET_SECONDS

    def look(self) -> None:
        """Whether the kernel has refused one since the last look."""
        refused, now = self._count(), self._session.clock.seconds()
        if refused > self._refused and now - self._last >= _QUIET_SECONDS:
            self._last = now
            text = sentences.of_processes(self._most)
            self._session.events.emit("show_message", {"kind": "warning", "text": text})
        self._refused = refused

    def _count(self) -> int:
        found = _REFUSED.search(_text(self._path))
        return int(found[1]) if found else 0


def watch_processes(session: "Session", reactor: "IReactorFDSet") -> None:
    """Begin, where a control group limits this session."""
    group = _group()
    most = _text(f"{group}/pids.max").strip()
    if group is not None and most.isdigit():
        watch = ProcessWatch(session, group, most)
        on_change(f"{group}/pids.events", reactor, watch.look)
        # Version 1 counts and tells nobody.
        session.on_prompt(watch.look)


def _group() -> str | None:
    hierarchies, cgroup = mounts(_text("/proc/self/mountinfo")), _text("/proc/self/cgroup")
    return group_path("pids", hierarchies, cgroup) or group_path(UNIFIED, hierarchies, cgroup)


def _text(path: str) -> str:
    try:
        with open(path, encoding="ascii", errors="replace") as file:
            return file.read(1 << 16)
    except OSError:
        return ""
