"""Two accounts with a project of the first one that both may write, and sessions of theirs in it."""

import json
import os
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rserver_core.session_id import new_session_id
from tests.rsession.running import EventStream, RunningSession, ready
from tests.system.accounts import Account, account

PROJECT_ID = "0badcafe"


class Member(RunningSession):
    """A session of an account in a project."""

    def __init__(self, who: Account, project: Path) -> None:
        super().__init__(user=who.name)
        self.id = str(new_session_id(who.uid, PROJECT_ID))
        self._arguments = [f"--project={project}", f"--session-id={self.id}"]
        self.stream: EventStream | None = None

    def __enter__(self) -> "Member":
        super().__enter__()
        self.folder.chmod(0o755)
        self.stream = ready(self)
        return self

    def command(self) -> list[str]:
        """Its own id comes with the options."""
        return [each for each in super().command() if not each.startswith("--session-id")]

    def sees(self, *sessions: "Member | str") -> list[dict[str, Any]]:
        """Wait until exactly these are there; what is told of them."""
        wanted = {each if isinstance(each, str) else each.id for each in sessions}
        people: list[dict[str, Any]] = self.call("get_presence")["people"]
        while {each["session"] for each in people} != wanted:
            people = self.next_people()
        return people

    def told(self, wanted: Callable[[list[dict[str, Any]]], bool]) -> dict[str, Any]:
        """Wait until what is told is as wanted; the first of them."""
        people = self.call("get_presence")["people"]
        while not wanted(people):
            people = self.next_people()
        first: dict[str, Any] = people[0]
        return first

    def next_people(self) -> list[dict[str, Any]]:
        """What the next event tells."""
        assert self.stream is not None
        people: list[dict[str, Any]] = self.stream.wait_for_type("presence_changed")["data"]["people"]
        return people


@dataclass(frozen=True)
class Team:
    """owner and member of a project; users: its folder of sentry files."""

    owner: Account
    member: Account
    project: Path

    @property
    def users(self) -> Path:
        """Where the sentry files lie."""
        return self.project / ".Rproj.user" / "shared" / "users"

    def share(self) -> None:
        """The member has the owner's rights to what is there and to what comes."""
        rights = [f"u:{self.member.name}:rwX", f"d:u:{self.member.name}:rwX", f"d:u:{self.owner.name}:rwX"]
        arguments = [part for right in rights for part in ("-m", right)]
        subprocess.run(["setfacl", "-R", *arguments, str(self.project)], check=True)

    def put(self, session: str, content: bytes, who: Account, mode: int = 0o644, age: float = 0) -> Path:
        """A file as that account could have written it so many seconds ago."""
        aside = self.users / ".aside"
        aside.write_bytes(content)
        os.chown(aside, who.uid, who.gid)
        aside.chmod(mode)
        os.utime(aside, (time.time() - age, time.time() - age))
        return aside.rename(self.users / session)

    def sentry(self, session: str) -> dict[str, Any]:
        """What a session has written."""
        found: dict[str, Any] = json.loads((self.users / session).read_text())
        return found


def appear(session: Member, path: Path, line: int) -> str:
    """Open a file and put the cursor into a line; the document's id."""
    document = session.call("open_document", str(path))
    head = sum(len(text) + 1 for text in document["contents"].split("\n")[: line - 1])
    place = {"anchor": head, "head": head, "top": 1}
    session.call("save_view", {"active": document["id"], "places": {document["id"]: place}})
    return str(document["id"])


@contextmanager
def team(share: bool = True) -> Iterator[Team]:
    """The project is shared by default ACLs as rserver-acls sets them, or not at all."""
    with account() as owner, account() as member:
        owner.home.chmod(0o711)
        project = owner.home / "ours"
        project.mkdir()
        (project / "ours.Rproj").write_text("Version: 1.0\n")
        (project / "model.R").write_text("a\nb\nc\nd\n")
        for path in (project, *project.iterdir()):
            os.chown(path, owner.uid, owner.gid)
        found = Team(owner, member, project)
        if share:
            found.share()
        yield found
