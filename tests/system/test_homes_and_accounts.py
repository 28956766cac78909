"""Homes that are missing, closed, read-only or hung, and accounts that are deleted or get another number."""

import contextlib
import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.rserver.worker_process import wait_until
from tests.system.accounts import Account, account, processes_of
from tests.system.running_server import RunningServer, running_server
from tests.system.test_many_sessions import listed, signed_in
from tests.system.visitor import Answer, Visitor

pytestmark = [pytest.mark.root, pytest.mark.r]


def spare_of(who: Account) -> Path:
    return Path(f"/var/tmp/rserver-{who.name}-{who.uid}")


@pytest.fixture
def alice() -> Iterator[Account]:
    with account("rhm") as made:
        try:
            yield made
        finally:
            shutil.rmtree(spare_of(made), ignore_errors=True)


@contextlib.contextmanager
def closed_home(who: Account, mode: int) -> Iterator[None]:
    """The home belongs to root for a while."""
    os.chown(who.home, 0, 0)
    who.home.chmod(mode)
    try:
        yield
    finally:
        os.chown(who.home, who.uid, who.gid)
        who.home.chmod(0o755)


def opened(server: RunningServer, who: Account) -> tuple[Visitor, list[str]]:
    """Somebody at the prompt, and what was said at the start."""
    visitor = signed_in(server, who)
    said = [message["text"] for message in visitor.open_session()["messages"]]
    visitor.seen = 0
    visitor.wait_for_prompt()
    return visitor, said


def suspend(visitor: Visitor) -> None:
    assert visitor.rpc("suspend_session")["suspended"]
    wait_until(lambda: state_of(visitor)["state"] == "suspended")


def state_of(visitor: Visitor) -> dict[str, Any]:
    return listed(visitor)[visitor.session_path]


@pytest.mark.parametrize("mode", [0o555, 0o700], ids=["read-only", "closed"])
def test_without_a_usable_home_everything_is_kept_elsewhere_and_comes_home_later(
    server: RunningServer, alice: Account, mode: int
) -> None:
    with closed_home(alice, mode):
        visitor, said = opened(server, alice)
        assert len(said) == 1
        assert str(alice.home) in said[0]
        assert str(spare_of(alice)) in said[0]
        visitor.run("kept <- 1:3")
        document = visitor.rpc("new_document", "r", "# not saved")
        suspend(visitor)
        visitor.init()
        visitor.seen = 0
        visitor.wait_for_prompt()
        assert "[1] 1 2 3" in visitor.run("kept")
        suspend(visitor)
    assert spare_of(alice).stat().st_mode & 0o777 == 0o700
    answer = visitor.init()
    assert [str(spare_of(alice)) in message["text"] for message in answer["messages"]] == [True]
    assert [found["contents"] for found in answer["documents"] if found["id"] == document["id"]] == ["# not saved"]
    visitor.seen = 0
    visitor.wait_for_prompt()
    assert "[1] 1 2 3" in visitor.run("kept")
    assert [path for path in spare_of(alice).rglob("*") if not path.is_dir()] == []


def test_spare_folder_that_somebody_else_made_is_not_used(server: RunningServer, alice: Account) -> None:
    spare_of(alice).mkdir(mode=0o777)
    with closed_home(alice, 0o555):
        visitor, said = opened(server, alice)
        assert any("Nothing can be kept" in text for text in said if str(alice.home) in text), said
        assert "[1] 42" in visitor.run("6 * 7")
        answer = visitor.rpc_answer("suspend_session")
    assert "cannot be kept" in answer["error"]["message"]
    assert list(spare_of(alice).iterdir()) == []


def test_home_that_is_not_there_without_pam_to_make_it(alice: Account) -> None:
    shutil.rmtree(alice.home)
    with running_server(auth_pam_sessions_enabled="0") as server:
        visitor, said = opened(server, alice)
        assert [str(spare_of(alice)) in text for text in said] == [True]
        assert '[1] "/"' in visitor.run("getwd()")
        assert not alice.home.exists()


@contextlib.contextmanager
def home_on_a_server(who: Account) -> Iterator[int]:
    """The home is a file system of its own; the process that serves it."""
    real = who.home.with_name(who.home.name + ".real")
    who.home.rename(real)
    who.home.mkdir()
    served = subprocess.Popen(["bindfs", "-f", "-o", "allow_other", str(real), str(who.home)])
    try:
        wait_until(lambda: os.path.ismount(who.home))
        yield served.pid
    finally:
        served.send_signal(signal.SIGCONT)
        subprocess.run(["umount", "--lazy", str(who.home)], check=True)
        served.kill()
        served.wait(20)
        shutil.rmtree(who.home)
        real.rename(who.home)


