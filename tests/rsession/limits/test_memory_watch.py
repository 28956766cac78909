"""When a session warns of memory, and when it does not look at all."""

from collections.abc import Callable
from typing import Any

import pytest
from twisted.internet.task import Clock

from rserver_core.memory_limit import MemoryLimit, MemoryUse
from rsession.limits import sentences
from rsession.limits.memory_watch import MemoryWatch

MEGABYTE = 1 << 20
OWN = "/sys/fs/cgroup/x/rserver-" + "a" * 21 + "-12"


class Limit:
    """A limit of 1000 MB whose use the test says."""

    def __init__(self) -> None:
        self.limit, self.group, self.own, self.is_shared = 1000 * MEGABYTE, OWN, OWN, False
        self.megabytes = self.charged = 100
        self.processes_ended = self.looks = 0

    def fill(self, megabytes: int, charged: int | None = None) -> None:
        self.megabytes, self.charged = megabytes, charged or megabytes

    def use(self) -> MemoryUse:
        self.looks += 1
        return MemoryUse(self.megabytes * MEGABYTE, self.charged * MEGABYTE, self.limit)

    def ended(self) -> int:
        return self.processes_ended


class Session:
    """As much of one as the watch needs; it is its own console and event log."""

    def __init__(self) -> None:
        self.clock, self.is_busy = Clock(), False
        self.console = self.events = self
        self.emitted: list[tuple[str, Any]] = []
        self.input: Callable[[str, bool], None] = lambda line, is_history: None
        self.fields: dict[str, Callable[[], object]] = {}

    def on_input(self, callback: Callable[[str, bool], None]) -> None:
        self.input = callback

    def add_to_client_init(self, key: str, provide: Callable[[], object]) -> None:
        self.fields[key] = provide

    def emit(self, type_: str, data: Any) -> None:
        self.emitted.append((type_, data))

    def work(self, seconds: float) -> None:
        """R evaluates a line for so long."""
        self.is_busy = True
        self.input("x", True)
        self.clock.pump([0.1] * int(seconds * 10))
        self.is_busy = False

    def texts(self) -> list[Any]:
        return [data["text"] for _, data in self.emitted]


@pytest.fixture
def session() -> Session:
    return Session()


@pytest.fixture
def limit() -> Limit:
    return Limit()


def watch(session: Session, limit: Limit, *, is_told: bool = False) -> MemoryWatch:
    made = MemoryWatch(session, limit, is_told=is_told)  # type: ignore[arg-type]
    made.look()
    return made


def test_one_warning_for_each_crossing_and_one_when_it_is_over(session: Session, limit: Limit) -> None:
    watch(session, limit)
    for megabytes in (840, 850, 900, 840, 760, 849, 749, 800, 851):
        limit.fill(megabytes)
        session.work(3)
    first, over, again = session.texts()
    assert first == (
        "This session uses 850 MB of the 1000 MB of memory that it may have. When all is used, R is ended. "
        "Save what you need, remove large objects with rm() and call gc()."
    )
    assert over is None
    assert "851 MB" in again
    assert {kind for kind, _ in session.emitted} == {"memory_warning"}
    assert session.fields["memory"]() == {"used": 851 * MEGABYTE, "limit": 1000 * MEGABYTE, "warning": again}


def test_an_idle_session_sleeps(session: Session, limit: Limit) -> None:
    watch(session, limit)
    session.work(1)
    session.clock.pump([0.1] * 50)
    looks = limit.looks
    session.clock.advance(3600)
    assert limit.looks == looks
    assert session.clock.getDelayedCalls() == []


def test_less_room_more_looks(session: Session, limit: Limit) -> None:
    watch(session, limit)
    counts = []
    for megabytes in (100, 840):
        limit.fill(megabytes)
        before = limit.looks
        session.work(10)
        session.clock.pump([1.0] * 5)
        counts.append(limit.looks - before)
    assert counts[0] <= 20
    assert counts[1] >= 40


def test_who_is_told_by_the_kernel_does_not_look_while_there_is_room(session: Session, limit: Limit) -> None:
    made = watch(session, limit, is_told=True)
    looks = limit.looks
    session.work(60)
    assert limit.looks <= looks + 1
    limit.fill(900)
    made.look()
    assert len(session.texts()) == 1
    limit.fill(100)
    session.work(3)
    assert session.texts()[1] is None


def test_copies_of_files_fill_the_group_but_warn_nobody(session: Session, limit: Limit) -> None:
    watch(session, limit, is_told=True)
    limit.fill(400, charged=1000)
    session.work(5)
    assert session.emitted == []
    limit.fill(880, charged=1000)
    session.work(5)
    assert len(session.texts()) == 1


def test_a_child_that_was_ended_is_told_once(session: Session, limit: Limit) -> None:
    limit.processes_ended = 2
    made = watch(session, limit)
    assert session.emitted == []
    limit.processes_ended = 3
    made.look()
    made.look()
    ((kind, data),) = session.emitted
    assert (kind, data["kind"]) == ("show_message", "warning")
    assert data["text"].startswith("A program that R had started was ended: the 1000 MB of memory that this session")


def test_other_limits_are_called_by_their_name() -> None:
    use = MemoryUse(900 * MEGABYTE, 900 * MEGABYTE, 1000 * MEGABYTE)
    shared = sentences.of_warning(MemoryLimit("self", use.limit, "/docker/x", "/docker/x"), use)
    assert shared.startswith("R and everything else that shares its limit use 900 MB of the 1000 MB")
    process = sentences.of_warning(MemoryLimit("self", use.limit), use)
    assert "beyond that it cannot make larger objects" in process
