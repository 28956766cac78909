"""Tells when the session has as many processes as it may have and wanted one more."""

from typing import TYPE_CHECKING

from rserver_core.cgroup_paths import UNIFIED, group_path, mounts
from rsession.limits import sentences
from rsession.limits.kernel_events import on_change

if TYPE_CHECKING:
    from twisted.internet.interfaces import IReactorFDSet

    from rsession.session import Session

_QUIET_SECONDS = 60.0


class ProcessWatch:
    """Emits `show_message`, at most once a minute; most: the limit as a text."""

    def __init__(self, session: "Session", most: str) -> None:
        self._session, self._most = session, most
        self._last = -_QUIET_SECONDS

    def reached(self) -> None:
        """The kernel refused one."""
        now = self._session.clock.seconds()
        if now - self._last >= _QUIET_SECONDS:
            self._last = now
            text = sentences.of_processes(self._most)
            self._session.events.emit("show_message", {"kind": "warning", "text": text})


def watch_processes(session: "Session", reactor: "IReactorFDSet") -> None:
    """Begin, where a control group limits this session."""
    group = _group()
    most = _text(f"{group}/pids.max").strip()
    if most.isdigit():
        on_change(f"{group}/pids.events", reactor, ProcessWatch(session, most).reached)


def _group() -> str | None:
    hierarchies, cgroup = mounts(_text("/proc/self/mountinfo")), _text("/proc/self/cgroup")
    return group_path("pids", hierarchies, cgroup) or group_path(UNIFIED, hierarchies, cgroup)


def _text(path: str) -> str:
    try:
        with open(path, encoding="ascii", errors="replace") as file:
            return file.read(1 << 16)
    except OSError:
        return ""
