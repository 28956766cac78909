"""git works for a member of somebody else's project, and nowhere that is not shared with this user."""

import os
import pwd
import subprocess
from pathlib import Path

import pytest

from rserver_core.shared_project import SharedProject, encode, file_name
from rsession.sharing.git_trust import git_trust
from rsession.sharing.terms import Terms

pytestmark = pytest.mark.root

OWNER = pwd.getpwnam("daemon")
USER = pwd.getpwuid(os.getuid()).pw_name


class Shared:
    """A repository of another account, and the file that says with whom it is shared."""

    def __init__(self, place: Path) -> None:
        self.folder, self._files = place / "trees", place / "shared-projects"
        self._files.mkdir()
        self.folder.mkdir()
        subprocess.run(["git", "init", "-q", self.folder], check=True)
        for path in (self.folder, self.folder / ".git"):
            os.chown(path, OWNER.pw_uid, OWNER.pw_gid)

    def tell(self, *members: str) -> None:
        """Who is a member."""
        project = SharedProject("0badcafe", str(self.folder), OWNER.pw_name, dict.fromkeys(members, 1.0))
        path = self._files / file_name(OWNER.pw_uid, "0badcafe")
        path.write_bytes(encode(project))
        path.chmod(0o640)

    def trust(self, given: dict[str, str] | None = None, writer: int = os.getuid()) -> dict[str, str]:
        """The environment of a session."""
        given = given or {}
        terms = Terms(str(self._files), "/rpc.sock")
        return given | git_trust(str(self.folder), terms, writer, USER, given)

    def git_works(self, environment: dict[str, str], folder: Path | None = None) -> bool:
        """In the project, or elsewhere."""
        clean = {"PATH": os.environ["PATH"], "HOME": str(self._files)} | environment
        done = subprocess.run(["git", "status"], cwd=folder or self.folder, env=clean, capture_output=True, check=False)
        assert done.returncode == 0 or b"dubious ownership" in done.stderr
        return done.returncode == 0


@pytest.fixture
def shared(tmp_path: Path) -> Shared:
    return Shared(tmp_path)


def test_git_trusts_what_is_shared_with_the_user_and_nothing_else(shared: Shared) -> None:
    assert not shared.git_works({})
    shared.tell(USER)
    assert shared.git_works(shared.trust())
    other = shared.folder.parent / "other"
    shared.folder.rename(other)
    shared.folder.mkdir()
    os.chown(shared.folder, OWNER.pw_uid, OWNER.pw_gid)
    assert not shared.git_works(shared.trust(), other)


def test_what_git_was_told_before_stays(shared: Shared) -> None:
    shared.tell(USER)
    given = {"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "user.name", "GIT_CONFIG_VALUE_0": "Ada"}
    trusted = shared.trust(given)
    assert shared.git_works(trusted)
    assert (trusted["GIT_CONFIG_COUNT"], trusted["GIT_CONFIG_VALUE_0"]) == ("2", "Ada")
    assert shared.trust(trusted) == trusted
    assert shared.trust({"GIT_CONFIG_COUNT": "many"}) == {"GIT_CONFIG_COUNT": "many"}


def test_nothing_is_trusted_that_the_server_does_not_say(shared: Shared) -> None:
    assert shared.trust() == {}
    shared.tell("ben")
    assert shared.trust() == {}
    shared.tell(USER)
    assert shared.trust(writer=OWNER.pw_uid) == {}
    for path in (shared.folder, shared.folder / ".git"):
        os.chown(path, 0, 0)
    assert shared.trust() == {}
