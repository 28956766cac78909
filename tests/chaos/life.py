"""What happens to the process of a session: suspending, resuming, ending, and signals at bad moments."""

import contextlib
import os
import random
import signal
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

from tests.chaos.door import Door, Interrupted, Refused
from tests.chaos.operation import Kind
from tests.chaos.session_model import SessionModel
from tests.chaos.use import Violation

SETTLE_SECONDS = 60.0
_LOOK_SECONDS = 0.1
_MOVING = frozenset({"launching", "resuming", "suspending"})
_SIGNALS = (signal.SIGUSR1, signal.SIGUSR2, signal.SIGTERM, signal.SIGKILL, signal.SIGKILL)
_NOT_WRITABLE = 1003


def settled(door: Door, seconds: float = SETTLE_SECONDS) -> dict[str, Any]:
    """The session as it is shown once nothing is under way; Violation when that never comes."""
    deadline = time.monotonic() + seconds
    while True:
        shown = door.state()
        if shown["state"] not in _MOVING:
            return shown
        if time.monotonic() > deadline:
            raise Violation(f"it is still {shown['state']} after {seconds:.0f} s")
        time.sleep(_LOOK_SECONDS)


def checkpoint(model: SessionModel, door: Door, _source: random.Random) -> None:
    """Confirmed when it is answered."""
    _confirming(model, lambda: _write(door, "checkpoint_session"))


def _write(door: Door, method: str, *params: object) -> bool:
    try:
        door.call(method, *params, seconds=60)
    except Refused as error:
        if error.code == _NOT_WRITABLE:
            raise Interrupted(str(error)) from None
        raise
    return True


def _confirming(model: SessionModel, write: Callable[[], bool]) -> None:
    """What was there when the writing began is safe once it is answered."""
    index, lines = model.objects.executed, model.console.snapshot()
    if write():
        model.objects.confirm(index)
        model.console.keep(lines)


def suspend(model: SessionModel, door: Door, _source: random.Random) -> None:
    """By its user; confirmed when it is shown as suspended."""
    model.told = True
    _confirming(model, lambda: _suspended(door, force=False))


def force_suspend(model: SessionModel, door: Door, _source: random.Random) -> None:
    """While R works."""
    model.told = True
    door.call("console_input", "for (i in 1:600) Sys.sleep(0.05)", "")
    _confirming(model, lambda: _suspended(door, force=True))


def _suspended(door: Door, *, force: bool) -> bool:
    door.rest("POST", "/suspend", {"force": force})
    shown = settled(door)
    if shown["state"] == "suspended":
        return True
    raise Interrupted(f"it was not suspended but {shown['state']}: {shown['cause']}")


def restart(model: SessionModel, door: Door, source: random.Random) -> None:
    """Suspended and wanted back at once, perhaps before it ended."""
    model.told = True
    door.rest("POST", "/suspend", {"force": False})
    time.sleep(source.choice([0, 0.05, 0.3]))
    door.rest("POST", "/resume", {})
    shown = settled(door)
    if shown["state"] == "suspended":
        door.rest("POST", "/resume", {})


def quit_session(model: SessionModel, door: Door, _source: random.Random) -> None:
    """It ends, and its objects with it."""
    _end(model, door, "/quit")


def kill(model: SessionModel, door: Door, _source: random.Random) -> None:
    """It ends at once; what was kept stays kept."""
    _end(model, door, "/kill")


def _end(model: SessionModel, door: Door, action: str) -> None:
    model.hurt = model.ended = True
    model.objects.may_start_anew(model.empty)
    if action == "/quit":
        model.console.forget()
    door.rest("POST", action, {})
    deadline = time.monotonic() + SETTLE_SECONDS
    while settled(door)["state"] == "running":
        if time.monotonic() > deadline:
            raise Violation(f"it still runs {SETTLE_SECONDS:.0f} s after {action}")
        time.sleep(_LOOK_SECONDS)


