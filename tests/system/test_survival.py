"""Whatever part of the server is killed, R goes on and nobody loses a line."""

import http.client
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
PARTS = {"worker": "worker_main.py", "launcher": "rserver_launcher"}


def _pid(server: RunningServer, part: str) -> int:
    """The process that plays this part now, 0 when there is none."""
    if part == "master":
        return server.master_pid
    return next(iter(server.pids(PARTS[part])), 0)


def kill_and_wait(server: RunningServer, visitor: Visitor, part: str) -> float:
    """Seconds from the kill until the part has a successor and our session answers through the server."""
    killed, pid = time.monotonic(), _pid(server, part)
    assert pid
    os.kill(pid, signal.SIGKILL)
    while time.monotonic() - killed < 30:
        if _pid(server, part) not in {0, pid} and _answers(visitor):
            return time.monotonic() - killed
    raise AssertionError(f"the {part} did not come back")


def _answers(visitor: Visitor) -> bool:
    try:
        return isinstance(visitor.rpc_answer("list_documents", timeout=5)["result"], list)
    except (OSError, ValueError, KeyError, http.client.HTTPException):
        return False


def _collect(visitor: Visitor, ended: Callable[[list[Event]], bool]) -> list[Event]:
    found: list[Event] = []
    deadline = time.monotonic() + 90
    while not ended(found):
        assert time.monotonic() < deadline, found[-3:]
        try:
            found += visitor.rpc("get_events", visitor.seen)
        except (OSError, ValueError, http.client.HTTPException):
            continue
        visitor.seen = found[-1]["id"] if found else visitor.seen
    return found


@pytest.mark.parametrize("order", list(itertools.permutations(["worker", "master", "launcher"])), ids="-".join)
def test_killing_the_server_under_a_running_loop(alice: Account, order: tuple[str, ...]) -> None:
    with running_server() as server:
        visitor = Visitor(server.port)
        visitor.sign_in(alice.name, alice.password)
        before = visitor.open_session()["session"]["pid"]
        visitor.seen = 0
        visitor.wait_for_prompt()
        visitor.rpc("console_input", f'for (i in 1:{LINES}) {{ cat("line", i, "\\n"); Sys.sleep(0.02) }}', "")
        for part in order:
            assert kill_and_wait(server, visitor, part) < BACK_SECONDS, part
        events = _collect(visitor, lambda found: any(event["type"] == "console_prompt" for event in found))
        ids = [event["id"] for event in events]
        text = "".join(event["data"].get("text", "") for event in events if event["type"] == "console_write_output")
        assert ids == list(range(ids[0], ids[0] + len(ids)))
        assert text.split("\n")[:-1] == [f"line {i} " for i in range(1, LINES + 1)]
        assert visitor.init()["session"]["pid"] == before


def test_a_suspension_that_nobody_heard_of_is_told_as_that(alice: Account) -> None:
    """Master and launcher stand still while the session ends, and are killed."""
    with running_server() as server:
        visitor = Visitor(server.port)
        visitor.sign_in(alice.name, alice.password)
        pid = visitor.open_session()["session"]["pid"]
        visitor.run("kept <- 6 * 7")
        deaf = [_pid(server, part) for part in ("master", "launcher")]
        for part in deaf:
            os.kill(part, signal.SIGSTOP)
        os.kill(pid, signal.SIGUSR1)
        notes = server.run_dir / "sessions"
        end = time.monotonic() + 60
        while not list(notes.glob("*.exit")):
            assert time.monotonic() < end
        for part in deaf:
            os.kill(part, signal.SIGKILL)
        address = f"/api/sessions/{visitor.session_path.split('/')[2]}"
        while not (cause := _cause(visitor, address)).startswith("The session was suspended."):
            assert time.monotonic() < end, cause
        assert "restarted" not in cause
        visitor.init()
        assert "42" in visitor.run("kept")


def _cause(visitor: Visitor, address: str) -> str:
    try:
        return str(visitor.get(address).json()["cause"])
    except (OSError, ValueError, KeyError, http.client.HTTPException) as error:
        return repr(error)


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
