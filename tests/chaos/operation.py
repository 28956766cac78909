"""What a run does: waves of operations, a pure function of the seed."""

import random
from dataclasses import dataclass
from enum import StrEnum

MOST_AT_ONCE = 5
_CALM_SHARE = 0.35


class Kind(StrEnum):
    """One thing that is done to a session, to the server or to what it stands on."""

    ASSIGN = "assign objects"
    SETTINGS = "change option, variable or folder"
    PRINT = "print numbered lines to listeners that reconnect"
    CLIENTS = "print numbered lines to several clients"
    DOCUMENT = "edit and save documents"
    PLOT = "draw"
    CHECKPOINT = "checkpoint"
    SUSPEND = "suspend"
    FORCE_SUSPEND = "suspend by force while R works"
    RESTART = "suspend and resume at once"
    QUIT = "quit"
    KILL = "kill by its user"
    SIGNAL = "signal the session's process"
    SIGNAL_WHILE_WRITING = "signal the session's process while it writes its objects"
    SIGNAL_WHILE_RESUMING = "signal the session's process while it resumes"
    FREEZE = "stop the session's process for a moment"
    KILL_KEEPER = "kill the keeper"

    WORKER = "kill the worker"
    LAUNCHER = "kill the launcher"
    FORKER = "kill the forker"
    MASTER = "kill the master"
    GUARD = "kill the guard"
    FREEZE_WORKER = "stop the worker for a moment"
    RESTART_SERVER = "restart the server"
    REBOOT = "kill everything at once and lose the run directory"
    RELOAD = "reload"
    OFFLINE = "offline and online"
    SUSPEND_ALL = "suspend-all"
    FORCE_SUSPEND_ALL = "force-suspend-all"
    DISK_FULL = "fill the file system of a home"
    NO_INODES = "use up the inodes of a home"
    READ_ONLY = "make a home read-only"


OF_SESSION = {
    Kind.ASSIGN: 16,
    Kind.SETTINGS: 4,
    Kind.PRINT: 10,
    Kind.CLIENTS: 4,
    Kind.DOCUMENT: 14,
    Kind.PLOT: 3,
    Kind.CHECKPOINT: 8,
    Kind.SUSPEND: 10,
    Kind.FORCE_SUSPEND: 3,
    Kind.RESTART: 5,
    Kind.QUIT: 2,
    Kind.KILL: 3,
    Kind.SIGNAL: 6,
    Kind.SIGNAL_WHILE_WRITING: 6,
    Kind.SIGNAL_WHILE_RESUMING: 4,
    Kind.FREEZE: 3,
    Kind.KILL_KEEPER: 4,
}
OF_SERVER = {
    Kind.WORKER: 8,
    Kind.LAUNCHER: 6,
    Kind.FORKER: 4,
    Kind.MASTER: 6,
    Kind.GUARD: 2,
    Kind.FREEZE_WORKER: 3,
    Kind.RESTART_SERVER: 3,
    Kind.REBOOT: 2,
    Kind.RELOAD: 2,
    Kind.OFFLINE: 2,
    Kind.SUSPEND_ALL: 2,
    Kind.FORCE_SUSPEND_ALL: 2,
    Kind.DISK_FULL: 7,
    Kind.NO_INODES: 4,
    Kind.READ_ONLY: 4,
}


@dataclass(frozen=True, slots=True)
class Operation:
    """subject: number of the session, or of the user whose home it concerns; draw: seed of its own random choices."""

    number: int
    kind: Kind
    subject: int
    draw: int


@dataclass(frozen=True, slots=True)
class Wave:
    """Operations on different sessions at the same time, and what disturbs them, if anything does."""

    number: int
    disturbance: Operation | None
    operations: tuple[Operation, ...]


def plan(seed: int, operations: int, sessions: int) -> list[Wave]:
    """Waves with so many operations together."""
    source = random.Random(seed)
    waves: list[Wave] = []
    done = 0
    while done < operations:
        wave = _wave(source, len(waves) + 1, done, operations - done, sessions)
        waves.append(wave)
        done += len(wave.operations) + (wave.disturbance is not None)
    return waves


def _wave(source: random.Random, number: int, done: int, left: int, sessions: int) -> Wave:
    disturbance = None
    if left > 1 and source.random() > _CALM_SHARE:
        done += 1
        left -= 1
        disturbance = _operation(source, done, OF_SERVER, source.randrange(sessions))
    count = min(source.randint(1, MOST_AT_ONCE), left, sessions)
    subjects = source.sample(range(sessions), count)
    chosen = (_operation(source, done + place, OF_SESSION, subject) for place, subject in enumerate(subjects, 1))
    return Wave(number, disturbance, tuple(chosen))


def _operation(source: random.Random, number: int, weights: dict[Kind, int], subject: int) -> Operation:
    (kind,) = source.choices(list(weights), list(weights.values()))
    return Operation(number, kind, subject, source.randrange(1 << 32))
