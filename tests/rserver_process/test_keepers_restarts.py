"""Sessions outlive the processes that started them: restarts, kills, take-overs."""

import os
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from rserver_core.launch_wire import SessionRecord
from rserver_process import cgroup
from rserver_process.event_loop import Loop
from rserver_process.keepers import Keepers, LaunchRefused
from rserver_process.run_records import RunRecords, SessionExit
from tests.rserver_process.sessions import (
    LEFT_BEHIND,
    STUB,
    World,
    ask,
    children_of,
    is_gone,
    kill,
    session_name,
    spec,
    world,
)
from tests.rserver_process.turning import turn_until
from tests.system.accounts import Account, processes_of

pytestmark = pytest.mark.root

SUSPENDING = f"import os, signal\nsignal.signal(signal.SIGUSR1, lambda *_: os._exit(101))\n{STUB}"


@pytest.fixture
def stub(loop: Loop) -> Iterator[World]:
    """Keepers whose sessions answer on their socket."""
    with world(loop) as made:
        yield made


def test_registry_is_taken_over_by_the_next(stub: World, user: Account) -> None:
    """A restarted launcher finds what runs, may signal it and is told of its end, with code and last words."""
    record = stub.launch(user.name)
    ask(record.socket)
    stub.keepers.close()
    successor, ended = successor_of(stub)
    assert successor.records() == [record]
    assert stub.started == [record]
    results: list[SessionRecord | LaunchRefused] = []
    successor.launch(spec(user.name), results.append)
    assert results == [LaunchRefused("exists", "this session runs already", record)]
    successor.signal(record.session, "TERM")
    turn_until(stub.loop, lambda: ended)
    assert ended == [SessionExit(record.session, record.pid, None, signal.SIGTERM, "")]
    assert successor.records() == []
    assert stub.files() == set()


def successor_of(made: World) -> tuple[Keepers, list[SessionExit]]:
    """Another registry over the same run directory, and the ends it was told."""
    ended: list[SessionExit] = []
    keepers = Keepers(made.loop, str(made.folder), made.settings, lambda record: None, ended.append)
    keepers.adopt()
    return keepers, ended


def test_end_while_nobody_looked_is_told_at_the_take_over(stub: World, user: Account) -> None:
    """With code and last words, from the file the keeper wrote."""
    record = stub.launch(user.name)
    stub.keepers.close()
    kill(record.pid)
    turn_until(stub.loop, lambda: is_gone(record.keeper_pid))
    assert f"{record.session}.exit" in stub.notes()
    keepers, ended = successor_of(stub)
    end = SessionExit(record.session, record.pid, None, signal.SIGKILL, "")
    assert ended == [end]
    assert keepers.records() == []
    assert stub.files() == set()
    assert keepers.ends() == [end]
    # The worker may be killed before it has written that down.
    keepers.close()
    assert successor_of(stub)[0].ends() == [end]


def test_session_that_left_word_is_suspended_although_its_keeper_is_gone(stub: World, user: Account) -> None:
    """The time of its socket is the exit code."""
    record = stub.launch(user.name)
    ask(record.socket)
    kill(record.keeper_pid)
    turn_until(stub.loop, lambda: is_gone(record.keeper_pid))
    os.utime(record.socket, (101, 101))
    stub.keepers.signal(record.session, "TERM")
    assert stub.end_of(record) == SessionExit(record.session, record.pid, 101, None, "")


@pytest.mark.parametrize("has_keeper", [True, False])
def test_killed_by_an_administrator(stub: World, user: Account, has_keeper: bool) -> None:
    """Whoever sees the end knows who had it killed."""
    record = stub.launch(user.name)
    ask(record.socket)
    RunRecords(str(stub.folder)).write_order(record)
    if not has_keeper:
        kill(record.keeper_pid)
        turn_until(stub.loop, lambda: is_gone(record.keeper_pid))
    kill(record.pid)
    number = signal.SIGKILL if has_keeper else None
    assert stub.end_of(record) == SessionExit(record.session, record.pid, None, number, "", by="administrator")
    assert stub.files() == set()


def test_killed_keeper_does_not_take_its_session_along(stub: World, user: Account) -> None:
    """It goes on, is still signalled and cleared away; only how it ended nobody saw."""
    record = stub.launch(user.name)
    ask(record.socket)
    kill(record.keeper_pid)
    turn_until(stub.loop, lambda: is_gone(record.keeper_pid))
    loop_once_more(stub.loop)
    assert ask(record.socket)[0] == record.pid
    assert stub.keepers.records() == [record]
    stub.keepers.signal(record.session, "TERM")
    assert stub.end_of(record) == SessionExit(record.session, record.pid, None, None, "")
    assert stub.files() == set()


