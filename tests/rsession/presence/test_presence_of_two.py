"""Real sessions of two accounts in one project: who sees whom, and what files of others are believed."""

import json
import os
import signal
import stat
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from rserver_core.session_id import new_session_id
from tests.rsession.presence.people import PROJECT_ID, Member, Team, appear, team
from tests.rsession.running import DEADLINE

pytestmark = [pytest.mark.root, pytest.mark.r]


@pytest.fixture(scope="module")
def shared() -> Iterator[Team]:
    """A project of two people."""
    with team() as found:
        yield found


@pytest.fixture(autouse=True)
def nobody_left(shared: Team) -> Iterator[None]:
    """What a test leaves behind is nobody's concern."""
    yield
    for path in shared.users.iterdir():
        path.rmdir() if path.is_dir() and not path.is_symlink() else path.unlink()


def test_two_people_see_each_other_with_file_and_line(shared: Team) -> None:
    with Member(shared.owner, shared.project) as owner, Member(shared.member, shared.project) as member:
        assert [each["user"] for each in owner.sees(member)] == [shared.member.name]
        assert [each["user"] for each in member.sees(owner)] == [shared.owner.name]
        id_ = appear(owner, shared.project / "model.R", 3)
        person = member.told(lambda people: people[0]["line"] == 3)
        assert (person["file"], person["open"]) == ("model.R", ["model.R"])
        outside = owner.home / "private.R"
        outside.write_text("secret\n")
        appear(owner, outside, 1)
        member.told(lambda people: people[0]["file"] == "")
        assert "private" not in (shared.users / owner.id).read_text()
        owner.call("close_document", id_)
        member.told(lambda people: people[0]["open"] == [])
        assert member.call("get_presence")["people"] == member.sees(owner)
        owner.call("quit_session")
        member.sees()
        assert not (shared.users / owner.id).exists()


def test_what_is_written_and_who_may_touch_it(shared: Team) -> None:
    with Member(shared.member, shared.project) as member, Member(shared.owner, shared.project) as owner:
        member.sees(owner)
        written = shared.sentry(member.id)
        assert written["version"] == 1
        assert (written["user"], written["session"], written["pid"]) == (shared.member.name, member.id, member.pid)
        assert abs(written["heartbeat"] - time.time()) < 60
        assert written["boot"] == Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        file = shared.users / member.id
        assert stat.S_IMODE(file.stat().st_mode) == 0o640
        assert shared.users.stat().st_mode & stat.S_ISVTX
        for name in (member.id, owner.id):
            user = shared.owner.name if name == member.id else shared.member.name
            script = f"echo x >> {name}; mv -f {name} taken; rm -f {name}; ls"
            done = ["setpriv", "--reuid", user, "--regid", user, "--init-groups", "sh", "-c", script]
            subprocess.run(done, cwd=shared.users, capture_output=True, check=False)
            if user == shared.member.name:
                assert shared.sentry(name)["session"] == name


def test_a_killed_session_is_gone_and_its_user_cleans_up(shared: Team) -> None:
    with Member(shared.owner, shared.project) as owner, Member(shared.member, shared.project) as member:
        owner.sees(member)
        os.kill(member.pid, signal.SIGKILL)
        assert member.process is not None
        member.process.wait()
        # Any change makes everybody look again, at once; without one the next look is 30 s away.
        appear(owner, shared.project / "model.R", 2)
        owner.sees()
        assert (shared.users / member.id).exists()
        with Member(shared.member, shared.project) as later:
            later.sees(owner)
            gone_in_time(shared.users / member.id)


def gone_in_time(path: Path) -> None:
    """Until the file is not there."""
    end = time.monotonic() + DEADLINE
    while path.exists():
        assert time.monotonic() < end, f"{path} stays"


def forgery(session: str, user: str, **changes: object) -> bytes:
    """What a session of this process could have written."""
    fields: dict[str, object] = {
        "version": 1,
        "session": session,
        "user": user,
        "name": "Somebody",
        "host": "elsewhere",
        "boot": "another",
        "namespace": "pid:[1]",
        "pid": 1,
        "start": 1,
        "heartbeat": time.time(),
        "file": "model.R",
        "line": 1,
        "open": [],
    }
    return json.dumps(fields | changes).encode()


