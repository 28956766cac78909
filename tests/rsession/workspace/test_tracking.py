"""Objects that were not written since the last snapshot are not read for the next one."""

import os
import signal

import pytest

from tests.rsession.running import RunningSession, evaluate, ready
from tests.rsession.workspace.keeping import begin_checkpoint, restored, resume, suspend
from tests.rsession.workspace.test_mishaps import writer_of

pytestmark = [pytest.mark.r]
MB = 1 << 20
FILL = "for (i in 1:20) assign(paste0('v', i), rnorm(655360)); total <- sum(v7)"
WHOLE = 20 * 5 * MB


def test_what_was_not_written_is_not_read() -> None:
    with RunningSession(["--session-checkpoint-minutes=0"]) as session:
        stream = ready(session)
        evaluate(session, stream, FILL)
        first = session.call("checkpoint_session")
        assert first["unread"] == 0
        second = session.call("checkpoint_session")
        state = session.call("get_workspace_state")
        if state["untracked"]:
            pytest.skip(state["untracked"])
        assert second["unread"] == WHOLE
        assert second["bytes"] == first["bytes"]
        assert second["written"] < MB
        evaluate(session, stream, "v7[300000] <- 5")
        third = session.call("checkpoint_session")
        assert MB <= WHOLE - third["unread"] <= 5 * MB
        assert third["written"] < 6 * MB


def test_what_was_read_back_is_not_read_again() -> None:
    with RunningSession(["--session-checkpoint-minutes=0"]) as session:
        stream = ready(session)
        evaluate(session, stream, FILL)
        stream = resume(session, stream)
        stream.wait_for(lambda event: event["type"] == "workspace_progress" and event["data"]["left"] == 0)
        if session.call("get_workspace_state")["untracked"]:
            pytest.skip("writes are not tracked here")
        evaluate(session, stream, "v3[1] <- 5; gc()")
        assert suspend(session, stream)["unread"] >= WHOLE - 5 * MB


def test_without_tracking_everything_is_read() -> None:
    with RunningSession(environment={"RS_WORKSPACE_TRACKING": "off"}) as session:
        stream = ready(session)
        evaluate(session, stream, FILL)
        session.call("checkpoint_session")
        assert session.call("checkpoint_session")["unread"] == 0
        assert session.call("get_workspace_state")["untracked"] == "it is switched off"
        stream = resume(session, stream)
        assert evaluate(session, stream, "total == sum(v7)") == "[1] TRUE\n"


def test_a_writer_that_crashes_is_followed_by_one_that_reads_everything() -> None:
    with RunningSession(["--session-checkpoint-minutes=0"]) as session:
        stream = ready(session)
        evaluate(session, stream, FILL)
        session.call("checkpoint_session")
        evaluate(session, stream, "more <- runif(3e7)")
        asking = begin_checkpoint(session)
        os.kill(writer_of(session), signal.SIGSEGV)
        answer = asking.recv(65536)
        asking.close()
        assert b'"unread":0' in answer
        assert session.call("checkpoint_session")["unread"] == 0
        stream = resume(session, stream)
        assert evaluate(session, stream, "total == sum(v7)") == "[1] TRUE\n"


def test_bytes_that_one_object_hides_and_another_copies() -> None:
    with RunningSession(["--session-checkpoint-minutes=0"]) as session:
        stream = ready(session)
        evaluate(session, stream, FILL)
        session.call("checkpoint_session")
        evaluate(session, stream, "wrapped <- v7; attr(wrapped, 'note') <- 1; f <- local({y <- v8; function() y})")
        session.call("checkpoint_session")
        evaluate(session, stream, "wrapped[5] <- 0; v8[9] <- 0; kept <- list(wrapped, v7, v8, f())")
        stream = resume(session, stream)
        assert evaluate(session, stream, "identical(kept, list(wrapped, v7, v8, f()))") == "[1] TRUE\n"
        assert evaluate(session, stream, "total == sum(v7); wrapped[5]; v8[9]") == "[1] TRUE\n[1] 0\n[1] 0\n"


def test_a_large_checkpoint_is_written_in_stages() -> None:
    with RunningSession(environment={"RS_WORKSPACE_TRACKING": "stages"}) as session:
        stream = ready(session)
        evaluate(
            session, stream, f"{FILL}; small <- 1:10; env <- new.env(); env$x <- rnorm(1e6); f <- function() env$x"
        )
        if session.call("get_workspace_state")["untracked"]:
            pytest.skip("writes are not tracked here")
        first = session.call("checkpoint_session")
        assert WHOLE <= first["written"] <= WHOLE + 10 * MB
        assert first["unread"] == 0
        stream = resume(session, stream)
        evaluate(session, stream, "v9[1:10] <- 0; other <- rnorm(3e6)")
        session.call("checkpoint_session")
        evaluate(session, stream, "v9 <- v9 + 1; nine <- sum(v9)")
        session.call("checkpoint_session")
        os.kill(session.pid, signal.SIGKILL)
        stream = restored(session)
        assert evaluate(session, stream, "identical(v9[1:10], rep(1, 10)); length(other)") == "[1] TRUE\n[1] 3000000\n"
        assert (
            evaluate(session, stream, "total + nine == sum(v7) + sum(v9); identical(f(), env$x)")
            == "[1] TRUE\n[1] TRUE\n"
        )
