"""Time-outs as a user and an administrator see them, in sessions whose clock runs fast."""

import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.rserver_admin.command import answer_of, ask
from tests.system.accounts import Account, processes_of
from tests.system.running_server import RunningServer, running_server
from tests.system.visitor import Visitor

FAKETIME = Path("/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1")
PATIENCE = 40.0
pytestmark = [
    pytest.mark.root,
    pytest.mark.r,
    pytest.mark.skipif(not FAKETIME.exists(), reason="no libfaketime"),
]


@pytest.fixture
def own_server() -> Iterator[RunningServer]:
    with running_server() as running:
        yield running


def with_options(server: RunningServer, speed: int, *lines: str) -> None:
    """For sessions that are started from now on; their time passes that much faster."""
    conf = server.directory / "conf"
    (conf / "rsession.conf").write_text("\n".join(lines) + "\n")
    fast = f'export NO_FAKE_STAT=1 FAKETIME="+0 x{speed}" LD_PRELOAD={FAKETIME}\n'
    (conf / "rsession-profile").write_text(fast)


def begin(server: RunningServer, account: Account) -> Visitor:
    visitor = Visitor(server.port)
    visitor.sign_in(account.name, account.password)
    visitor.open_session()
    visitor.seen = 0
    visitor.wait_for_prompt()
    return visitor


def shown(visitor: Visitor) -> dict[str, Any]:
    """Its session on the list."""
    return dict(visitor.get("/api/sessions").json()["sessions"][0])


def wait_until(visitor: Visitor, field: str, wanted: object) -> dict[str, Any]:
    end = time.monotonic() + PATIENCE
    while (found := shown(visitor))[field] != wanted:
        assert time.monotonic() < end, found
        time.sleep(0.1)
    return found


def test_one_that_nobody_uses_is_suspended_its_process_gone_and_comes_back(
    own_server: RunningServer, alice: Account
) -> None:
    with_options(own_server, 10, "session-timeout-minutes=1", "session-timeout-warning-seconds=30")
    visitor = begin(own_server, alice)
    visitor.run("kept <- 4711")
    warned = wait_until(visitor, "ends", "suspend")
    assert warned["notice"].startswith("It will be suspended in ")
    found = wait_until(visitor, "state", "suspended")
    assert found["cause"] == "The session was suspended. Its objects are kept. Nobody used it for 1 minute."
    end = time.monotonic() + PATIENCE
    while processes_of(alice.uid):
        assert time.monotonic() < end
        time.sleep(0.1)
    visitor.init()
    visitor.seen = 0
    visitor.wait_for_prompt()
    assert "4711" in visitor.run("kept")


@pytest.mark.slow
def test_one_that_something_stands_against_stays_and_says_what_to_all(
    own_server: RunningServer, alice: Account
) -> None:
    with_options(own_server, 10, "session-timeout-minutes=1")
    visitor = begin(own_server, alice)
    visitor.run("con <- file('notes.txt', 'w')")
    visitor.wait_for(lambda event: event["type"] == "session_timeouts" and event["data"]["phase"] == "blocked")
    reason = "Connections are open: notes.txt."
    # For R an answer within half a second is one within 50 ms here, which it misses now and then.
    wait_until(visitor, "notice", f"It cannot be suspended at the moment. {reason}")
    while not (active := answer_of(ask(own_server, "active-sessions", "--json"))["sessions"][0])["blockers"]:
        continue
    assert active["blockers"] == [{"kind": "connections", "reason": reason}]
    assert active["idle_seconds"] > 60
    visitor.rpc("console_input", "close(con)", "")
    wait_until(visitor, "state", "suspended")


def test_one_that_computes_is_killed_and_says_so(own_server: RunningServer, alice: Account) -> None:
    with_options(own_server, 1200, "session-timeout-minutes=0", "session-timeout-kill-hours=1")
    visitor = begin(own_server, alice)
    visitor.rpc("console_input", "repeat {}", "")
    found = wait_until(visitor, "state", "absent")
    said = "Nobody used it for 1 hour. Its objects are kept as of its last checkpoint."
    assert (found["cause"], found["code"]) == (f"The session was killed. {said}", 103)


@pytest.mark.slow
def test_a_profile_says_another_time(own_server: RunningServer, alice: Account) -> None:
    with_options(own_server, 10, "session-timeout-minutes=0")
    (own_server.directory / "conf" / "profiles").write_text(f"[{alice.name}]\nsession-timeout-minutes=1\n")
    assert ask(own_server, "reload").returncode == 0
    visitor = begin(own_server, alice)
    assert wait_until(visitor, "state", "suspended")["cause"].endswith("Nobody used it for 1 minute.")


def test_a_clock_that_is_set_by_hours_ends_no_session(alice: Account) -> None:
    wall = Path(tempfile.mkdtemp(prefix="rserver-test-clock-"))
    wall.chmod(0o755)
    (wall / "set").write_text("+0")
    jumping = {
        "LD_PRELOAD": str(FAKETIME),
        "FAKETIME_TIMESTAMP_FILE": str(wall / "set"),
        "FAKETIME_NO_CACHE": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        "NO_FAKE_STAT": "1",
    }
    try:
        with running_server(env=jumping) as server:
            conf = server.directory / "conf"
            (conf / "rsession.conf").write_text("session-timeout-minutes=1\nsession-timeout-kill-hours=1\n")
            profile = "".join(f"export {name}={value}\n" for name, value in jumping.items())
            (conf / "rsession-profile").write_text(profile)
            visitor = begin(server, alice)
            visitor.run("kept <- 4711")
            pid = shown(visitor)["pid"]
            for jump in ("+30h", "-30h", "+0"):
                before = float(visitor.run("cat(as.numeric(Sys.time()))").split("> ")[0])
                (wall / "set").write_text(jump)
                # The sign-in may have run out; the session goes on.
                visitor.cookies.clear()
                visitor.sign_in(alice.name, alice.password)
                assert abs(float(visitor.run("cat(as.numeric(Sys.time()))").split("> ")[0]) - before) > 20 * 3600
                assert "4711" in visitor.run("kept")
                found = shown(visitor)
                assert (found["state"], found["pid"], found["ends"]) == ("running", pid, None)
    finally:
        shutil.rmtree(wall)


def test_what_is_wrong_with_the_administrators_words_is_named(own_server: RunningServer) -> None:
    conf = own_server.directory / "conf" / "notifications.conf"
    conf.write_text("EndTime: soon\nMessage: x\n")
    done = ask(own_server, "test-config")
    assert done.returncode == 2
    assert f"{conf}:1: EndTime: expected a time like" in done.stdout + done.stderr
