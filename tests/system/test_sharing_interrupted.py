"""What is killed or stopped while access changes leaves something that can be completed, and says so."""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.rserver_acls.projects import as_user
from tests.system.accounts import Account, account
from tests.system.running_server import RunningServer, descendants, running_server
from tests.system.sharing_people import Person, lists, magic_files
from tests.system.test_projects import folder_of, signed_in, until

pytestmark = [pytest.mark.root, pytest.mark.r]

FILES = 4000


@pytest.fixture(scope="module")
def root() -> Iterator[Path]:
    """Where projects can be shared besides in homes."""
    with tempfile.TemporaryDirectory(prefix="rserver-test-") as made:
        Path(made).chmod(0o755)
        yield Path(made)


@pytest.fixture(scope="module")
def own_server(root: Path) -> Iterator[RunningServer]:
    """Whose parts are killed; its list of users is hidden."""
    hidden = {"rsession.conf": "project-sharing-enumerate-server-users=0\n"}
    with running_server(files=hidden, server_project_sharing_root_dir=str(root)) as running:
        yield running


@pytest.fixture(scope="module")
def ann() -> Iterator[Account]:
    with account("rst", "--comment", "Ann Example,Room 1") as made:
        yield made


@pytest.fixture(scope="module")
def ben() -> Iterator[Account]:
    with account() as made:
        yield made


@pytest.fixture(scope="module")
def large(ann: Account) -> Path:
    folder = folder_of(ann, "large", 0o700)
    for number in range(FILES):
        (folder / f"f{number}").touch()
    subprocess.run(["chown", "-R", f"{ann.uid}:{ann.gid}", str(folder)], check=True)
    return folder


@contextlib.contextmanager
def stopped_helper(server: RunningServer, owner: Person, member: Account) -> Iterator[list[int]]:
    """A change has begun; its helper stands still until this is over. On a fast machine that may need some tries."""
    while not (pids := caught(server, owner, member)):
        owner.wait("sharing_done")
        owner.share()
    try:
        yield pids
    finally:
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)


def caught(server: RunningServer, owner: Person, member: Account) -> list[int]:
    """Processes of a helper that was stopped at work; none when it was over before."""
    owner.visitor.rpc("sharing_set_members", [member.name])
    while not stop_all(server):
        if owner.state()["progress"] is None:
            return []
    # One that was just being forked is caught by the second look: nobody forks any more.
    stopped = stop_all(server)
    return stopped if owner.state()["progress"] is not None else []


def stop_all(server: RunningServer) -> list[int]:
    found = [pid for pid in descendants(server.master_pid) if b"rserver_acls" in command_line(pid)]
    for pid in found:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGSTOP)
    return found


