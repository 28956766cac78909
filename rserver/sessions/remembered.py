"""What the store keeps of a session's state: a restarted worker does not start anew what failed or ended.

It counts within one life of the server only: after a restart of the whole server nobody waits for an explanation.
"""

import json

from rserver.sessions.machine import Fate, State, Status

_OVER = (State.FAILED, State.ENDED)


def encode(status: Status, life: str) -> str:
    """The status as text; life names this run of the server."""
    if status.state is State.ABSENT:
        return ""
    fate = status.fate
    shown = {"cause": fate.cause, "code": fate.code, "signal": fate.signal, "tail": fate.stderr_tail} if fate else {}
    return json.dumps({"life": life, "state": status.state.value, **shown})


def decode(text: str, life: str) -> tuple[Status, bool]:
    """The status to start with, and whether there was a process; (absent, False) for text of another life."""
    try:
        kept = json.loads(text or "{}")
        state = State(kept.get("state", "absent"))
    except (ValueError, AttributeError):
        return Status(), False
    if not life or kept.get("life") != life:
        return Status(), False
    if state not in _OVER:
        return Status(), state is not State.ABSENT
    fate = Fate(str(kept.get("cause", "")), kept.get("code"), kept.get("signal"), str(kept.get("tail", "")))
    return Status(state, None, fate), False
