"""Quitting and cleaning up, through the whole server."""

import os
import re
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.system.accounts import Account
from tests.system.running_server import RunningServer
from tests.system.visitor import Visitor

pytestmark = [pytest.mark.root, pytest.mark.r]


def ready(server: RunningServer, account: Account) -> Visitor:
    visitor = Visitor(server.port)
    visitor.sign_in(account.name, account.password)
    visitor.open_session()
    visitor.seen = 0
    visitor.wait_for_prompt()
    return visitor


def session_id(visitor: Visitor) -> str:
    return visitor.session_path.split("/")[2]


def record(visitor: Visitor) -> dict[str, Any]:
    return dict(visitor.get(f"/api/sessions/{session_id(visitor)}").json())


def wait_until(holds: Callable[[], bool], seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "it did not come to that"
        time.sleep(0.1)


def test_a_quit_with_a_status_is_no_failure(server: RunningServer, alice: Account) -> None:
    visitor = ready(server, alice)
    visitor.rpc("console_input", "q('no', status = 3)", "x")
    wait_until(lambda: record(visitor)["state"] == "absent")
    assert (record(visitor)["cause"], record(visitor)["code"]) == ("R was quit with status 3.", 3)


def test_the_list_of_sessions_asks_whether_to_save(server: RunningServer, alice: Account) -> None:
    visitor = ready(server, alice)
    visitor.run("kept <- 42")
    page = visitor.post_form("/home", session=session_id(visitor), do="quit")
    assert str(alice.home / ".RData") in page.body.decode()
    assert record(visitor)["state"] == "running"
    assert visitor.post_form("/home", session=session_id(visitor), do="quit", save="yes").status == 303
    wait_until(lambda: record(visitor)["state"] == "absent")
    assert record(visitor)["cause"] == "The session was ended by its user."
    assert (alice.home / ".RData").exists()
    again = ready(server, alice)
    assert "42" in again.run("kept")


def test_what_was_quit_while_suspended_is_removed_by_the_next_session(server: RunningServer, alice: Account) -> None:
    visitor = ready(server, alice)
    visitor.run("x <- 42")
    gone = session_id(visitor)
    folder = alice.home / ".local/share/rstudio/sessions/active" / f"session-{gone[-8:]}"
    assert visitor.post_form("/home", session=gone, do="suspend").status == 303
    wait_until(lambda: record(visitor)["state"] == "suspended")
    assert visitor.post_form("/home", session=gone, do="quit").status == 303
    assert (folder / "suspended-session-data" / "manifest").exists()
    made = visitor.post_form("/home", do="new")
    visitor.get(made.location)
    wait_until(lambda: not folder.exists())


def test_a_program_that_leaves_no_trace_of_r_is_known_by_its_group(server: RunningServer, alice: Account) -> None:
    visitor = ready(server, alice)
    group = Path(f"/proc/{record(visitor)['pid']}/cgroup").read_text()
    if "rserver-" not in group:
        pytest.skip("this server may make no control groups")
    visitor.run("system('setsid -f env -i sleep 4711 >/dev/null 2>&1')")
    look = "suppressWarnings(system('pgrep -u $(id -u) -x sleep', intern = TRUE))"
    started = visitor.run(f"while (!length(p <- {look})) NULL; cat(p)")
    answer = visitor.rpc("suspend_session")
    assert answer["blockers"] == [
        {"kind": "children", "reason": f"Processes started by R still run: sleep ({started})."}
    ]
    visitor.run("invisible(tools::pskill(p, 9)); while (tools::pskill(p, 0)) NULL")
    assert visitor.rpc("suspend_session")["suspended"]


@pytest.mark.parametrize(
    ("status", "cause"),
    [
        (0, "R ended before it was ready. A profile may have called quit()."),
        (3, "The session ended with exit code 3 before it was ready."),
    ],
)
def test_a_profile_that_quits_under_an_open_page(
    server: RunningServer, alice: Account, status: int, cause: str
) -> None:
    profile = alice.home / ".Rprofile"
    profile.write_text(f"while (!file.exists('~/answered')) Sys.sleep(0.01); q('no', {status})\n")
    visitor = Visitor(server.port)
    visitor.sign_in(alice.name, alice.password)
    visitor.open_session()
    (alice.home / "answered").touch()
    wait_until(lambda: record(visitor)["state"] == "failed")
    assert record(visitor)["cause"].startswith(cause)
    assert "first prompt" not in record(visitor)["cause"] + record(visitor)["stderr_tail"]


def killed(visitor: Visitor) -> str:
    """What its user is told when its process is killed."""
    os.kill(int(record(visitor)["pid"]), signal.SIGKILL)
    wait_until(lambda: record(visitor)["state"] == "failed")
    return str(record(visitor)["cause"])


def resumed(visitor: Visitor) -> dict[str, Any]:
    """Start it again; the answer of client_init at its first prompt."""
    visitor.post_json(f"/api/sessions/{session_id(visitor)}/resume", {})
    visitor.init()
    visitor.seen = 0
    visitor.wait_for_prompt()
    return visitor.init()


def test_a_crash_says_what_became_of_the_objects(server: RunningServer, alice: Account) -> None:
    visitor = ready(server, alice)
    visitor.run("x <- 42")
    nothing = "Nothing had been saved of its objects yet: they are lost."
    assert nothing in killed(visitor)
    start = resumed(visitor)
    visitor.seen = 0
    visitor.wait_for(lambda event: event["type"] == "show_message" and nothing in event["data"]["text"])
    assert start["workspace"]["saved_at"] is None
    visitor.run("x <- 43")
    assert visitor.rpc("suspend_session")["suspended"]
    wait_until(lambda: record(visitor)["state"] == "suspended")
    start = resumed(visitor)
    assert abs(start["workspace"]["saved_at"] - time.time()) < 60
    assert re.search(
        r"Its objects are kept as they were at \d{4}-\d\d-\d\d \d\d:\d\d UTC, later changes are lost\.", killed(visitor)
    )
    resumed(visitor)
    assert "43" in visitor.run("x")