def test_run_directory_that_was_removed(loop: Loop, user: Account) -> None:
    """Without it nothing starts, and the reason has its path; then it is as before, and who has no socket is told."""
    with world(loop, SUSPENDING) as stub:
        record = stub.launch(user.name)
        ask(record.socket)
        shutil.rmtree(stub.folder / "sessions")
        refused = stub.try_launch(user.name, 2)
        assert isinstance(refused, LaunchRefused)
        assert refused.message == f"{stub.folder}/sessions/{session_name(2)}.sock: No such file or directory"
        stub.keepers.restore()
        assert f"{record.session}.json" in stub.files()
        assert stub.end_of(record).code == 101
        again = stub.launch(user.name)
        stub.keepers.restore()
        assert ask(again.socket)[0] == again.pid


def loop_once_more(loop: Loop) -> None:
    """Let everything that is ready be called."""
    for _ in range(5):
        loop.turn(0.01)


def test_session_without_keeper_is_taken_over_too(loop: Loop, user: Account) -> None:
    """Also what it left behind is ended by the successor."""
    with world(loop, LEFT_BEHIND) as made:
        record = made.launch(user.name, 1, "1000")
        turn_until(loop, lambda: children_of(record, 3))
        made.keepers.close()
        kill(record.keeper_pid)
        turn_until(loop, lambda: is_gone(record.keeper_pid))
        keepers, ended = successor_of(made)
        assert keepers.records() == [record]
        keepers.signal(record.session, "KILL")
        turn_until(loop, lambda: ended)
        turn_until(loop, lambda: not processes_of(user.uid))
        assert made.files() == set()


def test_record_of_a_reused_pid_is_not_believed(stub: World, user: Account) -> None:
    """After a crash of the machine, say: same numbers, other processes."""
    record = stub.launch(user.name)
    stub.keepers.close()
    kill(record.keeper_pid)
    kill(record.pid)
    turn_until(stub.loop, lambda: is_gone(record.pid))
    bystander = os.getppid()
    files = RunRecords(str(stub.folder))
    files.write_record(
        SessionRecord(
            **{**record.to_json(), "pid": bystander, "keeper_pid": bystander, "pid_start": 1, "keeper_start": 1}
        )
    )
    keepers, ended = successor_of(stub)
    assert keepers.records() == []
    assert [end.session for end in ended] == [record.session]
    assert stub.files() == set()
    assert not is_gone(bystander)
    cgroup.clear(record.session, record.keeper_pid, 1.0)


def test_unlisted_record_is_found_at_the_next_launch(stub: World, user: Account) -> None:
    """The launcher was killed at the moment a keeper started its session."""
    record = stub.launch(user.name)
    stub.keepers.close()
    ended: list[SessionExit] = []
    late = Keepers(stub.loop, str(stub.folder), stub.settings, lambda record: None, ended.append)
    results: list[SessionRecord | LaunchRefused] = []
    late.launch(spec(user.name), results.append)
    assert results == [LaunchRefused("exists", "this session runs already", record)]
    late.signal(record.session, "KILL")
    turn_until(stub.loop, lambda: ended)


def test_killed_forker_is_started_anew(stub: World, user: Account) -> None:
    """Its keepers and their sessions do not notice."""
    first = stub.launch(user.name, 1)
    forker = parent_of(first.keeper_pid)
    assert forker != os.getpid()
    kill(forker)
    turn_until(stub.loop, lambda: not os.path.exists(f"/proc/{forker}"))
    second = stub.launch(user.name, 2)
    assert parent_of(second.keeper_pid) not in {forker, os.getpid()}
    assert ask(first.socket)[0] == first.pid
    stub.keepers.signal(first.session, "TERM")
    assert stub.end_of(first).signal == signal.SIGTERM


def test_forker_reaps_keepers_and_ends_with_its_maker(stub: World, user: Account) -> None:
    """No zombies, no left-overs."""
    record = stub.launch(user.name, 1)
    forker = parent_of(record.keeper_pid)
    stub.keepers.signal(record.session, "KILL")
    stub.end_of(record)
    turn_until(stub.loop, lambda: not os.path.exists(f"/proc/{record.keeper_pid}"))
    stub.keepers.close()
    turn_until(stub.loop, lambda: not os.path.exists(f"/proc/{forker}"))


def parent_of(pid: int) -> int:
    """Its parent's pid."""
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
