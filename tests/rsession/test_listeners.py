"""Who follows the log, and when R must wait."""

from twisted.internet.task import Clock

from rsession.event_log import EventLog
from rsession.listeners import LAG_LIMIT, PATIENCE_SECONDS, POLL_GRACE_SECONDS, POLL_SECONDS, Listeners


class Follower:
    """A listener that takes everything while it has room."""

    def __init__(self, log: EventLog, has_room: bool = True) -> None:
        self._log = log
        self.has_room = has_room
        self.position = 0

    def pump(self) -> None:
        if self.has_room:
            self.position = self._log.last_id


def fill(log: EventLog) -> None:
    for _ in range(6):
        log.append("x", "y" * (LAG_LIMIT // 4))


def test_nobody_makes_r_wait_when_nobody_listens() -> None:
    log = EventLog()
    fill(log)
    assert not Listeners(log, Clock()).must_wait()


def test_the_fastest_decides() -> None:
    log = EventLog()
    listeners = Listeners(log, Clock())
    slow, fast = Follower(log, has_room=False), Follower(log)
    listeners.add(slow)
    fill(log)
    assert listeners.must_wait()
    listeners.add(fast)
    assert not listeners.must_wait()


def test_a_listener_that_stands_still_is_not_waited_for_for_ever() -> None:
    log, clock = EventLog(), Clock()
    listeners = Listeners(log, clock)
    stuck = Follower(log, has_room=False)
    listeners.add(stuck)
    fill(log)
    assert listeners.must_wait()
    clock.advance(PATIENCE_SECONDS + 1)
    assert not listeners.must_wait()
    stuck.position += 1
    fill(log)
    assert listeners.must_wait()


def test_leaving_lets_r_go_on() -> None:
    log = EventLog()
    listeners = Listeners(log, Clock())
    progress: list[bool] = []
    listeners.on_progress = lambda: progress.append(True)
    follower = Follower(log, has_room=False)
    listeners.add(follower)
    listeners.remove(follower)
    listeners.remove(follower)
    assert progress == [True]


def test_a_poll_is_answered_by_the_next_event() -> None:
    log, clock = EventLog(), Clock()
    listeners = Listeners(log, clock)
    answers: list[list[str]] = []
    listeners.poll(0).addCallback(answers.append)
    assert answers == []
    log.append("x", 1)
    listeners.notify()
    assert len(answers[0]) == 1
    assert clock.getDelayedCalls() == []


def test_a_poll_gives_up_after_its_time() -> None:
    log, clock = EventLog(), Clock()
    listeners = Listeners(log, clock)
    answers: list[list[str]] = []
    listeners.poll(0).addCallback(answers.append)
    clock.advance(POLL_SECONDS)
    assert answers == [[]]


def test_a_cancelled_poll_leaves_nothing_behind() -> None:
    log, clock = EventLog(), Clock()
    listeners = Listeners(log, clock)
    poll = listeners.poll(0)
    poll.addErrback(lambda failure: None)
    poll.cancel()
    assert clock.getDelayedCalls() == []
    log.append("x", 1)
    listeners.notify()


def test_a_client_that_polls_is_a_listener_for_a_while() -> None:
    log, clock = EventLog(), Clock()
    listeners = Listeners(log, clock)
    fill(log)
    listeners.poll(0)
    assert listeners.must_wait()
    clock.advance(POLL_GRACE_SECONDS)
    assert not listeners.must_wait()
