"""Two accounts with one file of one project open, through the whole real server."""

import contextlib
import json
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.filebase.socket_member import SocketMember, controls
from tests.system.accounts import Account
from tests.system.running_server import RunningServer
from tests.system.test_projects import opened, signed_in, until

pytestmark = [pytest.mark.root, pytest.mark.r]

LINES = b"one\r\ntwo\r\nzero\r\nthree \xe9\nfour\r"


def shared_project(owner: Account, other: Account, name: str) -> Path:
    """A project in the owner's home that the other may write in."""
    folder = owner.home / name
    (folder / ".Rproj.user").mkdir(parents=True)
    (folder / f"{name}.Rproj").write_text("Version: 1.0\n")
    (folder / "analysis.R").write_bytes(LINES)
    subprocess.run(["chown", "-R", f"{owner.name}:{owner.name}", folder], check=True)
    subprocess.run(["setfacl", "-m", f"u:{other.name}:x", owner.home], check=True)
    subprocess.run(
        ["setfacl", "-R", "-m", f"u:{other.name}:rwX,d:u:{other.name}:rwX,d:u:{owner.name}:rwX", folder], check=True
    )
    return folder


class Editor:
    """Somebody with the file open."""

    def __init__(self, server: RunningServer, account: Account, folder: Path) -> None:
        self.server, self.account, self.folder = server, account, folder
        self.visitor = signed_in(server, account)
        opened(self.visitor, str(folder))
        self.document: dict[str, Any] = self.visitor.rpc("open_document", str(folder / "analysis.R"))
        self.member: SocketMember | None = None

    def told(self) -> str:
        """Which session keeps the text, as far as this one knows; empty: none."""
        found = self.visitor.init()["collab"]
        return str(found[0]["server"]) if found else ""

    def hosts(self) -> bool:
        """This session keeps the text."""
        own = f"{self.visitor.session_path.split('/')[2]}/{self.document['id']}"
        return bool(json.loads(self.visitor.get(f"{self.visitor.session_path}collab/{own}").body)["hosting"])

    def server_of_text(self) -> str:
        """Which session keeps the text, once one does."""
        until(lambda: self.told() != "", 30)
        return self.told()

    @property
    def headers(self) -> dict[str, str]:
        cookies = "; ".join(f"{name}={value}" for name, value in self.visitor.cookies.items())
        return {"Cookie": cookies, "Origin": f"http://127.0.0.1:{self.server.port}"}

    def join(self, server_of_text: str = "") -> SocketMember:
        path = f"{self.visitor.session_path}collab/{server_of_text or self.server_of_text()}"
        page = self.member.page if self.member is not None else None
        if self.member is not None:
            self.member.close()
        self.member = SocketMember(self.server.port, path, self.account.name, self.headers, page)
        self.member.until(lambda page: page.ready or page.epoch != "")
        self.visitor.rpc("collab_joined", self.document["id"], self.member.page.epoch)
        return self.member


@contextlib.contextmanager
def two_editors(server: RunningServer, alice: Account, bob: Account, name: str) -> Iterator[tuple[Editor, Editor]]:
    folder = shared_project(alice, bob, name)
    first = Editor(server, alice, folder)
    # Hers is the newest text: her session hosts.
    first.visitor.rpc("update_document", first.document["id"], first.document["revision"], 0, 0, "")
    second = Editor(server, bob, folder)
    editors = first, second
    try:
        # Two that begin in the same moment agree on one of them soon.
        until(lambda: first.told() == second.told() != "" and first.hosts() != second.hosts(), 30)
        yield editors
    finally:
        for editor in editors:
            if editor.member is not None:
                editor.member.close()
            editor.visitor.post_json(f"{editor.visitor.session_path}rpc/abort", {"method": "abort", "params": []})


def wait_until(member: SocketMember, text: str) -> None:
    member.until(lambda page: str(page) == text)


def test_two_accounts_type_in_one_file_and_save_it_byte_for_byte(
    server: RunningServer, alice: Account, bob: Account
) -> None:
    with two_editors(server, alice, bob, "together") as (one, other):
        first, second = one.join(), other.join()
        text = "one\ntwo\nzero\nthree é\nfour\n"
        for member in (first, second):
            member.until(lambda page: page.ready and str(page) == text)
        first.do(lambda page: page.edit(0, 0, "# Alice\n"))
        wait_until(second, "# Alice\n" + text)
        second.do(lambda page: page.edit(len("# Alice\none\n"), len("# Alice\none\n"), "Bob\n"))
        second.do(lambda page: page.edit(0, 0, "1"))
        first.until(lambda page: str(page).startswith("1#"))
        second.do(lambda page: page.ask(ask="save", number=7))
        second.until(lambda page: any(each["number"] == 7 for each in controls(page, "answer")))
        assert "error" not in controls(second.page, "answer")[0]
        first.until(lambda page: bool(controls(page, "saved")))
        wanted = b"1# Alice\r\n" + LINES.replace(b"one\r\n", b"one\r\nBob\r\n")
        assert (one.folder / "analysis.R").read_bytes() == wanted
        host = one if first_keeps(one) else other
        assert not host.visitor.rpc("refresh_document", host.document["id"])["dirty"]


def first_keeps(editor: Editor) -> bool:
    """This editor's session keeps the text."""
    return editor.server_of_text()[:21] in editor.visitor.session_path


