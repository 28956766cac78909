"""What the store keeps of a session's state.

What was suspended or quit stays so over restarts of everything, the machine included. What failed counts within one
life of the server only: a restarted worker does not start it anew, but after a restart of the whole server nobody waits
for an explanation.
"""

import json

from rserver.sessions import causes
from rserver.sessions.machine import Fate, State, Status

_LASTING = (State.SUSPENDED, State.ENDED)
_KEPT = (State.RUNNING, State.SUSPENDING, State.RESUMING)


def encode(status: Status, life: str) -> str:
    """The status as text; life names this run of the server."""
    if status.state is State.ABSENT:
        return ""
    fate = status.fate
    shown = {"cause": fate.cause, "code": fate.code, "signal": fate.signal, "tail": fate.stderr_tail} if fate else {}
    return json.dumps({"life": life, "state": status.state.value, **shown})


def decode(text: str, life: str) -> tuple[Status, bool]:
    """The status to start with, and whether there was a process in this life of the server."""
    try:
        kept = json.loads(text or "{}")
        state = State(kept.get("state", "absent"))
    except (ValueError, AttributeError):
        return Status(), False
    same_life = bool(life) and kept.get("life") == life
    if state in _LASTING or (same_life and state is State.FAILED):
        fate = Fate(str(kept.get("cause", "")), kept.get("code"), kept.get("signal"), str(kept.get("tail", "")))
        return Status(state, None, fate), False
    # It ended when the machine did: what is on the disk is still there.
    if state in _KEPT and not same_life:
        return Status(State.SUSPENDED, None, causes.of_restart()), False
    return Status(), same_life and state not in {State.ABSENT, State.FAILED}
