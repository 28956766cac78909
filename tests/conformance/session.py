"""A real rsession, given all lines at once; its events are put together to turns."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.conformance.turns import Transcript, Turn
from tests.rsession.running import Event, EventStream, RunningSession

EVENT_SECONDS = 120.0
_WRITES = {"console_write_output", "console_write_error"}
_LINES_PER_CALL = 2000


def run_session(directory: Path, environment: Mapping[str, str], lines: Sequence[str]) -> Transcript:
    """What the session's console says to these lines, started in directory without profile and workspace."""
    arguments = (
        f"--session-default-working-dir={directory}",
        "--r-run-rprofile=0",
        "--r-restore-workspace=0",
    )
    with RunningSession(arguments, environment) as session:
        stream = session.events()
        for first in range(0, len(lines), _LINES_PER_CALL):
            session.type("".join(f"{line}\n" for line in lines[first : first + _LINES_PER_CALL]))
        end = _collect(stream, len(lines))
        return Transcript(_turns(stream.seen, lines), end)


def _collect(stream: EventStream, count: int) -> str:
    taken = 0
    while True:
        try:
            event = stream.wait_for(lambda event: True, EVENT_SECONDS)
        except AssertionError:
            return "stuck"
        taken += event["type"] == "console_write_input"
        if event["type"] == "quit":
            return "quit"
        if event["type"] == "console_prompt" and taken >= count:
            return "done"


def _turns(events: Sequence[Event], lines: Sequence[str]) -> tuple[Turn, ...]:
    """The events as turns; the prompt of a line that was waiting already is told with the line."""
    turns: list[Turn] = []
    typed, text = None, ""
    waiting = iter(lines)
    for event in events:
        if event["type"] in _WRITES:
            text += event["data"]["text"]
        elif event["type"] == "console_write_input":
            line = next(waiting, "")
            turns.append(Turn(typed, text + event["data"]["text"].removesuffix("\n").removesuffix(line)))
            typed, text = line, ""
    return (*turns, Turn(typed, text + _last_prompt(events)))


def _last_prompt(events: Sequence[Event]) -> str:
    """The prompt at which nothing was typed any more; none when R ended."""
    for event in reversed(events):
        if event["type"] == "console_prompt":
            return str(event["data"]["prompt"])
        if event["type"] in {"quit", "console_write_input"}:
            break
    return ""
