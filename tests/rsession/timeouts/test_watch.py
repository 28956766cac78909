"""The watch of time-outs, with a clock that the test moves and doubles of R and its pages."""

from collections.abc import Callable
from typing import Any

import pytest
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

from rsession.ending import Ending
from rsession.error_code import ErrorCode, RpcError
from rsession.timeouts.policy import Limits
from rsession.timeouts.watch import BLOCKED_LOOK_SECONDS, EXIT_KILLED, RETRY_SECONDS, Timeouts
from rsession.workspace.blockers import Blocker

MINUTE, HOUR = 60.0, 3600.0
CONNECTION = Blocker("connections", "Connections are open: x.txt.")


class World:
    """What the watch sees of a session."""

    def __init__(self, **limits: Any) -> None:
        self.clock = Clock()
        self.console = self.listeners = self.process = self.events = self
        self.is_busy = self.is_followed = self.has_ended = False
        self.is_running = self.is_writing = False
        self.ending = Ending()
        self.told: list[dict[str, Any]] = []
        self.done: list[str] = []
        self.standing: list[Blocker] = []
        self.found_when_writing: list[Blocker] = []
        self.trouble = ""
        self.on_change: list[Callable[[], None]] = []
        self.on_refusal: list[Callable[[list[Blocker]], None]] = []
        self._prompted: list[Callable[[], None]] = []
        self.timeouts = Timeouts(self, self, Limits(**limits))  # type: ignore[arg-type]
        self.timeouts.begin()

    def on_prompt(self, callback: Callable[[], None]) -> None:
        self._prompted.append(callback)

    def emit(self, type_: str, data: dict[str, Any]) -> None:
        assert type_ == "session_timeouts"
        self.told.append(data)

    def end(self, *, save: bool, is_busy: bool) -> None:
        assert not save
        assert not is_busy
        self.done.append("quit")
        self.has_ended = True

    def leave(self, status: int, reason: str) -> None:
        self.done.append(f"left with {status}: {reason}")
        self.has_ended = True

    async def blockers(self) -> list[Blocker]:
        return self.standing

    async def suspend(self, is_forced: bool, reason: str = "") -> dict[str, object]:
        assert not is_forced
        self.done.append(f"suspension: {reason}")
        if self.trouble:
            raise RpcError(ErrorCode.NOT_WRITABLE, self.trouble)
        if self.found_when_writing:
            for callback in self.on_refusal:
                callback(self.found_when_writing)
            self.standing = self.found_when_writing
            return {"suspended": False}
        self.has_ended = True
        return {"suspended": True}

    def pass_time(self, seconds: float) -> None:
        self.clock.pump([1.0] * int(seconds))

    def prompt(self) -> None:
        self.is_busy = False
        for callback in self._prompted:
            callback()

    @property
    def phase(self) -> str:
        return str(self.timeouts.state()["phase"])


def test_it_warns_and_then_suspends_with_the_page_open() -> None:
    world = World(idle=10 * MINUTE, warning=2 * MINUTE)
    world.is_followed = True
    world.pass_time(8 * MINUTE - 2)
    assert (world.phase, world.told) == ("active", [])
    world.pass_time(3)
    assert world.told[-1]["phase"] == "warned"
    assert (world.told[-1]["action"], world.told[-1]["seconds"]) == ("suspend", 120)
    world.pass_time(2 * MINUTE)
    assert world.done == ["suspension: Nobody used it for 10 minutes."]


def test_nobody_is_warned_of_a_suspension_that_something_stands_against() -> None:
    world = World(idle=10 * MINUTE, warning=MINUTE)
    world.is_followed = True
    world.standing = [CONNECTION]
    world.pass_time(9 * MINUTE + 15)
    assert [each["phase"] for each in world.told] == ["blocked"]
    assert (world.told[0]["text"], world.done) == ("Nobody uses this session.", [])
    world.standing = []
    world.pass_time(15)
    assert world.phase == "warned"
    world.pass_time(30)
    assert len(world.done) == 1


def test_who_asks_hears_of_no_end_that_something_stands_against_since_the_warning() -> None:
    world = World(idle=10 * MINUTE, warning=2 * MINUTE)
    world.is_followed = True
    world.pass_time(8 * MINUTE + 5)
    assert world.phase == "warned"
    world.standing = [CONNECTION]
    (answer,) = answers(world)
    assert answer["timeouts"]["phase"] == world.phase == "blocked"
    assert answer["timeouts"]["seconds"] is None
    world.standing = []
    world.pass_time(15)
    assert world.phase == "warned"
    world.pass_time(2 * MINUTE)
    assert len(world.done) == 1


def answers(world: World) -> list[dict[str, Any]]:
    """What the server is told."""
    found: list[dict[str, Any]] = []
    Deferred.fromCoroutine(world.timeouts.status()).addCallback(found.append)
    return found


