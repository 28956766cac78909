"""Processes that R has started and that still run."""

import contextlib
import os
import signal
from dataclasses import dataclass

_WRITER = "rsession-writer"
_STATE, _PARENT, _SESSION = 0, 1, 3


@dataclass(frozen=True)
class Started:
    """`is_fork`: a copy of this process, as those of the package parallel are."""

    pid: int
    name: str
    is_fork: bool = False

    def __str__(self) -> str:
        return f"{self.name} ({self.pid})"


@dataclass(frozen=True)
class _Process:
    pid: int
    name: str
    state: str
    parent: int
    session: int


def started_processes() -> list[Started]:
    """What R has started, also in the background; without what those started, zombies and the writer of a snapshot."""
    own = os.getpid()
    ours = {process.pid: process for process in _all() if _is_ours(process, own)}
    own_name = ours.pop(own).name if own in ours else ""
    tops = [process for process in ours.values() if process.parent not in ours and process.name != _WRITER]
    return [Started(each.pid, each.name, each.name == own_name and _same_program(each.pid)) for each in tops]


def end_started_processes() -> None:
    """Ask everything that R has started to end."""
    own = os.getpid()
    for process in _all():
        if process.pid != own and process.name != _WRITER and _is_ours(process, own):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(process.pid, signal.SIGTERM)


def _is_ours(process: _Process, own: int) -> bool:
    """A program started in the background has another parent by now; it is still in our process session."""
    leads = os.getsid(0) == own
    is_member = process.session == own if leads else process.parent == own or process.pid == own
    return is_member and process.state not in "ZX"


def _same_program(pid: int) -> bool:
    try:
        return os.readlink(f"/proc/{pid}/exe") == os.readlink("/proc/self/exe")
    except OSError:
        return False


def _all() -> list[_Process]:
    found = (_read(int(name)) for name in os.listdir("/proc") if name.isdigit())
    return [process for process in found if process is not None]


def _read(pid: int) -> _Process | None:
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
            text = file.read()
    except OSError:
        return None
    fields = text[text.rindex(")") + 2 :].split()
    name = text[text.index("(") + 1 : text.rindex(")")]
    return _Process(pid, name, fields[_STATE], int(fields[_PARENT]), int(fields[_SESSION]))
