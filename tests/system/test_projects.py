"""Projects through a whole real server, in folders that anybody may have made."""

import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.system.accounts import Account
from tests.system.running_server import RunningServer
from tests.system.visitor import Visitor

pytestmark = [pytest.mark.root, pytest.mark.r]


def signed_in(server: RunningServer, account: Account) -> Visitor:
    visitor = Visitor(server.port)
    visitor.sign_in(account.name, account.password)
    return visitor


def opened(visitor: Visitor, project: str, **more: Any) -> dict[str, Any]:
    """The answer of client_init of a session in that project, which waits at its prompt; or the error."""
    made = visitor.post_json("/api/sessions", {"project": project, **more})
    assert made.status == 201, made.body
    visitor.session_path, visitor.client_id = made.json()["url"], ""
    answer = visitor.rpc_answer("client_init")
    if "error" in answer:
        return dict(answer["error"])
    visitor.client_id, visitor.seen = answer["result"]["clientId"], answer["result"]["eventId"]
    if answer["result"]["console"]["prompt"] != "> ":
        visitor.wait_for_prompt()
    return dict(answer["result"])


def refused(visitor: Visitor, project: str | Path) -> tuple[int, str]:
    """Exit code and cause of a session that could not open its project."""
    session = opened(visitor, str(project))["session"]
    return session["code"], session["cause"]


def folder_of(account: Account, name: str, mode: int = 0o755) -> Path:
    """A folder in the home of the account, with a project file."""
    folder = account.home / name
    folder.mkdir()
    file = folder / f"{name}.Rproj"
    file.write_text("Version: 1.0\n")
    for path in (folder, file):
        os.chown(path, account.uid, account.gid)
    folder.chmod(mode)
    return folder


def until(wanted: Callable[[], bool], seconds: float = 20) -> None:
    end = time.monotonic() + seconds
    while not wanted():
        assert time.monotonic() < end


def test_a_project_is_made_left_and_opened_again(server: RunningServer, alice: Account) -> None:
    visitor = signed_in(server, alice)
    start = opened(visitor, "~/first/Ünï 'q\" <b>", create_project=True)
    folder = alice.home / "first" / "Ünï 'q\" <b>"
    assert start["project"]["open"]["folder"] == start["session"]["cwd"] == str(folder)
    assert folder.stat().st_uid == alice.uid
    first = visitor.session_path
    assert first.split("/")[2][5:13] == start["project"]["open"]["id"]
    visitor.rpc("new_document", "r", "in the project")
    (text,) = (alice.home / ".local/share/rstudio/sources").rglob("*-contents")
    assert text.read_text() == "in the project"
    assert not list(folder.rglob("sources"))
    assert visitor.post_json(f"/api{first.replace('/s/', '/sessions/')}suspend", {}).status == 202
    until(lambda: state_of(visitor, first) == "suspended")
    again = opened(visitor, str(folder), reuse=True)
    assert visitor.session_path == first
    assert [document["contents"] for document in again["documents"]] == ["in the project"]
    other = opened(visitor, str(folder))
    assert visitor.session_path.split("/")[2][:13] == first.split("/")[2][:13]
    assert other["documents"] == []
    (recent,) = visitor.get("/api/projects").json()["projects"]
    assert (recent["path"], len(recent["sessions"])) == (str(folder), 2)


def test_a_link_to_a_project_gets_its_id(server: RunningServer, alice: Account) -> None:
    folder, link = folder_of(alice, "thesis"), alice.home / "link"
    link.symlink_to(folder)
    visitor = signed_in(server, alice)
    opened(visitor, str(folder))
    first = visitor.session_path.split("/")[2]
    opened(visitor, str(link))

    def paths() -> list[str]:
        return [each["path"] for each in visitor.get("/api/projects").json()["projects"]]

    until(lambda: paths() == [str(folder)])
    start = opened(visitor, str(link))
    assert visitor.session_path.split("/")[2][5:13] == first[5:13]
    assert start["project"]["open"]["folder"] == str(link)


def state_of(visitor: Visitor, url: str) -> str:
    return str(visitor.get(f"/api/sessions/{url.split('/')[2]}").json()["state"])


def test_folders_of_somebody_else(server: RunningServer, alice: Account, bob: Account) -> None:
    bob.home.chmod(0o755)
    readable, private = folder_of(bob, "readable"), folder_of(bob, "private", 0o700)
    visitor = signed_in(server, alice)
    code, cause = refused(visitor, private)
    assert (code, cause) == (204, f"The project folder {private} cannot be read.")
    start = opened(visitor, str(readable))
    assert start["project"]["open"]["problems"] == []
    document = visitor.rpc("new_document", "r", "mine")
    sources = alice.home / ".local/share/rstudio/sources"
    assert [path.name for path in sources.glob(f"session-*/{document['id']}")] == [document["id"]]
    assert list(readable.iterdir()) == [readable / "readable.Rproj"]
    answer = visitor.rpc_answer("write_project_options", {"NumSpacesForTab": "4"})
    assert answer["error"]["code"] == 1003