def test_forged_files_are_ignored_with_a_reason(shared: Team) -> None:
    with Member(shared.owner, shared.project) as owner:
        ours, theirs = shared.owner, shared.member

        def other() -> str:
            return str(new_session_id(theirs.uid, PROJECT_ID))

        def put(content: bytes, session: str, mode: int = 0o644) -> Path:
            return shared.put(session, content, theirs, mode)

        mine = str(new_session_id(theirs.uid))
        named = str(new_session_id(ours.uid, PROJECT_ID))
        reasons = {
            put(forgery(named, ours.name), named): "not one of its owner",
            put(forgery(name := other(), ours.name), name): "names the user",
            put(forgery(other(), theirs.name), other()): "another session",
            put(forgery(name := other(), theirs.name), name, 0o666): "may write it",
            put(b"x" * 20_000, other()): "larger than",
            put(b"[" * 10_000, other()): "no JSON",
            put(forgery(name := other(), theirs.name, file="../../etc/passwd"), name): "no path inside",
            put(forgery(name := other(), theirs.name, line=-1), name): "line is no whole number",
            put(forgery(name := other(), theirs.name, open=[{"path": "a"}] * 65), name): "open is no list",
            put(forgery(name := other(), theirs.name, heartbeat=float("nan")), name): "heartbeat is no time",
        }
        linked, fifo, folder = shared.users / other(), shared.users / other(), shared.users / other()
        linked.symlink_to(put(forgery(mine, theirs.name), mine))
        os.mkfifo(fifo)
        folder.mkdir()
        reasons |= {linked: "cannot be read", fifo: "no regular file", folder: "no regular file"}
        # What is told the truth beside them is believed: the forged ones were looked at by then.
        [person] = owner.sees(mine)
        assert (person["user"], person["file"]) == (theirs.name, "model.R")
        assert person["name"] != "Somebody"
        os.kill(owner.pid, signal.SIGKILL)
        log = owner.stderr()
        for path, reason in reasons.items():
            lines = [line for line in log.splitlines() if path.name in line]
            assert len(lines) == 1, (path.name, reason, log)
            assert reason in lines[0], lines


def test_old_heartbeats_of_other_machines_do_not_count(shared: Team) -> None:
    with Member(shared.owner, shared.project) as owner:
        fresh, old = (str(new_session_id(shared.member.uid, PROJECT_ID)) for _ in range(2))
        own_old = str(new_session_id(shared.owner.uid, PROJECT_ID))
        for session, who, age in ((old, shared.member, 100), (own_old, shared.owner, 100), (fresh, shared.member, 60)):
            shared.put(session, forgery(session, who.name), who, age=age)
        owner.sees(fresh)
        assert not (shared.users / own_old).exists()
        assert (shared.users / old).exists()
        for session in (fresh, old):
            (shared.users / session).unlink()
        owner.sees()


def test_without_sharing_only_sessions_of_one_user_see_each_other() -> None:
    with team(share=False) as apart:
        apart.owner.home.chmod(0o755)
        with Member(apart.owner, apart.project) as first, Member(apart.owner, apart.project) as second:
            first.sees(second)
            assert stat.S_IMODE(apart.users.stat().st_mode) == 0o1700
            with Member(apart.member, apart.project) as stranger:
                stranger.sees()
                appear(first, apart.project / "model.R", 2)
                second.next_people()
                assert stranger.call("get_presence")["people"] == []


def test_a_project_that_is_shared_while_its_owner_works_in_it() -> None:
    with team(share=False) as found, Member(found.owner, found.project) as owner:
        owner.call("get_presence")
        written_in_time(found.users / owner.id)
        found.share()
        with Member(found.member, found.project) as member:
            member.sees(owner)
            owner.sees(member)
            # What sharing gave the member to our file is taken back at once: nobody else writes it.
            assert stat.S_IMODE((found.users / owner.id).stat().st_mode) == 0o640


def written_in_time(path: Path) -> None:
    """Until the file is there."""
    end = time.monotonic() + DEADLINE
    while not path.exists():
        assert time.monotonic() < end, f"{path} does not come"


def test_a_folder_shared_by_its_group() -> None:
    with team(share=False) as grouped:
        subprocess.run(["usermod", "-aG", grouped.owner.name, grouped.member.name], check=True)
        grouped.project.chmod(0o2770)
        with Member(grouped.owner, grouped.project) as first, Member(grouped.member, grouped.project) as second:
            first.sees(second)
            second.sees(first)


def test_nobody_wakes_while_nothing_happens(shared: Team) -> None:
    with Member(shared.owner, shared.project) as owner, Member(shared.member, shared.project) as member:
        owner.sees(member)
        member.sees(owner)
        from_now_on = owner.events(owner.init()["eventId"])
        before = [processor_ticks(each.pid) for each in (owner, member)]
        with pytest.raises(AssertionError, match="no such event"):
            from_now_on.wait_for_type("presence_changed", deadline=3)
        after = [processor_ticks(each.pid) for each in (owner, member)]
        # Somebody who asks again and again takes more than the one hundredth that anything may.
        assert max(late - early for early, late in zip(before, after, strict=True)) <= 3


def processor_ticks(pid: int) -> int:
    """Processor time in hundredths of a second."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])
