"""Stop: whatever R does, it comes back to its prompt."""

import time

import pytest

from tests.rsession.running import EventStream, RunningSession, evaluate

pytestmark = pytest.mark.r

SECONDS = 3.0


def begin(session: RunningSession, stream: EventStream, code: str, sign: str = "begun") -> None:
    """Run code and wait until it says that it has begun."""
    session.type(f"{{cat('{sign}\\n'); {code}}}")
    stream.wait_for(lambda event: event["type"] == "console_write_output" and sign in event["data"]["text"])


@pytest.mark.parametrize(
    "code",
    [
        "while (TRUE) {}",
        "Sys.sleep(100)",
        "system('sleep 100')",
        "system('sleep 100', intern = TRUE)",
        "repeat cat('hello\\n')",
        "readLines(pipe('sleep 100'))",
        "lapply(1:1e9, function(i) i)",
    ],
)
def test_what_runs_is_stopped(session: RunningSession, stream: EventStream, code: str) -> None:
    begin(session, stream, code)
    session.call("interrupt")
    stream.wait_for_prompt("> ", SECONDS)
    assert evaluate(session, stream, "1") == "[1] 1\n"


@pytest.mark.parametrize("deaf_to", ["INT", "INT TERM"])
def test_a_child_that_is_deaf_to_interrupts_is_ended_by_asking_again(
    session: RunningSession, stream: EventStream, deaf_to: str
) -> None:
    session.type(f"system(\"trap '' {deaf_to}; echo deaf; while :; do sleep 100; done\")")
    stream.wait_for(lambda event: event["type"] == "console_write_output" and "deaf" in event["data"]["text"])
    position = stream.position
    session.call("interrupt")
    with pytest.raises(AssertionError):
        stream.wait_for(lambda event: event["id"] > position and event["type"] == "console_prompt", 0.5)
    for _ in range(2):
        session.call("interrupt")
    stream.wait_for_prompt("> ", SECONDS)
    assert evaluate(session, stream, "1") == "[1] 1\n"


def test_a_handler_of_interrupts_runs(session: RunningSession, stream: EventStream) -> None:
    begin(session, stream, "tryCatch(Sys.sleep(100), interrupt = function(c) cat('caught\\n'))")
    session.call("interrupt")
    stream.wait_for(lambda event: "caught" in event["data"].get("text", ""), SECONDS)
    stream.wait_for_prompt()


@pytest.mark.parametrize(("code", "prompt"), [("readline('? ')", "? "), ("menu('a')", "Selection: "), ("sum(1,", "+ ")])
def test_a_question_is_dropped(session: RunningSession, stream: EventStream, code: str, prompt: str) -> None:
    evaluate(session, stream, code, prompt)
    session.call("interrupt")
    stream.wait_for_prompt("> ", SECONDS)


def test_queued_lines_are_forgotten(session: RunningSession, stream: EventStream) -> None:
    begin(session, stream, "Sys.sleep(100)", "sleeping")
    session.type("cat('never')\n" * 100)
    since = stream.position
    session.call("interrupt")
    stream.wait_for_prompt("> ", SECONDS)
    assert "never" not in evaluate(session, stream, "cat('after\\n')")
    assert "never" not in stream.text(since=since)


def test_at_the_prompt_a_new_prompt_comes(session: RunningSession, stream: EventStream) -> None:
    session.call("interrupt")
    stream.wait_for_prompt("> ", SECONDS)


def test_a_callback_at_the_prompt_is_stopped(session: RunningSession, stream: EventStream) -> None:
    evaluate(session, stream, "later::later(function() {cat('turning\\n'); repeat {}}, 0)")
    stream.wait_for(lambda event: "turning" in event["data"].get("text", ""))
    session.call("interrupt")
    assert evaluate(session, stream, "2") == "[1] 2\n"


def test_it_takes_a_few_milliseconds(session: RunningSession, stream: EventStream) -> None:
    begin(session, stream, "while (TRUE) {}", "turning")
    start = time.monotonic()
    session.call("interrupt")
    stream.wait_for_prompt("> ", SECONDS)
    assert time.monotonic() - start < 0.5


def test_a_flood_that_nobody_reads_is_stopped(session: RunningSession, stream: EventStream) -> None:
    stalled = session.events(stream.position)
    stream.close()
    session.type("repeat cat(strrep('x', 1e6))")
    stalled.wait_for(lambda event: event["type"] == "console_write_output")
    session.call("interrupt")
    stalled.wait_for_prompt("> ")
    stalled.close()
