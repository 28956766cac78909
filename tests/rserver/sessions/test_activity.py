import pytest
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

from rserver.sessions.activity import FRESH_SECONDS, LIMIT_SECONDS, Activity, ActivityMeter, read_answer
from rserver.sessions.machine import Input
from rserver.sessions.probe import NoAnswer
from rserver.sessions.session import Session
from rserver_core.launch_wire import SessionRecord
from tests.rserver.doubles import record

ACTIVE: dict[str, object] = {"phase": "active", "action": None, "seconds": None, "text": "", "blockers": []}


def answer(**more: object) -> dict[str, object]:
    return {"result": {"idle": 5, "busy": False, "blockers": [], "timeouts": ACTIVE, **more}}


def test_answers() -> None:
    assert read_answer(answer()) == Activity(5.0, False)
    blockers = [{"kind": "busy", "reason": "R is working."}]
    assert read_answer(answer(busy=True, blockers=blockers)) == Activity(5.0, True, ("R is working.",))
    near = {**ACTIVE, "phase": "warned", "action": "kill", "seconds": 60}
    assert read_answer(answer(timeouts=near)) == Activity(5.0, False, (), "kill", 60)
    held = {**ACTIVE, "phase": "blocked"}
    assert read_answer(answer(blockers=blockers, timeouts=held)).is_held


@pytest.mark.parametrize(
    "value",
    [
        None,
        [],
        {},
        {"error": {"code": 7, "message": "there is no method"}},
        answer(idle="long"),
        answer(blockers=5),
        answer(blockers=[{"kind": "busy"}]),
        answer(timeouts=None),
        answer(idle=float("inf"), timeouts={**ACTIVE, "phase": "warned", "seconds": float("inf")}),
    ],
)
def test_anything_else_is_no_answer(value: object) -> None:
    with pytest.raises(NoAnswer):
        read_answer(value)


class World:
    """One running session that answers when the test says so."""

    def __init__(self) -> None:
        self.clock, self.asked = Clock(), list[Deferred[Activity]]()
        self.meter = ActivityMeter(self.clock, self._ask)
        self.session = Session("0123456789abcdef01234", "alice", 1001)
        self.session.move(Input.RESUME)
        self.session.move(Input.STARTED, record(self.session.id))
        self.session.move(Input.ANSWERED)

    def _ask(self, _record: SessionRecord) -> "Deferred[Activity]":
        self.asked.append(Deferred())
        return self.asked[-1]

    def measure(self) -> list[dict[str, Activity]]:
        results = list[dict[str, Activity]]()
        Deferred.fromCoroutine(self.meter.measure([self.session])).addCallback(results.append)
        return results


def test_one_question_serves_all_who_ask_within_two_seconds() -> None:
    world = World()
    first = world.measure()
    world.asked[0].callback(Activity(1.0, False))
    assert first == [{world.session.id: Activity(1.0, False)}]
    assert world.measure() == first
    assert len(world.asked) == 1
    world.clock.advance(FRESH_SECONDS)
    world.measure()
    assert len(world.asked) == 2


def test_who_does_not_answer_costs_a_second_and_is_left_out() -> None:
    world = World()
    found = world.measure()
    assert found == []
    world.clock.advance(LIMIT_SECONDS)
    assert found == [{}]


def test_what_does_not_run_is_not_asked() -> None:
    world = World()
    world.session.move(Input.SUSPEND)
    assert world.measure() == [{}]
    assert world.asked == []
