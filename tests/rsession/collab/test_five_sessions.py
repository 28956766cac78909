"""Five editors, each with a real session: whoever hosts is killed again and again, and all come to one text."""

import json
import os
import random
import signal
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.filebase.member import Page
from tests.filebase.running import Line
from tests.rsession.presence.people import Member, Team, team
from tests.rsession.running import connect, ready

pytestmark = [pytest.mark.root, pytest.mark.r, pytest.mark.slow]

PATIENCE = 90.0
START = "a\nb\nc\nd\n"
HANDSHAKE = (
    "GET /collab/{server} HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nX-RS-User: {user}\r\n\r\n"
)


class Editor:
    """Does what a page does: asks its session who hosts, connects, says who cannot be reached."""

    def __init__(self, session: Member, user: str, path: str, users: Path) -> None:
        self.session, self.page, self.users = session, Page(user), users
        self.document = str(session.call("open_document", path)["id"])
        self.line: Line | None = None
        self.joined = ""
        self.is_there = True

    @property
    def is_connected(self) -> bool:
        return self.line is not None and self.line.closed is None

    def told(self) -> list[dict[str, Any]]:
        """What the others can read of its open files."""
        found: list[dict[str, Any]] = json.loads((self.users / self.session.id).read_text())["open"]
        return found

    def server(self) -> str:
        found = [each["server"] for each in self.session.init()["collab"] if each["id"] == self.document]
        return found[0] if found else ""

    def go_on(self, everybody: "list[Editor]") -> None:
        """Connect if need be, and carry what is to be said."""
        if not self.is_there:
            return
        if self.is_connected and self.line is not None:
            self.line.pump()
            if self.page.ready and self.joined != self.page.epoch:
                self.joined = self.page.epoch
                self.session.call("collab_joined", self.document, self.joined)
        elif server := self.server():
            self.connect(server, everybody)

    def connect(self, server: str, everybody: "list[Editor]") -> None:
        host = next(each for each in everybody if each.session.id == server[:21])
        try:
            sock = connect(host.session.socket_path)
        except OSError:
            self.session.call("collab_host_lost", self.document, server)
            return
        line = self.line
        self.line = Line(sock, self.page)
        self.line.say_raw(HANDSHAKE.format(server=server, user=self.page.user).encode())
        if line is not None:
            self.session.call("collab_host_lost", self.document, server)

    def cut(self) -> None:
        if self.line is not None:
            self.line.cut()
            self.line = None

    def kill(self) -> None:
        self.cut()
        os.kill(self.session.pid, signal.SIGKILL)
        self.is_there = False

    def start_again(self) -> None:
        self.session.launch()
        ready(self.session)
        self.is_there, self.joined = True, ""


@contextmanager
def editors(our: Team) -> Iterator[list[Editor]]:
    with ExitStack() as stack:
        people = [our.owner, our.member, our.owner, our.member, our.owner]
        sessions = [stack.enter_context(Member(who, our.project)) for who in people]
        made = [
            Editor(each, who.name, str(our.project / "model.R"), our.users)
            for each, who in zip(sessions, people, strict=True)
        ]
        yield made
        for editor in made:
            editor.cut()


def is_quiet(there: list[Editor], epoch: str) -> bool:
    """All have told which text they show, and one hosts it: nobody is killed in the middle of an election."""
    told = [file for each in there for file in each.told()]
    return {file["epoch"] for file in told} == {epoch} and sum(file["since"] > 0 for file in told) == 1


def agree(everybody: list[Editor]) -> str:
    """Until all who are there show one text; the text."""
    there = [each for each in everybody if each.is_there]
    end = time.monotonic() + PATIENCE
    while True:
        for each in there:
            each.go_on(everybody)
        pages = [each.page for each in there]
        is_one = len({page.state() for page in pages}) == 1 and str(pages[0]) != ""
        is_calm = all(each.is_connected and each.page.ready and not each.page.out for each in there)
        if is_one and is_calm and is_quiet(there, pages[0].epoch):
            return str(pages[0])
        assert time.monotonic() < end, [(str(page), page.epoch, page.ready) for page in pages]


def host_of(everybody: list[Editor]) -> Editor:
    there = next(each for each in everybody if each.is_there)
    end = time.monotonic() + PATIENCE
    while not (server := there.server()):
        assert time.monotonic() < end, "nobody hosts"
    return next(each for each in everybody if each.session.id == server[:21])


@pytest.mark.parametrize("seed", range(4))
def test_one_text_however_often_the_host_is_killed(seed: int) -> None:
    chance = random.Random(seed)
    typed = Counter(START)

    def types(editor: Editor) -> None:
        text = "".join(chance.choices("efghijklmnopqrstuvwxyz", k=chance.randint(1, 4)))
        begin = chance.randint(0, len(str(editor.page)))
        editor.page.edit(begin, begin, text)
        typed.update(text)

    with team() as our, editors(our) as everybody:
        assert agree(everybody) == START
        for _ in range(3):
            killed = host_of(everybody)
            for _ in range(20):
                editor = chance.choice(everybody)
                types(editor)
                if chance.random() < 0.2:
                    editor.cut()
                elif chance.random() < 0.7:
                    editor.go_on(everybody)
            killed.kill()
            for editor in everybody:
                types(editor)
            agree(everybody)
            if chance.random() < 0.7:
                killed.start_again()
        for each in everybody:
            if not each.is_there:
                each.start_again()
        assert Counter(agree(everybody)) == typed
