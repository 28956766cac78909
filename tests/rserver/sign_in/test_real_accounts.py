"""Refusals of every kind with real accounts, real PAM and the whole server."""

import concurrent.futures
import json
import secrets
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from tests.rserver.worker_process import wait_until
from tests.system.accounts import Account, account
from tests.system.running_server import RunningServer, running_server
from tests.system.visitor import Visitor

pytestmark = [pytest.mark.root]

PREFIX = "rsd"


@contextmanager
def group() -> Iterator[str]:
    """A throw-away group."""
    name = PREFIX + secrets.token_hex(3)
    subprocess.run(["groupadd", name], check=True)
    try:
        yield name
    finally:
        subprocess.run(["groupdel", name], check=True)


class Town:
    """Accounts of every kind, and a server that lets only some in."""

    def __init__(self, stack: ExitStack) -> None:
        self.group = stack.enter_context(group())
        self.good = self._account(stack)
        self.locked = self._account(stack)
        self.expired = self._account(stack)
        self.low = self._account(stack, "--uid", str(_free_low_uid()))
        self.outside = stack.enter_context(account(PREFIX))
        subprocess.run(["usermod", "--lock", self.locked.name], check=True)
        subprocess.run(["chage", "--expiredate", "1", self.expired.name], check=True)
        self.server: RunningServer = stack.enter_context(running_server(auth_required_user_group=self.group))

    def _account(self, stack: ExitStack, *options: str) -> Account:
        return stack.enter_context(account(PREFIX, "--groups", self.group, *options))

    @property
    def refused(self) -> dict[str, tuple[str, str]]:
        """Name and password of everybody who may not come in."""
        return {
            "wrong password": (self.good.name, "wrong"),
            "unknown": (PREFIX + "nobody", "wrong"),
            "locked": (self.locked.name, self.locked.password),
            "expired": (self.expired.name, self.expired.password),
            "uid too low": (self.low.name, self.low.password),
            "not in group": (self.outside.name, self.outside.password),
        }


def _free_low_uid() -> int:
    taken = {int(line.split(":")[2]) for line in Path("/etc/passwd").read_text().splitlines()}
    return next(uid for uid in range(850, 999) if uid not in taken)


@pytest.fixture(scope="module")
def town() -> Iterator[Town]:
    with ExitStack() as stack:
        yield Town(stack)


def timed(action: Callable[[], object]) -> float:
    begun = time.monotonic()
    action()
    return time.monotonic() - begun


def test_refusals_are_alike_to_the_visitor_and_apart_in_the_log(town: Town) -> None:
    seconds: dict[str, float] = {}
    answers: dict[str, tuple[int, str, bytes]] = {}

    def attempt(kind: str) -> None:
        visitor = Visitor(town.server.port)
        name, password = town.refused[kind]
        begun = time.monotonic()
        answer = visitor.sign_in(name, password)
        seconds[kind] = time.monotonic() - begun
        answers[kind] = (answer.status, answer.location, answer.body)

    with concurrent.futures.ThreadPoolExecutor(6) as pool:
        list(pool.map(attempt, town.refused))
    assert set(answers.values()) == {(302, "/auth-sign-in?error=1&appUri=/", b"")}
    assert max(seconds.values()) - min(seconds.values()) < 0.25, seconds
    audit = [json.loads(line) for line in (town.server.lib_dir / "audit" / "sign-in.log").read_text().splitlines()]
    by_user = {line["user"]: line for line in audit if line["event"] == "sign_in_refused"}
    assert set(by_user) == {name for name, _ in town.refused.values()}
    assert {line["address"] for line in audit} == {"127.0.0.1"}
    assert by_user[town.low.name]["reason"].startswith("uid below")
    assert by_user[town.outside.name]["reason"].startswith("in none of")
    assert by_user[town.good.name]["reason"].startswith("refused by PAM")
    for kind, told in (("unknown", "there is no such account"), ("locked", "is locked"), ("expired", "has expired")):
        assert told in by_user[town.refused[kind][0]]["reason"]
        assert told not in by_user[town.good.name]["reason"]
    everything = town.server.log + json.dumps(audit)
    for _, password in town.refused.values():
        assert password == "wrong" or password not in everything


def test_who_may_come_in_comes_in_at_once(town: Town) -> None:
    visitor = Visitor(town.server.port)
    assert timed(lambda: visitor.sign_in(town.good.name, town.good.password)) < 0.9
    assert visitor.get("/").location.startswith("/s/")


@pytest.mark.r
def test_a_profile_that_quits_is_explained_and_can_be_left_out(town: Town) -> None:
    profile = town.good.home / ".Rprofile"
    profile.write_text('message("told by the profile"); quit(status = 3)\n')
    try:
        visitor = Visitor(town.server.port)
        visitor.sign_in(town.good.name, town.good.password)
        path = visitor.session_path = visitor.get("/").location
        visitor.get(path)
        visitor.rpc_answer("client_init")
        # The page shows what the profile writes, and so may be answered before its end.
        wait_until(lambda: visitor.get(path).status == 503)
        page = visitor.get(path)
        assert b"exit code 3" in page.body
        assert b"told by the profile" in page.body
        assert visitor.rpc_answer("client_init")["error"]["session"]["state"] == "failed"
        assert visitor.post_form(f"{path}restart", how="no-profile").status == 303
        assert visitor.init()["session"]["user"] == town.good.name
    finally:
        profile.unlink()


def test_no_r_at_all_is_explained(town: Town) -> None:
    with running_server(rsession_which_r="/usr/bin/true") as server:
        visitor = Visitor(server.port)
        visitor.sign_in(town.good.name, town.good.password)
        path = visitor.session_path = visitor.get("/").location
        visitor.get(path)
        assert visitor.rpc_answer("client_init")["error"]["code"] == 21
        assert b"No R was found: /usr/bin/true is no start script of R" in visitor.get(path).body


@pytest.mark.r
def test_after_q_the_session_is_absent_until_its_user_comes_back(town: Town) -> None:
    visitor = Visitor(town.server.port)
    visitor.sign_in(town.good.name, town.good.password)
    first = visitor.open_session()["session"]["pid"]
    visitor.rpc("console_input", "q('no')", "x")
    session = visitor.session_path.split("/")[2]
    wait_until(lambda: visitor.get(f"/api/sessions/{session}").json()["state"] == "absent", 10)
    assert visitor.get(f"/api/sessions/{session}").json()["code"] == 0
    assert visitor.rpc_answer("client_init")["error"]["code"] == 21
    assert b"R was quit" in visitor.get(visitor.session_path).body
    assert visitor.open_session()["session"]["pid"] != first