def signal_process(model: SessionModel, _door: Door, source: random.Random) -> None:
    """At its prompt."""
    _send(model, source.choice(_SIGNALS))


def signal_while_writing(model: SessionModel, door: Door, source: random.Random) -> None:
    """After a moment of a checkpoint or a suspension."""
    model.told = True
    ask = source.choice([lambda: door.call("checkpoint_session"), lambda: door.rest("POST", "/suspend", {})])
    with _meanwhile(ask):
        time.sleep(source.random() * 0.15)
        _send(model, source.choice(_SIGNALS))


def signal_while_resuming(model: SessionModel, door: Door, source: random.Random) -> None:
    """A new process gets a signal before or after it answers."""
    model.told = True
    door.rest("POST", "/suspend", {})
    settled(door)
    with _meanwhile(door.greet):
        pid = _new_pid(door, model.pid)
        time.sleep(source.random() * 0.6)
        model.pid = pid
        _send(model, source.choice(_SIGNALS))


def _new_pid(door: Door, old: int) -> int:
    deadline = time.monotonic() + SETTLE_SECONDS
    while (pid := door.state()["pid"]) in {None, old}:
        if time.monotonic() > deadline:
            raise Interrupted("no new process came")
        time.sleep(0.02)
    return int(pid)


def freeze(model: SessionModel, door: Door, source: random.Random) -> None:
    """Stopped while it is asked to write."""
    model.told = True
    with contextlib.suppress(ProcessLookupError):
        os.kill(model.pid, signal.SIGSTOP)
        try:
            with _meanwhile(lambda: door.rest("POST", "/suspend", {})):
                time.sleep(source.uniform(0.1, 2.5))
        finally:
            os.kill(model.pid, signal.SIGCONT)


def kill_keeper(model: SessionModel, door: Door, source: random.Random) -> None:
    """The session goes on, or ends as if nothing were amiss."""
    keeper = int(_stat(model.pid)[1])
    if keeper > 1:
        model.unwatched = model.pid
        os.kill(keeper, signal.SIGKILL)
        if source.random() < 0.5:
            suspend(model, door, source)


def _stat(pid: int) -> list[str]:
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
            return file.read().rpartition(")")[2].split()
    except OSError:
        raise Interrupted(f"process {pid} is gone") from None


def _send(model: SessionModel, number: signal.Signals) -> None:
    if number in {signal.SIGUSR1, signal.SIGUSR2} and _is_shell(model.pid):
        # As `rstudio-server` does: there is nothing to suspend yet.
        return
    model.note(f"  {number.name} to {model.pid}")
    model.told = True
    model.hurt = model.hurt or number in {signal.SIGKILL, signal.SIGTERM}
    with contextlib.suppress(ProcessLookupError):
        os.kill(model.pid, number)


def _is_shell(pid: int) -> bool:
    with contextlib.suppress(OSError):
        return os.path.basename(os.readlink(f"/proc/{pid}/exe")) in {"sh", "dash", "bash"}
    return False


@contextlib.contextmanager
def _meanwhile(ask: Callable[[], object]) -> Iterator[None]:
    """The answer is not waited for before the body has run; it may be that there is none."""

    def quietly() -> None:
        with contextlib.suppress(Interrupted, Refused):
            ask()

    thread = threading.Thread(target=quietly)
    thread.start()
    try:
        yield
    finally:
        thread.join()


LIFE = {
    Kind.CHECKPOINT: checkpoint,
    Kind.SUSPEND: suspend,
    Kind.FORCE_SUSPEND: force_suspend,
    Kind.RESTART: restart,
    Kind.QUIT: quit_session,
    Kind.KILL: kill,
    Kind.SIGNAL: signal_process,
    Kind.SIGNAL_WHILE_WRITING: signal_while_writing,
    Kind.SIGNAL_WHILE_RESUMING: signal_while_resuming,
    Kind.FREEZE: freeze,
    Kind.KILL_KEEPER: kill_keeper,
}
