"""Time-outs of real sessions, with a clock that runs fast or jumps where a real one would take too long."""

import json
import time
from pathlib import Path

import pytest

from rserver_core import last_word
from tests.rsession.running import EventStream, RunningSession, evaluate, ready

FAKETIME = Path("/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1")
pytestmark = [pytest.mark.r, pytest.mark.skipif(not FAKETIME.exists(), reason="no libfaketime")]
MINUTE_SECONDS = 6.0
FAST = {"LD_PRELOAD": str(FAKETIME), "FAKETIME": "+0 x10", "NO_FAKE_STAT": "1"}
HOUR_IN_THREE_SECONDS = {**FAST, "FAKETIME": "+0 x1200"}
PATIENCE = 40.0
WITHOUT_PINGS = "--websocket-ping-seconds=0"
"""The clock of who answers them runs as ever."""


def ended(session: RunningSession) -> tuple[int, str]:
    """Exit code and last word of a session that ends by itself."""
    assert session.process is not None
    code = session.process.wait(PATIENCE)
    return code, last_word.split(session.stderr())[0]


def phases(stream: EventStream) -> list[tuple[str, str | None]]:
    """What the pages were told."""
    told = [event["data"] for event in stream.seen if event["type"] == "session_timeouts"]
    return [(data["phase"], data["action"]) for data in told]


def test_a_page_that_is_only_open_is_warned_and_the_session_suspended() -> None:
    with RunningSession(
        [WITHOUT_PINGS, "--session-timeout-minutes=1", "--session-timeout-warning-seconds=30"], FAST
    ) as session:
        stream = ready(session)
        evaluate(session, stream, "x <- 4711")
        stream.wait_for_type("quit", PATIENCE)
        assert phases(stream)[:2] == [("warned", "suspend"), ("suspending", "suspend")]
        assert ended(session) == (101, "Nobody used it for 1 minute.")


@pytest.mark.slow
def test_what_pages_ask_by_themselves_is_no_use() -> None:
    background = {"X-RStudio-Refresh-Auth-Creds": "0"}
    with RunningSession([WITHOUT_PINGS, "--session-timeout-minutes=1"], FAST) as session:
        stream = ready(session)
        completions = json.dumps({"params": ["me", 2], "clientId": session.client_id}).encode()
        assert session.process is not None
        while session.process.poll() is None:
            try:
                session.call("list_documents")
                session.call("get_environment_state")
                session.call("get_status")
                session.http("POST", "/rpc/get_completions", completions, **background).read()
            except (OSError, AssertionError):
                break
            time.sleep(0.1)
        stream.wait_for_type("quit", PATIENCE)
        assert ended(session) == (101, "Nobody used it for 1 minute.")


@pytest.mark.slow
def test_use_keeps_it() -> None:
    with RunningSession([WITHOUT_PINGS, "--session-timeout-minutes=1"], FAST) as session:
        stream = ready(session)
        end = time.monotonic() + 3 * MINUTE_SECONDS
        while time.monotonic() < end:
            session.call("keep_running")
            time.sleep(0.1)
        assert evaluate(session, stream, "1 + 1") == "[1] 2\n"


def test_quitting_instead() -> None:
    with RunningSession([WITHOUT_PINGS, "--session-timeout-minutes=1", "--session-timeout-suspend=0"], FAST) as session:
        ready(session)
        assert ended(session) == (0, "Nobody used it for 1 minute.")


@pytest.mark.slow
def test_without_any_page() -> None:
    arguments = [WITHOUT_PINGS, "--session-timeout-minutes=0", "--session-disconnected-timeout-minutes=1"]
    with RunningSession(arguments, FAST) as session:
        stream = ready(session)
        time.sleep(2 * MINUTE_SECONDS)
        session.hang_up()
        assert evaluate(session, stream, "1 + 1") == "[1] 2\n"
        stream.close()
        assert ended(session) == (101, "No page was open for 1 minute.")


def test_the_kill_comes_while_r_computes_and_the_objects_are_those_of_the_last_checkpoint() -> None:
    with RunningSession(
        [WITHOUT_PINGS, "--session-timeout-kill-hours=1", "--session-timeout-minutes=0"], HOUR_IN_THREE_SECONDS
    ) as session:
        stream = ready(session)
        evaluate(session, stream, "x <- 4711")
        session.call("checkpoint_session")
        session.type("repeat {}")
        stream.wait_for_type("session_timeouts", PATIENCE)
        assert phases(stream) == [("warned", "kill")]
        assert ended(session) == (103, "Nobody used it for 1 hour. Its objects are kept as of its last checkpoint.")
        session.launch()
        stream = ready(session)
        assert evaluate(session, stream, "x") == "[1] 4711\n"


def test_a_clock_that_is_set_by_hours_ends_nothing_and_delays_nothing(tmp_path: Path) -> None:
    wall = tmp_path / "clock"
    wall.write_text("+0")
    jumping = {
        "LD_PRELOAD": str(FAKETIME),
        "FAKETIME_TIMESTAMP_FILE": str(wall),
        "FAKETIME_NO_CACHE": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        "NO_FAKE_STAT": "1",
    }
    arguments = [
        WITHOUT_PINGS,
        "--session-timeout-minutes=1",
        "--session-timeout-kill-hours=1",
        "--session-timeout-warning-seconds=0",
    ]
    with RunningSession(arguments, jumping) as session:
        stream = ready(session)
        for jump in ("+30h", "-30h", "+0"):
            before = float(evaluate(session, stream, "cat(as.numeric(Sys.time()))"))
            wall.write_text(jump)
            after = float(evaluate(session, stream, "cat(as.numeric(Sys.time()))"))
            assert abs(after - before) > 20 * 3600, "the clock did not jump"
            # Timers run: R is asked for the list of objects a moment after a line.
            evaluate(session, stream, "y <- 1" if jump == "+30h" else "y <- y + 1")
            stream.wait_for_type("environment_changed", 10)
            status = session.call("get_status")
            assert status["timeouts"]["phase"] == "active"
            assert status["idle"] < 30