def test_traps_laid_by_somebody_else(server: RunningServer, alice: Account, bob: Account) -> None:
    bob.home.chmod(0o755)
    alice.home.chmod(0o755)
    shared = folder_of(bob, "shared", 0o777)
    victim = alice.home / "victim"
    victim.write_text("Version: 1.0\nkeep: me\n")
    os.chown(victim, alice.uid, alice.gid)
    (shared / "shared.Rproj").unlink()
    for name, target in (("shared.Rproj", victim), (".Rproj.user", alice.home)):
        (shared / name).symlink_to(target)
        os.lchown(shared / name, bob.uid, bob.gid)
    visitor = signed_in(server, alice)
    start = opened(visitor, str(shared))
    assert start["project"]["open"]["problems"] == []
    assert not (alice.home / "shared").exists()
    assert not list(alice.home.glob("sources"))
    answer = visitor.rpc_answer("write_project_options", {"keep": "not"})
    assert (answer["error"]["code"], victim.read_text()) == (1003, "Version: 1.0\nkeep: me\n")


def test_files_that_are_no_project_files_hold_nothing_up(server: RunningServer, alice: Account) -> None:
    visitor = signed_in(server, alice)
    fifo, huge = alice.home / "fifo", folder_of(alice, "huge")
    fifo.mkdir()
    os.mkfifo(fifo / "fifo.Rproj")
    with (huge / "huge.Rproj").open("wb") as file:
        file.truncate(100 << 20)
    before = time.monotonic()
    assert refused(visitor, fifo) == (202, f"There is no project file (.Rproj) in {fifo}.")
    assert refused(visitor, "/etc/hostname")[0] == 201
    assert time.monotonic() - before < 20
    start = opened(visitor, str(huge))
    assert any("larger than" in problem for problem in start["project"]["open"]["problems"])


def test_a_folder_that_went_away(server: RunningServer, alice: Account) -> None:
    visitor = signed_in(server, alice)
    opened(visitor, "~/short", create_project=True)
    url = visitor.session_path
    visitor.post_json(f"/api/sessions/{url.split('/')[2]}/kill", {})
    until(lambda: state_of(visitor, url) == "absent")
    shutil.rmtree(alice.home / "short")
    visitor.post_json(f"/api/sessions/{url.split('/')[2]}/resume", {})
    until(lambda: state_of(visitor, url) == "failed")
    page = visitor.get(url)
    assert page.status == 503
    assert f"The project folder {alice.home}/short is gone." in page.body.decode()
    (recent,) = visitor.get("/api/projects").json()["projects"]
    assert recent["gone"] is True
    assert "Gone" in visitor.get("/home").body.decode()
    session = f"/api/sessions/{url.split('/')[2]}"
    visitor.post_form(f"{url}restart", how="without-project")
    assert visitor.init()["project"]["open"] is None
    assert visitor.post_json(f"{session}/suspend", {"force": True}).status == 202
    until(lambda: state_of(visitor, url) == "suspended")
    assert visitor.init()["project"]["open"] is None
    assert visitor.get(session).json()["project"] == ""


def test_addresses_with_another_project(server: RunningServer, alice: Account, bob: Account) -> None:
    visitor = signed_in(server, alice)
    opened(visitor, "~/mine", create_project=True)
    session = visitor.session_path.split("/")[2]
    wrong = f"/s/{session[:5]}{'0' * 8}{session[13:]}/"
    page = visitor.get(wrong)
    assert page.status == 404
    assert "Wrong project" in page.body.decode()
    assert visitor.post_json(f"{wrong}rpc/client_init", {"method": "client_init"}).json()["error"]["code"] == 14
    strange = signed_in(server, bob).get(wrong)
    assert (strange.status, "mine" in strange.body.decode()) == (404, False)


def test_switching_leaves_nothing_running(server: RunningServer, alice: Account) -> None:
    visitor = signed_in(server, alice)
    opened(visitor, "~/one", create_project=True)
    visitor.run("x <- 41")
    one = visitor.session_path
    leave = {"session": one.split("/")[2]}
    opened(visitor, "~/two", create_project=True, leave=leave)
    assert state_of(visitor, one) == "suspended"
    opened(
        visitor, "~/one", reuse=True, leave={"session": visitor.session_path.split("/")[2], "quit": True, "save": "no"}
    )
    assert visitor.session_path == one
    assert "42" in visitor.run("x + 1")
    states = sorted(each["state"] for each in visitor.get("/api/sessions").json()["sessions"])
    assert states == ["absent", "running"]
