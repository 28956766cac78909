"""What the worker is given by its process: clock, threads, ways to the master and to sessions."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from rserver.accounts import Lookup, look_up
from rserver.clock import Clock
from rserver.sessions.activity import Ask as AskActivity
from rserver.sessions.control import AskToQuit, AskToSuspend, Probe
from rserver.sessions.project_report import AskForFolder
from rserver.sessions.r_report import AskForR
from rserver.sharing.farewells import AskToLeave
from rserver.sharing.sharing import WorkerMaster
from rserver.sign_in.standing import Whose, whose
from rserver.worker_threads import FromThread, WorkerThreads

IDE = Path(__file__).resolve().parent.parent / "ide" / "dist"


@dataclass(slots=True)
class Threads:
    """Threads by what they wait for, so that a name service that hangs holds up nothing else."""

    accounts: WorkerThreads
    store: WorkerThreads
    files: WorkerThreads
    diagnosis: WorkerThreads

    @classmethod
    def start(cls, from_thread: FromThread) -> "Threads":
        """Threads are made when there is something to do."""
        return cls(
            WorkerThreads(from_thread, "accounts", 4),
            WorkerThreads(from_thread, "store"),
            WorkerThreads(from_thread, "files"),
            WorkerThreads(from_thread, "diagnosis", 2, 4),
        )


@dataclass(slots=True)
class Surroundings:
    """What the worker stands on. ports: the TCP ports it serves; life: names this run of the whole server."""

    clock: Clock
    threads: Threads
    loop: Callable[[], asyncio.AbstractEventLoop]
    master: WorkerMaster
    probe: Probe
    ask_to_suspend: AskToSuspend
    ask_activity: AskActivity
    ask_to_quit: AskToQuit
    ask_for_r: AskForR
    ask_for_folder: AskForFolder
    ask_to_leave: AskToLeave
    ports: tuple[int, ...] = ()
    now: Callable[[], float] = time.time
    life: str = ""
    lookup: Lookup = look_up
    whose: Whose = whose
    ide: Path = IDE
