"""The states of one session. Pure.

Theory of operation: a session that somebody wants is launched once, however many ask (WANT in LAUNCHING changes
nothing). The launcher says that the process runs (STARTED), the session is RUNNING when it answered its first request
(ANSWERED). An end before that is a failure whatever its exit code: nobody ever saw the session. Afterwards code 0 means
that R was quit. What failed or ended stays so until the user says RESUME: a session that dies at once would otherwise
be started for ever, and one that was quit would come back unasked. FOUND and LOST come from the launcher's list after
one of us was away.
"""

from dataclasses import dataclass, replace
from enum import StrEnum

from rserver_core.launch_wire import SessionRecord


class State(StrEnum):
    """Where a session is."""

    ABSENT = "absent"
    LAUNCHING = "launching"
    RUNNING = "running"
    FAILED = "failed"
    ENDED = "ended"


class Input(StrEnum):
    """What can happen to it."""

    WANT = "want"
    RESUME = "resume"
    STARTED = "started"
    ANSWERED = "answered"
    CLEAN_EXIT = "clean exit"
    BAD_EXIT = "bad exit"
    REFUSED = "refused"
    GAVE_UP = "gave up"
    FOUND = "found"
    LOST = "lost"


TRANSITIONS: dict[State, dict[Input, State]] = {
    State.ABSENT: {
        Input.WANT: State.LAUNCHING,
        Input.RESUME: State.LAUNCHING,
        Input.STARTED: State.LAUNCHING,
        Input.FOUND: State.LAUNCHING,
        # It ran when the worker was restarted and does not any more.
        Input.LOST: State.FAILED,
    },
    State.LAUNCHING: {
        Input.STARTED: State.LAUNCHING,
        Input.FOUND: State.LAUNCHING,
        Input.ANSWERED: State.RUNNING,
        Input.CLEAN_EXIT: State.FAILED,
        Input.BAD_EXIT: State.FAILED,
        Input.REFUSED: State.FAILED,
        Input.GAVE_UP: State.FAILED,
        Input.LOST: State.FAILED,
    },
    State.RUNNING: {
        Input.CLEAN_EXIT: State.ENDED,
        Input.BAD_EXIT: State.FAILED,
        Input.LOST: State.FAILED,
    },
    State.FAILED: {
        Input.RESUME: State.LAUNCHING,
        Input.STARTED: State.LAUNCHING,
        Input.FOUND: State.LAUNCHING,
        # A process that was given up may still come up, or tell at last why it did not.
        Input.ANSWERED: State.RUNNING,
        Input.BAD_EXIT: State.FAILED,
        Input.LOST: State.FAILED,
    },
    State.ENDED: {
        Input.RESUME: State.LAUNCHING,
        Input.STARTED: State.LAUNCHING,
        Input.FOUND: State.LAUNCHING,
    },
}


@dataclass(frozen=True, slots=True)
class Fate:
    """How a session ended or why it did not start: a sentence, exit code or signal number, last lines of stderr."""

    cause: str
    code: int | None = None
    signal: int | None = None
    stderr_tail: str = ""


@dataclass(frozen=True, slots=True)
class Status:
    """State of one session with what belongs to it: the record of its process, or its fate."""

    state: State = State.ABSENT
    record: SessionRecord | None = None
    fate: Fate | None = None

    def after(self, happened: Input, record: SessionRecord | None = None, fate: Fate | None = None) -> "Status":
        """The status after an input; itself when the input means nothing in this state."""
        state = TRANSITIONS[self.state].get(happened)
        if state is None:
            return self
        if state in {State.FAILED, State.ENDED}:
            return Status(state, None if happened is not Input.GAVE_UP else self.record, fate)
        if self.state in {State.FAILED, State.ENDED}:
            return Status(state, record)
        return replace(self, state=state, record=record or self.record)