def test_what_another_program_writes_is_merged(server: RunningServer, alice: Account, bob: Account) -> None:
    with two_editors(server, alice, bob, "merged") as (one, other):
        first, second = one.join(), other.join()
        first.until(lambda page: page.ready and "four" in str(page))
        first.do(lambda page: page.edit(0, 0, "mine\n"))
        file = one.folder / "analysis.R"
        file.write_bytes(LINES.replace(b"two", b"2"))
        for member in (first, second):
            member.until(lambda page: str(page) == "mine\none\n2\nzero\nthree é\nfour\n")


def test_a_host_that_is_killed_costs_no_keystroke(server: RunningServer, alice: Account, bob: Account) -> None:
    with two_editors(server, alice, bob, "killed") as (one, other):
        third = Editor(server, alice, one.folder)
        everybody = (one, other, third)
        keeper = one.server_of_text()
        for editor in everybody:
            editor.join(keeper).until(lambda page: page.ready and "four" in str(page))
        host = next(each for each in everybody if keeper[:21] in each.visitor.session_path)
        guests = [each for each in everybody if each is not host]
        members = [editor.member for editor in guests if editor.member is not None]
        members[0].do(lambda page: page.edit(0, 0, "before "))
        wait_until(members[1], "before one\ntwo\nzero\nthree é\nfour\n")
        os.kill(host.visitor.init()["session"]["pid"], signal.SIGKILL)
        for member in members:
            member.until_closed()
            member.page.edit(0, 0, "offline ")

        def has_moved() -> bool:
            for editor in guests:
                # As pages do, each time they tried in vain.
                editor.visitor.rpc("collab_host_lost", editor.document["id"], keeper)
            return guests[0].server_of_text() == guests[1].server_of_text() != keeper

        until(has_moved, 30)
        for member in [editor.join() for editor in guests]:
            member.until(lambda page: str(page).startswith("offline offline before one"))
        assert third.member is not None
        third.member.close()
        third.visitor.post_json(f"{third.visitor.session_path}rpc/abort", {"method": "abort", "params": []})


def test_a_killed_filebase_is_started_again_with_its_history(
    server: RunningServer, alice: Account, bob: Account
) -> None:
    with two_editors(server, alice, bob, "restarted") as (one, other):
        keeper = one.server_of_text()
        first, second = one.join(keeper), other.join(keeper)
        first.until(lambda page: page.ready and "four" in str(page))
        first.do(lambda page: page.edit(0, 0, "kept "))
        second.until(lambda page: str(page).startswith("kept "))
        host = one if first_keeps(one) else other
        log = host.account.home / ".local/share/rstudio/collab" / f"{keeper.replace('/', '-')}.log"
        until(lambda: log.exists() and b"kept " in log.read_bytes())
        killed = filebase_of(host)
        os.kill(killed, signal.SIGKILL)
        first.until_closed()
        second.until_closed()

        # Nobody who was there comes back: a new page finds the text in the log.
        def is_back() -> bool:
            answer = other.visitor.get(f"{other.visitor.session_path}collab/{keeper}")
            return json.loads(answer.body) == {"hosting": True} and filebase_of(host) not in {0, killed}

        until(is_back, 30)
        other.member = None
        second.close()
        other.join(keeper).until(lambda page: str(page).startswith("kept one"))


def filebase_of(editor: Editor) -> int:
    """The program that keeps the text, a child of this editor's session; 0: there is none."""
    session = editor.visitor.init()["session"]["pid"]
    for status in Path("/proc").glob("[0-9]*/status"):
        with contextlib.suppress(OSError):
            text = status.read_text()
            if text.startswith("Name:\tfilebase\n") and f"\nPPid:\t{session}\n" in text:
                return int(status.parent.name)
    return 0


def test_strangers_are_kept_out(server: RunningServer, alice: Account, bob: Account) -> None:
    with two_editors(server, alice, bob, "strangers") as (one, other):
        keeper = one.server_of_text()
        first, second = one.join(keeper), other.join(keeper)
        first.until(lambda page: page.ready)
        second.until(lambda page: page.ready)
        path = other.visitor.session_path
        answer = other.visitor.get(f"{path}collab/{keeper}")
        assert (answer.status, answer.headers["Content-Type"]) == (200, "application/json")
        assert answer.headers["Content-Security-Policy"].startswith("sandbox")
        assert json.loads(answer.body) == {"hosting": True}
        assert other.visitor.post_json(f"{path}collab/{keeper}", {}).status == 400
        for nobody in (f"{keeper[:21]}/00000000", f"{'0' * 21}/00000000"):
            answer = other.visitor.get(f"{path}collab/{nobody}")
            assert (answer.status, json.loads(answer.body)) == (200, {"hosting": False})
            assert other.visitor.post_json(f"{path}collab/{nobody}?link={'0' * 32}&after=0&first=1", {}).status == 404
        # No other way into the host's session opens.
        assert other.visitor.get(f"{path}collab/{keeper[:21]}/../rpc/abort").status in {400, 404}
        assert first_keeps(one)
        subprocess.run(["setfacl", "-x", f"u:{bob.name}", one.folder / "analysis.R"], check=True)
        code, _ = second.until_closed()
        assert code == 4403
        again = SocketMember(server.port, f"{path}collab/{keeper}", bob.name, other.headers)
        again.until_closed()
        assert again.refused == 403
        again.close()
        assert first.closed is None
