"""A session without a control group whose memory an rlimit holds."""

import pytest

from tests.rsession.running import RunningSession

pytestmark = pytest.mark.r

LIMIT = 400 << 20


class Limited(RunningSession):
    """Each of its processes may have so much memory."""

    def command(self) -> list[str]:
        return ["prlimit", f"--data={LIMIT}", *super().command()]


def test_r_refuses_what_is_too_large_and_the_user_was_warned() -> None:
    with Limited() as session:
        assert session.init()["memory"]["limit"] == LIMIT
        before = session.call("get_memory_use")
        assert before["limit"] == LIMIT
        assert 0 < before["used"] < LIMIT
        stream = session.events()
        stream.wait_for_prompt()
        session.type("x <- rep(1, 280 * 131072)")
        warning = stream.wait_for_type("memory_warning")["data"]
        assert "beyond that it cannot make larger objects" in warning["text"]
        session.type("y <- rep(1, 100 * 131072)")
        stream.wait_for(lambda event: "cannot allocate vector of size 100" in event["data"].get("text", ""))
        stream.wait_for_prompt()
        session.type("rm(x); invisible(gc())")
        assert stream.wait_for_type("memory_warning")["data"]["text"] is None
