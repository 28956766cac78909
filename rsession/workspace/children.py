"""Processes that R has started and that still run."""

import contextlib
import os
import signal
from dataclasses import dataclass

from rsession.workspace.marked_processes import Environment, group_members

_OURS = ("rsession-writer", "filebase")
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
    """What R has started, also in the background; without what those started, zombies and our own helpers."""
    own = os.getpid()
    ours = {process.pid: process for process in _ours()}
    own_name = ours.pop(own).name if own in ours else ""
    tops = [process for process in ours.values() if process.parent not in ours and process.name not in _OURS]
    return [Started(each.pid, each.name, each.name == own_name and _same_program(each.pid)) for each in tops]


def end_started_processes() -> None:
    """Ask everything that R has started to end."""
    own = os.getpid()
    for process in _ours():
        if process.pid != own and process.name not in _OURS:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(process.pid, signal.SIGTERM)


def _ours() -> list[_Process]:
    """This process and those of R that still run, also programs in the background, which have another parent by now."""
    own, leads = os.getpid(), os.getsid(0) == os.getpid()
    group, environment = group_members(), Environment()

    def is_ours(process: _Process) -> bool:
        if process.pid in group or own in (process.pid, process.parent) or (leads and process.session == own):
            return True
        return environment.is_of(process.pid)

    return [process for process in _all() if process.state not in "ZX" and is_ours(process)]


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
