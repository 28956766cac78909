"""R changes the environment while other threads of the process meet errors of the system."""

import pytest

from tests.rsession.running import RunningSession, evaluate, ready

pytestmark = pytest.mark.r

TRIES = 1500
GROW = "i <- 0; repeat { i <- i + 1; do.call(Sys.setenv, setNames(list('x'), paste0('RACE_', i %% 4000))) }"


def test_errors_of_the_system_do_not_read_what_r_is_changing() -> None:
    with RunningSession() as session:
        stream = ready(session)
        session.type(GROW)
        stream.wait_for(lambda event: event["type"] == "busy" and event["data"]["value"])
        answers = [session.rpc("list_files", "/nonexistent/folder") for _ in range(TRIES)]
        assert all("No such file" in answer["error"]["message"] for answer in answers)
        session.call("interrupt")
        stream.wait_for_prompt()
        assert evaluate(session, stream, "i > 1000") == "[1] TRUE\n"
        stream.close()
