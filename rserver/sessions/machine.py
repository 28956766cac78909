"""The states of one session. Pure.

Theory of operation: a session that somebody wants is launched once, however many ask (WANT in LAUNCHING changes
nothing). The launcher says that the process runs (STARTED), the session is RUNNING when it answered its first request
(ANSWERED). An end before that is a failure whatever its exit code: nobody ever saw the session. Afterwards an end is a
wanted one when the session says that R was quit, or when its code is 0. What failed or ended stays so until the user
says RESUME: a session that dies at once would otherwise be started for ever, and one that was quit would come back
unasked. A session that suspended itself (its own exit code) is another thing: its objects wait on the disk, and it
comes back as soon as somebody WANTs it. FOUND and LOST come from the launcher's list after one of us was away.
"""

from dataclasses import dataclass
from enum import StrEnum

from rserver_core.launch_wire import SessionRecord


class State(StrEnum):
    """Where a session is."""

    ABSENT = "absent"
    LAUNCHING = "launching"
    RUNNING = "running"
    SUSPENDING = "suspending"
    SUSPENDED = "suspended"
    RESUMING = "resuming"
    FAILED = "failed"
    ENDED = "ended"


STARTING = frozenset({State.LAUNCHING, State.RESUMING})
# There is a process, or will be one in a moment.
ALIVE = STARTING | {State.RUNNING, State.SUSPENDING}
OVER = frozenset({State.SUSPENDED, State.FAILED, State.ENDED})


class Input(StrEnum):
    """What can happen to it."""

    WANT = "want"
    RESUME = "resume"
    SUSPEND = "suspend"
    PUT_AWAY = "put away"
    STARTED = "started"
    ANSWERED = "answered"
    STAYED = "stayed"
    FREED = "freed"
    CLEAN_EXIT = "clean exit"
    SUSPENDED_EXIT = "suspended exit"
    BAD_EXIT = "bad exit"
    ENDED_BY_USER = "ended by its user"
    ENDED_FROM_OUTSIDE = "ended from outside"
    REFUSED = "refused"
    GAVE_UP = "gave up"
    FOUND = "found"
    LOST = "lost"


MEANINGS = {
    Input.WANT: "somebody opens its page or sends a request other than those that pages send by themselves",
    Input.RESUME: "its user asks for it: home page, failure page, `resume`",
    Input.SUSPEND: "its user wants it suspended",
    Input.PUT_AWAY: "its user quits it while it has no process",
    Input.STARTED: "the launcher says that its process runs",
    Input.ANSWERED: "it answers `GET /ping`",
    Input.STAYED: "something stands against it, it cannot be told, or it does not do it in time",
    Input.FREED: "nothing stands against suspending it any more",
    Input.CLEAN_EXIT: "after it answered a user, R is quit, or it killed itself because nobody used it (103)",
    Input.SUSPENDED_EXIT: "it ends with code 101 (102: it is started again at once): its objects are on the disk",
    Input.BAD_EXIT: "it ends otherwise",
    Input.ENDED_BY_USER: "it ends after its user quit or killed it",
    Input.ENDED_FROM_OUTSIDE: "an administrator or SIGTERM ended it, or the server, because its account is gone",
    Input.REFUSED: "it cannot be started",
    Input.GAVE_UP: "`rsession-proxy-max-wait-secs` pass",
    Input.FOUND: "the launcher lists it after the server was away",
    Input.LOST: "it is gone without a word",
}

_START_ENDS: dict[Input, State] = {
    Input.CLEAN_EXIT: State.FAILED,
    Input.SUSPENDED_EXIT: State.SUSPENDED,
    Input.BAD_EXIT: State.FAILED,
    Input.ENDED_BY_USER: State.ENDED,
    Input.ENDED_FROM_OUTSIDE: State.ENDED,
    Input.REFUSED: State.FAILED,
    Input.GAVE_UP: State.FAILED,
    Input.LOST: State.FAILED,
}
_ENDS: dict[Input, State] = {
    Input.CLEAN_EXIT: State.ENDED,
    Input.SUSPENDED_EXIT: State.SUSPENDED,
    Input.BAD_EXIT: State.FAILED,
    Input.ENDED_BY_USER: State.ENDED,
    Input.ENDED_FROM_OUTSIDE: State.ENDED,
    Input.LOST: State.FAILED,
}

TRANSITIONS: dict[State, dict[Input, State]] = {
    State.ABSENT: {
        Input.WANT: State.LAUNCHING,
        Input.RESUME: State.LAUNCHING,
        Input.PUT_AWAY: State.ENDED,
        Input.STARTED: State.LAUNCHING,
        Input.FOUND: State.LAUNCHING,
        # It ran when the worker was restarted and does not any more.
        **_ENDS,
    },
    State.LAUNCHING: {
        Input.STARTED: State.LAUNCHING,
        Input.FOUND: State.LAUNCHING,
        Input.ANSWERED: State.RUNNING,
        **_START_ENDS,
    },
    State.RUNNING: {
        Input.SUSPEND: State.SUSPENDING,
        Input.FREED: State.RUNNING,
        **_ENDS,
    },
    State.SUSPENDING: {
        Input.STAYED: State.RUNNING,
        **_ENDS,
    },
    State.SUSPENDED: {
        Input.WANT: State.RESUMING,
        Input.RESUME: State.RESUMING,
        Input.PUT_AWAY: State.ENDED,
        Input.STARTED: State.RESUMING,
        Input.FOUND: State.RESUMING,
        # It was taken for cut off with the server, and how it ended is heard of at last.
        Input.SUSPENDED_EXIT: State.SUSPENDED,
        Input.CLEAN_EXIT: State.ENDED,
        Input.BAD_EXIT: State.FAILED,
        Input.ENDED_BY_USER: State.ENDED,
        Input.ENDED_FROM_OUTSIDE: State.ENDED,
    },
    State.RESUMING: {
        Input.STARTED: State.RESUMING,
        Input.FOUND: State.RESUMING,
        Input.ANSWERED: State.RUNNING,
        **_START_ENDS,
    },
    State.FAILED: {
        Input.RESUME: State.LAUNCHING,
        Input.PUT_AWAY: State.ENDED,
        Input.STARTED: State.LAUNCHING,
        Input.FOUND: State.LAUNCHING,
        # A process that was given up may still come up, or tell at last why it did not.
        Input.ANSWERED: State.RUNNING,
        Input.SUSPENDED_EXIT: State.SUSPENDED,
        Input.BAD_EXIT: State.FAILED,
        Input.ENDED_BY_USER: State.ENDED,
        Input.ENDED_FROM_OUTSIDE: State.ENDED,
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
        if state is None or (happened is Input.PUT_AWAY and self.record is not None):
            return self
        if state in OVER:
            return Status(state, self.record if happened is Input.GAVE_UP else None, fate)
        # What is begun anew has no process yet, whatever the old one is doing.
        kept = None if happened in {Input.WANT, Input.RESUME} else self.record
        return Status(state, record or kept, fate if happened is Input.STAYED else None)