def test_whoever_does_something_puts_it_off_and_the_warning_is_taken_back() -> None:
    world = World(idle=10 * MINUTE, warning=2 * MINUTE)
    world.pass_time(9 * MINUTE)
    assert world.phase == "warned"
    world.timeouts.touch()
    world.pass_time(1)
    assert world.told[-1]["phase"] == "active"
    world.pass_time(10 * MINUTE - 3)
    assert world.done == []
    world.pass_time(5)
    assert len(world.done) == 1


def test_work_is_use() -> None:
    world = World(idle=10 * MINUTE)
    world.is_busy = True
    world.pass_time(HOUR)
    assert world.done == []
    world.prompt()
    world.pass_time(10 * MINUTE - 2)
    assert world.done == []
    world.pass_time(4)
    assert len(world.done) == 1


def test_what_stands_against_it_is_told_while_it_is_true_and_then_it_is_suspended() -> None:
    world = World(idle=10 * MINUTE)
    world.standing = [CONNECTION]
    world.pass_time(10 * MINUTE + 2)
    assert world.told[-1] == {
        "phase": "blocked",
        "action": None,
        "seconds": None,
        "text": "Nobody used it for 10 minutes.",
        "blockers": [CONNECTION.as_json()],
    }
    world.pass_time(HOUR)
    assert len(world.told) <= 2, "the same is not told again and again"
    assert world.done == []
    world.standing = []
    world.pass_time(BLOCKED_LOOK_SECONDS + 2)
    assert len(world.done) == 1


def test_what_is_found_while_writing_blocks_too() -> None:
    world = World(idle=10 * MINUTE)
    world.found_when_writing = [Blocker("external_pointers", "Pointers.")]
    world.pass_time(11 * MINUTE)
    assert (world.phase, len(world.done)) == ("blocked", 1)
    world.standing = world.found_when_writing = []
    world.pass_time(BLOCKED_LOOK_SECONDS + 2)
    assert len(world.done) == 2


def test_a_full_disk_is_tried_again_later_and_told_meanwhile() -> None:
    world = World(idle=10 * MINUTE)
    world.trouble = "The disk is full."
    world.pass_time(12 * MINUTE)
    assert (world.phase, len(world.done)) == ("blocked", 1)
    assert world.told[-1]["blockers"] == [{"kind": "storage", "reason": "The disk is full."}]
    world.trouble = ""
    world.pass_time(RETRY_SECONDS)
    assert len(world.done) == 2


def test_a_refusal_is_told_until_nothing_stands_against_it() -> None:
    world = World()
    for callback in world.on_refusal:
        callback([CONNECTION])
    world.standing = [CONNECTION]
    world.pass_time(MINUTE)
    assert (world.phase, world.told[-1]["blockers"]) == ("blocked", [CONNECTION.as_json()])
    world.standing = []
    world.pass_time(BLOCKED_LOOK_SECONDS + 2)
    assert (world.phase, world.done) == ("active", [])


def test_quitting_instead_says_why() -> None:
    world = World(idle=10 * MINUTE, suspends=False)
    world.pass_time(11 * MINUTE)
    assert (world.done, world.ending.last_word) == (["quit"], "Nobody used it for 10 minutes.")


def test_the_kill_comes_while_r_works_and_after_a_warning() -> None:
    world = World(idle=HOUR, kill=8 * HOUR, warning=MINUTE)
    world.is_busy = world.is_followed = True
    world.pass_time(8 * HOUR - 4 * MINUTE)
    assert (world.told[-1]["phase"], world.told[-1]["action"]) == ("warned", "kill")
    assert world.done == []
    world.pass_time(5 * MINUTE)
    assert len(world.done) == 1
    assert world.done[0].startswith(f"left with {EXIT_KILLED}: Nobody used it for 8 hours.")


def test_without_a_page_the_other_time_counts() -> None:
    world = World(idle=HOUR, disconnected=5 * MINUTE)
    world.is_followed = True
    world.pass_time(20 * MINUTE)
    assert world.done == []
    world.is_followed = False
    world.pass_time(6 * MINUTE)
    assert world.done == ["suspension: No page was open for 5 minutes."]


def test_an_interaction_while_the_question_is_open_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(idle=10 * MINUTE)

    async def touched_meanwhile() -> list[Blocker]:
        world.timeouts.touch()
        return []

    monkeypatch.setattr(world, "blockers", touched_meanwhile)
    world.pass_time(11 * MINUTE)
    assert world.done == []


def test_a_page_that_opens_while_it_is_written_is_told() -> None:
    world = World(idle=HOUR)
    world.is_writing = world.is_running = True
    for callback in world.on_change:
        callback()
    assert world.told[-1]["phase"] == "suspending"
    world.is_writing = world.is_running = False
    for callback in world.on_change:
        callback()
    assert world.told[-1]["phase"] == "active"
