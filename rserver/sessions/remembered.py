"""What the store keeps of a session's state.

What was suspended or quit stays so over restarts of everything, the machine included. What failed counts within one
life of the server only: a restarted worker does not start it anew, but after a restart of the whole server nobody waits
for an explanation.
"""

import json
from typing import Any, NamedTuple

from rserver.sessions import causes
from rserver.sessions.machine import Fate, State, Status

_LASTING = (State.SUSPENDED, State.ENDED)
_KEPT = (State.RUNNING, State.SUSPENDING, State.RESUMING)


class Remembered(NamedTuple):
    """The status to start with, and whether there was a process in this life of the server.

    quick_failures, stored: as of a session.
    """

    status: Status = Status()
    had_process: bool = False
    quick_failures: int = 0
    stored: float | None = None


def encode(status: Status, life: str, quick_failures: int = 0, stored: float | None = None) -> str:
    """The status as text; life names this run of the server."""
    if status.state is State.ABSENT:
        return ""
    fate = status.fate
    shown = {"cause": fate.cause, "code": fate.code, "signal": fate.signal, "tail": fate.stderr_tail} if fate else {}
    counts = {"quick_failures": quick_failures, "stored": stored}
    return json.dumps({"life": life, "state": status.state.value, **counts, **shown})


def decode(text: str, life: str) -> Remembered:
    """From such a text; as of nothing when it is none."""
    try:
        kept = json.loads(text or "{}")
        state = State(kept.get("state", "absent"))
    except (ValueError, AttributeError):
        return Remembered()
    same_life = bool(life) and kept.get("life") == life
    stored = float(told) if isinstance(told := kept.get("stored"), (int, float)) else None
    status, had_process = _status(kept, state, same_life, stored)
    return Remembered(status, had_process, int(kept.get("quick_failures", 0)) if same_life else 0, stored)


def _status(kept: dict[str, Any], state: State, same_life: bool, stored: float | None) -> tuple[Status, bool]:
    if state in _LASTING or (same_life and state is State.FAILED):
        fate = Fate(str(kept.get("cause", "")), kept.get("code"), kept.get("signal"), str(kept.get("tail", "")))
        return Status(state, None, fate), False
    # It ended when the machine did: what is on the disk is still there.
    if state in _KEPT and not same_life:
        return Status(State.SUSPENDED, None, causes.of_restart(stored)), False
    return Status(), same_life and state not in {State.ABSENT, State.FAILED}
