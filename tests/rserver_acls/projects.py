"""Projects of throw-away accounts, rserver-acls run on them as the master does, and what getfacl says of them."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.system.accounts import Account

ROOT = Path(__file__).resolve().parents[2]
BOTH_WALKS = pytest.mark.parametrize("program", ["compiled", "python"], indirect=True)
"""For tests of `shared`: the program as it is, and without its compiled part."""


def program_in(root: Path) -> list[str]:
    """The command that runs the program below this folder."""
    return [sys.executable, "-I", "-S", str(root / "rserver_acls" / "__main__.py")]


def copy_program(to: Path) -> None:
    """The program in another place, without its compiled part."""
    to.mkdir()
    for package in ("rserver_acls", "rserver_core"):
        shutil.copytree(ROOT / package, to / package, ignore=shutil.ignore_patterns("*.so", "__pycache__"))


class Shared:
    """One project folder of an account, and the state directory of the runs on it."""

    def __init__(self, owner: Account, folder: Path, state: Path, program: Sequence[str]) -> None:
        self.owner, self.folder, self.state = owner, folder, state
        self.argv = [*program, f"--state={state}"]
        self.is_compiled = Path(program[-1]).is_relative_to(ROOT)

    def request(self, action: str, *members: Account | str, **fields: Any) -> bytes:
        names = [member if isinstance(member, str) else member.name for member in members]
        whole = {"version": 1, "action": action, "project_dir": str(self.folder), "owner": self.owner.name}
        return json.dumps({**whole, "members": names, **fields}).encode()

    def run(self, action: str, *members: Account | str, **fields: Any) -> dict[str, Any]:
        """The answer of a run that must succeed."""
        code, answer = self.outcome(self.request(action, *members, **fields))
        assert code == 0, answer
        return answer

    def outcome(self, content: bytes) -> tuple[int, dict[str, Any]]:
        """Exit code and answer."""
        done = subprocess.run(self.argv, input=content, capture_output=True, env={}, timeout=120, check=False)
        assert done.stderr == b"", done.stderr.decode()
        return done.returncode, json.loads(done.stdout)

    def refusal(self, action: str, *members: Account | str, **fields: Any) -> tuple[int, str]:
        """Exit code and code of an answer that says no."""
        code, answer = self.outcome(self.request(action, *members, **fields))
        assert answer["ok"] is False
        assert answer["error"]["message"].endswith("."), answer
        return code, answer["error"]["code"]

    def dump(self) -> str:
        """What getfacl says of the whole home."""
        return getfacl(self.owner.home)


def getfacl(top: Path) -> str:
    """Every list below a folder, links not followed, ids as numbers."""
    argv = ["getfacl", "-R", "-P", "-n", "-p", str(top)]
    return subprocess.run(argv, capture_output=True, check=True, env={"LC_ALL": "C"}).stdout.decode("latin-1")


def make_folder(account: Account, name: str = "trees") -> Path:
    """A small project in a home that is closed to others."""
    account.home.chmod(0o700)
    folder = account.home / name
    (folder / "data" / "raw").mkdir(parents=True)
    for file, mode in (("a.R", 0o644), ("data/secret.csv", 0o600), ("data/raw/run.sh", 0o750)):
        (folder / file).write_text(f"content of {file}\n")
        (folder / file).chmod(mode)
    own(account, folder)
    return folder


def own(account: Account, top: Path) -> None:
    """Give a whole tree to an account, links themselves and not where they lead."""
    subprocess.run(["chown", "-R", "-h", f"{account.uid}:{account.gid}", str(top)], check=True)


def as_user(account: Account, *argv: str) -> subprocess.CompletedProcess[str]:
    """A command run by somebody."""
    return subprocess.run(
        argv, user=account.uid, group=account.gid, extra_groups=[], capture_output=True, text=True, cwd="/", check=False
    )


def setfacl(*argv: str) -> None:
    """A change by the owner's or the administrator's hand."""
    subprocess.run(["setfacl", *argv], check=True, capture_output=True)


def names_of(answer: dict[str, Any]) -> set[str]:
    """The paths that were skipped."""
    return {entry["path"] for entry in answer["skipped"]}


def children(folder: Path) -> Sequence[str]:
    """Names in a folder, as the system has them."""
    return sorted(os.listdir(folder))
