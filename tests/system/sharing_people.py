"""People with sessions in a project, the files that tell of it, and requests as a session could send them."""

import subprocess
import sys
import time
from http.client import HTTPException
from pathlib import Path
from typing import Any

from rserver_core.frame import FrameReader, Message, encode, greeting
from rserver_core.session_id import owner_digits
from rserver_core.shared_project_folder import FOLDER
from tests.system.accounts import Account
from tests.system.running_server import RunningServer
from tests.system.test_projects import opened, signed_in

SECONDS = 30


class Person:
    """Somebody with a session in a project."""

    def __init__(self, server: RunningServer, who: Account, project: Path | str) -> None:
        self.who, self.visitor = who, signed_in(server, who)
        self.init = opened(self.visitor, str(project))

    def wait_later(self, type_: str) -> dict[str, Any]:
        """As wait, while the server comes back."""
        end = time.monotonic() + SECONDS
        while True:
            try:
                return self.wait(type_)
            except (OSError, ValueError, AssertionError, HTTPException):
                assert time.monotonic() < end
                time.sleep(0.05)

    def share(self, *members: Account) -> dict[str, Any]:
        """What the end of the change tells."""
        self.visitor.rpc("sharing_set_members", [member.name for member in members])
        return self.wait("sharing_done")

    def wait(self, type_: str) -> dict[str, Any]:
        """The data of the next event of a type."""
        return dict(self.visitor.wait_for(lambda event: event["type"] == type_)[-1]["data"])

    def failure(self, *members: Account) -> dict[str, Any]:
        """What the failure of the change tells."""
        self.visitor.rpc("sharing_set_members", [member.name for member in members])
        return self.wait("sharing_failed")

    def state(self) -> dict[str, Any]:
        return dict(self.visitor.rpc("sharing_state"))

    def members(self) -> list[str]:
        return [member["name"] for member in self.state()["members"]]

    def shared_with_me(self) -> list[dict[str, Any]]:
        return list(self.visitor.rpc("shared_with_me")["projects"])


def magic_files(server: RunningServer, owner: Account) -> list[Path]:
    """Those of all projects that this account shares."""
    return sorted(magic_folder(server).glob(f"{owner_digits(owner.uid)}*.proj"))


def magic_folder(server: RunningServer) -> Path:
    """Where they lie."""
    return server.lib_dir / "shared-storage" / FOLDER


def lists(*paths: Path) -> bytes:
    """Access control lists of these, without those below."""
    return subprocess.run(["getfacl", "-n", "-p", *map(str, paths)], capture_output=True, check=True).stdout


def raw(server: RunningServer, who: Account, *frames: bytes) -> list[Message]:
    """What the server answers a process of that account that sends these bytes, until it hangs up."""
    code = (
        "import socket, sys\n"
        "line = socket.socket(socket.AF_UNIX)\n"
        f"line.settimeout({SECONDS})\n"
        "line.connect(sys.argv[1])\n"
        "try:\n"
        "    line.sendall(sys.stdin.buffer.read())\n"
        "    while piece := line.recv(65536):\n"
        "        sys.stdout.buffer.write(piece)\n"
        "except (BrokenPipeError, ConnectionResetError):\n"
        "    pass\n"
    )
    argv = [sys.executable, "-I", "-c", code, str(server.run_dir / "rpc.sock")]
    done = subprocess.run(
        argv,
        input=b"".join(frames),
        capture_output=True,
        user=who.uid,
        group=who.gid,
        extra_groups=[],
        cwd="/",
        check=False,
        timeout=2 * SECONDS,
    )
    assert done.returncode == 0, done.stderr
    return list(FrameReader().feed(done.stdout))


def asked(server: RunningServer, person: Person, op: str, **fields: Any) -> Message:
    """The answer to a request that the session's user sends by a program of his own."""
    session = person.visitor.session_path.split("/")[2]
    frames = (encode(greeting("session", session=session)), encode({"id": 7, "op": op, **fields}))
    answers = [message for message in raw(server, person.who, *frames) if message.get("id") == 7]
    assert len(answers) == 1
    return answers[0]