def command_line(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def end_helper(pids: list[int]) -> None:
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def test_a_helper_that_is_killed_and_who_stops_a_change(
    own_server: RunningServer, ann: Account, ben: Account, large: Path
) -> None:
    before = lists(ann.home, large, large / "f0", large / f"f{FILES - 1}")
    owner = Person(own_server, ann, large)
    with stopped_helper(own_server, owner, ben) as pids:
        assert owner.state()["progress"]["operation"] == 1
        answer = owner.visitor.rpc_answer("sharing_set_members", [])
        assert answer["error"]["code"] == 2
        end_helper(pids)
        failed = owner.wait("sharing_failed")
    assert (failed["cancelled"], "ended before its work was done" in failed["sentence"]) == (False, True)
    state = owner.state()
    assert (state["members"], state["unfinished"]["members"]) == ([], [ben.name])
    assert "can be done again" in state["unfinished"]["sentence"]

    with stopped_helper(own_server, owner, ben):
        owner.visitor.rpc("sharing_cancel")
    failed = owner.wait("sharing_failed")
    assert failed["cancelled"] is True
    assert owner.state()["unfinished"]["members"] == [ben.name]
    assert owner.share()["members"] == []
    assert owner.state()["unfinished"] is None
    assert lists(ann.home, large, large / "f0", large / f"f{FILES - 1}") == before
    assert magic_files(own_server, ann) == []


def test_a_server_that_is_killed_meanwhile(own_server: RunningServer, ann: Account, ben: Account, large: Path) -> None:
    owner = Person(own_server, ann, large)
    with stopped_helper(own_server, owner, ben) as pids:
        (worker,) = own_server.pids("worker_main.py")
        begin = len(own_server.lines)
        os.kill(worker, signal.SIGKILL)
        failed = owner.wait_later("sharing_failed")
        assert "The server" in failed["sentence"]
        end_helper(pids)
    until(lambda: any("ready on" in line for line in own_server.lines[begin:]), 30)
    until(lambda: bool(owner.state()["unfinished"]) and "was stopped" in owner.state()["unfinished"]["sentence"])
    (magic,) = magic_files(own_server, ann)
    assert json.loads(magic.read_text())["unfinished"]["members"] == [ben.name]
    assert signed_in(own_server, ben).get("/api/shared-projects").json() == {"projects": []}
    assert owner.share(ben)["members"] == [ben.name]
    assert owner.state()["unfinished"] is None
    assert owner.share()["members"] == []


def test_a_session_that_is_killed_meanwhile(own_server: RunningServer, ann: Account, ben: Account, large: Path) -> None:
    """What its user wanted is carried out to its end."""
    owner = Person(own_server, ann, large)
    with stopped_helper(own_server, owner, ben):
        os.kill(owner.init["session"]["pid"], signal.SIGKILL)
    (magic,) = magic_files(own_server, ann)
    until(lambda: json.loads(magic.read_text())["shared_with"] == [ben.name])
    assert "unfinished" not in json.loads(magic.read_text())
    again = Person(own_server, ann, large)
    assert again.members() == [ben.name]
    assert again.share()["members"] == []


@pytest.mark.slow
def test_a_session_that_does_not_answer_loses_its_rights_all_the_same(
    own_server: RunningServer, ann: Account, ben: Account
) -> None:
    folder = folder_of(ann, "deaf", 0o700)
    owner = Person(own_server, ann, folder)
    owner.share(ben)
    member = Person(own_server, ben, folder)
    pid = member.init["session"]["pid"]
    os.kill(pid, signal.SIGSTOP)
    try:
        assert owner.share()["members"] == []
        assert as_user(ben, "ls", str(folder)).returncode != 0
    finally:
        os.kill(pid, signal.SIGCONT)
    assert member.wait("sharing_revoked")["project"] == "deaf"
    assert member.visitor.rpc("get_project")["open"] is None


def test_a_project_outside_of_homes(own_server: RunningServer, ann: Account, ben: Account, root: Path) -> None:
    folder = root / "common"
    folder.mkdir(mode=0o700)
    (folder / "common.Rproj").write_text("Version: 1.0\n")
    for path in (folder, folder / "common.Rproj"):
        os.chown(path, ann.uid, ann.gid)
    owner = Person(own_server, ann, folder)
    assert owner.state()["reason"] == ""
    assert owner.share(ben)["members"] == [ben.name]
    assert Person(own_server, ben, folder).state()["owner"]["name"] == ann.name
    assert owner.share()["members"] == []
    elsewhere = Path(tempfile.mkdtemp(prefix="rserver-test-", dir="/var/tmp"))
    try:
        (elsewhere / "x.Rproj").write_text("Version: 1.0\n")
        os.chown(elsewhere, ann.uid, ann.gid)
        state = Person(own_server, ann, elsewhere).state()
        assert (state["supported"], f"below {root}" in state["reason"]) == (False, True)
    finally:
        shutil.rmtree(elsewhere)


def test_a_hidden_list_of_users(own_server: RunningServer, ann: Account, ben: Account, large: Path) -> None:
    person = Person(own_server, ben, "")
    assert person.state()["lists_people"] is False
    for query in ("", "Ann", ann.name[:-1], "root", "daemon", "no-such-account"):
        found = person.visitor.rpc("sharing_find_people", query)
        assert found["people"] == []
        assert "hidden" in found["reason"]
    found = person.visitor.rpc("sharing_find_people", ann.name)
    assert found["people"] == [{"name": ann.name, "full_name": ""}]


def test_where_nothing_is_shared(ann: Account, ben: Account) -> None:
    with running_server(server_project_sharing="0") as server:
        folder = folder_of(ann, "unshared")
        owner = Person(server, ann, folder)
        state = owner.state()
        assert not state["supported"]
        assert state["reason"].startswith("Sharing of projects is switched off on this server")
        answer = owner.visitor.rpc_answer("sharing_set_members", [ben.name])
        assert answer["error"] == {"code": 10, "message": state["reason"]}
        assert owner.visitor.get("/api/shared-projects").json() == {"projects": []}
        assert not (server.run_dir / "rpc.sock").exists()
