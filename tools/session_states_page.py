"""The reference page of the states of a session, from the table that the server itself uses. Runs in .venv."""

from collections.abc import Iterator

from rserver.sessions.machine import MEANINGS, TRANSITIONS, Input, State

_STATES = {
    State.ABSENT: "Made and never started. Shown as *Not running*",
    State.LAUNCHING: "Its process is being started, or does not answer yet",
    State.RUNNING: "It answers requests",
    State.SUSPENDING: "It was asked to write its objects down and to end. It still answers requests",
    State.SUSPENDED: "No process; its objects are kept. It stays so over restarts of everything, even of the machine",
    State.RESUMING: "As launching, and its objects come back",
    State.FAILED: "It could not be started, crashed or is lost. The cause and the last lines of stderr are kept until "
    "the whole server is restarted",
    State.ENDED: "R was quit, or its user ended it. In JSON: `absent` with a cause. It does not count for "
    "`session-limit`, and stays so over restarts of everything",
}
_INTRO = """\
# States of a session

Each session of the server is in one of these states. Who asks is told where it is (`state`) and why (`cause`) by
`GET /api/sessions` and on the page `/home`. This page is drawn from the table in `rserver/sessions/machine.py`.

"""


def session_states_page() -> str:
    """The page in Markdown."""
    return "\n".join([_INTRO + _states(), "## Transitions\n", _diagram(), _transitions()])


def _states() -> str:
    rows = "".join(f"| `{state.value}` | {_STATES[state]} |\n" for state in State)
    return f"| state | meaning |\n| --- | --- |\n{rows}"


def _diagram() -> str:
    """Several inputs that lead the same way share an arrow."""
    lines = [f"    {before.value} --> {after.value}: {', '.join(names)}" for before, after, names in _arrows()]
    return "\n".join(["```mermaid", "stateDiagram-v2", "    [*] --> absent", *lines, "```\n"])


def _arrows() -> Iterator[tuple[State, State, list[str]]]:
    for before, transitions in TRANSITIONS.items():
        for after in State:
            names = [happened.value for happened, state in transitions.items() if state is after]
            if names and after is not before:
                yield before, after, names


def _transitions() -> str:
    rows = "".join(f"| {happened.value} | {MEANINGS[happened]} | {_ways(happened)} |\n" for happened in Input)
    return f"| input | what happens | from → to |\n| --- | --- | --- |\n{rows}\nWhat is not listed changes nothing.\n"


def _ways(happened: Input) -> str:
    ways = [(before, steps[happened]) for before, steps in TRANSITIONS.items() if happened in steps]
    return ", ".join(f"{before.value} → {after.value}" for before, after in ways)