@pytest.mark.skipif(shutil.which("bindfs") is None, reason="needs bindfs (Debian: bindfs)")
def test_file_server_that_hangs_holds_up_its_own_user_and_nobody_else(alice: Account, bob: Account) -> None:
    with running_server(rsession_proxy_max_wait_secs="4") as server, home_on_a_server(alice) as file_server:
        os.kill(file_server, signal.SIGSTOP)
        waiting = signed_in(server, alice)
        waiting.session_path = waiting.get("/").location
        waiting.get(waiting.session_path)
        begun = time.monotonic()
        other, _ = opened(server, bob)
        assert "[1] 42" in other.run("6 * 7")
        assert time.monotonic() - begun < 4
        wait_until(lambda: state_of(waiting)["state"] == "failed")
        assert "file server" in state_of(waiting)["cause"]
        os.kill(file_server, signal.SIGCONT)
        wait_until(lambda: state_of(waiting)["state"] == "running")
        waiting.init()
        waiting.seen = 0
        waiting.wait_for_prompt()


@pytest.mark.slow
def test_account_that_was_deleted(server: RunningServer) -> None:
    with contextlib.ExitStack() as stack:
        gone = stack.enter_context(account("rhm"))
        visitor, _ = opened(server, gone)
        suspend(visitor)
        stack.callback(subprocess.run, ["useradd", "--uid", str(gone.uid), gone.name], check=True)
        subprocess.run(["userdel", "--force", gone.name], check=True)
        wait_until(lambda: visitor.post_json(f"/api{api_path(visitor)}/resume", {}).status == 401, 120)
        assert f"The account {gone.name} does not exist" in refusal(visitor.get("/api/sessions"))


def refusal(answer: Answer) -> str:
    return str(answer.json()["error"]["message"])


def rpc_error(visitor: Visitor) -> str:
    return str(visitor.rpc_answer("get_environment_state").get("error", {}).get("message", ""))


def audit_log(server: RunningServer) -> str:
    return (server.lib_dir / "audit" / "sign-in.log").read_text()


@pytest.mark.slow
def test_session_of_a_deleted_account_is_refused(server: RunningServer) -> None:
    with contextlib.ExitStack() as stack:
        gone = stack.enter_context(account("rhm"))
        visitor, _ = opened(server, gone)
        stack.callback(subprocess.run, ["useradd", "--uid", str(gone.uid), gone.name], check=True)
        subprocess.run(["userdel", "--force", gone.name], check=True)
        wait_until(lambda: f"The account {gone.name} does not exist" in rpc_error(visitor), 120)
        page = visitor.get(visitor.session_path, {"Accept": "text/html"})
        assert (page.status, b"does not exist" in page.body) == (403, True)


def test_session_whose_number_somebody_else_got_is_ended(server: RunningServer) -> None:
    with account("rhm") as old, account("rhm", "--non-unique") as heir:
        visitor, _ = opened(server, old)
        assert processes_of(old.uid)
        for name, number, given in ((old.name, old.uid, old.uid + 30_000), (heir.name, heir.uid, old.uid)):
            subprocess.run(["sed", "-i", f"s/^{name}:x:{number}:/{name}:x:{given}:/", "/etc/passwd"], check=True)
        server.wait_for_line(re.compile(rf"session \w+ of {old.name}: running -> ended"))
        wait_until(lambda: "another number" in rpc_error(visitor))
        assert processes_of(old.uid) == []
        assert '"event": "account_gone"' in audit_log(server)
        later = signed_in(server, heir)
        assert listed(later) == {}


def test_new_account_of_an_old_name_or_number_gets_nothing_of_the_old_one(server: RunningServer) -> None:
    with account("rhm") as old:
        visitor, _ = opened(server, old)
        visitor.run("mine <- 'of the old one'")
        suspend(visitor)
        subprocess.run(["usermod", "--uid", str(old.uid + 30_000), old.name], check=True)
        wait_until(lambda: visitor.get("/api/sessions").status == 401)
        renumbered = signed_in(server, old)
        assert listed(renumbered) == {}
        assert renumbered.get(visitor.session_path).status == 404
        with account("rhm", "--non-unique") as other:
            subprocess.run(["usermod", "--uid", str(old.uid), other.name], check=True)
            heir = signed_in(server, other)
            assert listed(heir) == {}
            assert heir.get(visitor.session_path).status == 404


def api_path(visitor: Visitor) -> str:
    return visitor.session_path.replace("/s/", "/sessions/").rstrip("/")
