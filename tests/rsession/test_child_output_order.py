"""What a child process wrote belongs to the line that ran it, however many lines wait."""

import pytest

from tests.rsession.running import RunningSession, ready

pytestmark = pytest.mark.r
LINES = 150


def test_output_of_children_comes_before_the_next_waiting_line() -> None:
    with RunningSession() as session:
        stream = ready(session)
        session.type("".join(f"system('echo out{number}; echo err{number} >&2')\n" for number in range(LINES)))
        stream.wait_for(lambda event: event["data"].get("text", "") == f"err{LINES - 1}\n")
        stream.wait_for_prompt()
        heard = [event for event in stream.seen if event["type"].startswith("console_write")]
    assert _said_between_inputs(heard) == [f"err{n}\nout{n}\n" for n in range(LINES)]


def _said_between_inputs(events: list[dict[str, object]]) -> list[str]:
    said: list[list[str]] = []
    for event in events:
        data = event["data"]
        assert isinstance(data, dict)
        if event["type"] == "console_write_input":
            said.append([])
        elif said:
            said[-1].append(data["text"])
    return ["".join(sorted("".join(texts).splitlines(keepends=True))) for texts in said]
