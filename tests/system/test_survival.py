"""Whatever part of the server is killed, R goes on and nobody loses a line."""

import itertools
import os
import signal
import time
from collections.abc import Callable

import pytest

from tests.system.accounts import Account
from tests.system.running_server import RunningServer, running_server
from tests.system.visitor import Event, Visitor

pytestmark = [pytest.mark.root, pytest.mark.r]

BACK_SECONDS = 2.0
LINES = 400
PARTS: dict[str, Callable[[RunningServer], int]] = {
    "worker": lambda server: server.pids("worker_main.py")[0],
    "master": lambda server: server.master_pid,
    "launcher": lambda server: server.pids("rserver_launcher")[0],
}


def _back_after(visitor: Visitor, killed: float) -> float:
    """Seconds from the kill until our session answers again."""
    while time.monotonic() - killed < 30:
        try:
            if visitor.rpc_answer("get_document", "none", timeout=5)["error"]["code"] in {10, 1001}:
                return time.monotonic() - killed
        except (OSError, ValueError, KeyError):
            continue
    raise AssertionError("the server did not come back")


def _collect(visitor: Visitor, ended: Callable[[list[Event]], bool]) -> list[Event]:
    found: list[Event] = []
    deadline = time.monotonic() + 90
    while not ended(found):
        assert time.monotonic() < deadline, found[-3:]
        try:
            found += itertools.takewhile(lambda _: True, visitor.rpc("get_events", visitor.seen))
        except (OSError, ValueError, AssertionError):
            continue
        visitor.seen = found[-1]["id"] if found else visitor.seen
    return found


@pytest.mark.parametrize("order", list(itertools.permutations(PARTS)), ids="-".join)
def test_killing_the_server_under_a_running_loop(alice: Account, order: tuple[str, ...]) -> None:
    with running_server() as server:
        visitor = Visitor(server.port)
        visitor.sign_in(alice.name, alice.password)
        before = visitor.open_session()["session"]["pid"]
        visitor.seen = 0
        visitor.wait_for_prompt()
        visitor.rpc("console_input", f'for (i in 1:{LINES}) {{ cat("line", i, "\\n"); Sys.sleep(0.02) }}', "")
        for part in order:
            os.kill(PARTS[part](server), signal.SIGKILL)
            assert _back_after(visitor, time.monotonic()) < BACK_SECONDS, part
        events = _collect(visitor, lambda found: any(event["type"] == "console_prompt" for event in found))
        ids = [event["id"] for event in events]
        text = "".join(event["data"].get("text", "") for event in events if event["type"] == "console_write_output")
        assert ids == list(range(ids[0], ids[0] + len(ids)))
        assert text.split("\n")[:-1] == [f"line {i} " for i in range(1, LINES + 1)]
        assert visitor.init()["session"]["pid"] == before


def test_a_killed_session_is_reported_within_a_second_and_its_text_is_kept(
    server: RunningServer, alice: Account
) -> None:
    visitor = Visitor(server.port)
    visitor.sign_in(alice.name, alice.password)
    pid = visitor.open_session()["session"]["pid"]
    document = visitor.rpc("new_document", "r", "unsaved <- TRUE\n")
    session = visitor.session_path.split("/")[2]
    os.kill(pid, signal.SIGKILL)
    killed = time.monotonic()
    while (state := visitor.get(f"/api/sessions/{session}").json())["state"] == "running":
        assert time.monotonic() - killed < 1.0
    assert state["state"] == "failed"
    assert state["signal"] == signal.SIGKILL
    assert visitor.rpc_answer("client_init")["error"]["code"] == 21
    page = visitor.get(visitor.session_path)
    assert b"SIGKILL" in page.body or b"signal 9" in page.body
    assert visitor.post_json(f"/api/sessions/{session}/resume", {}).status == 202
    again = visitor.init()
    assert again["session"]["pid"] != pid
    assert visitor.rpc("get_document", document["id"])["contents"] == "unsaved <- TRUE\n"
