import queue
import threading
from collections.abc import Callable
from typing import Any

import pytest
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

from rserver.worker_threads import ThreadsBusy, ThreadTimeout, WorkerThreads

SECONDS = 10


class Loop:
    """The reactor's side: takes calls from threads, makes them in the test."""

    def __init__(self) -> None:
        self._calls: queue.Queue[Callable[[], None]] = queue.Queue()

    def callFromThread(self, call: Callable[..., Any], *args: object, **kwargs: object) -> None:
        self._calls.put(lambda: call(*args, **kwargs))

    def result(self, deferred: "Deferred[Any]") -> Any:
        results: list[Any] = []
        deferred.addBoth(results.append)
        while not results:
            self._calls.get(timeout=SECONDS)()
        return results[0]


@pytest.fixture
def loop() -> Loop:
    return Loop()


def test_calls_are_made_elsewhere_in_order(loop: Loop) -> None:
    threads = WorkerThreads(loop, "one")
    order: list[int] = []
    calls = [threads.run(lambda n=n: order.append(n) or threading.current_thread().name) for n in range(5)]  # type: ignore[misc]
    assert [loop.result(call) for call in calls] == ["one-1"] * 5
    assert order == [0, 1, 2, 3, 4]
    threads.stop()


def test_errors_come_back(loop: Loop) -> None:
    threads = WorkerThreads(loop, "one")
    assert loop.result(threads.run(lambda: 1 // 0)).type is ZeroDivisionError
    assert loop.result(threads.run(lambda: 7)) == 7
    threads.stop()


def test_several_threads_and_a_bounded_queue(loop: Loop) -> None:
    threads = WorkerThreads(loop, "two", size=2, most_waiting=1)
    door, inside = threading.Event(), threading.Semaphore(0)

    def wait() -> bool:
        inside.release()
        return door.wait(SECONDS)

    first = threads.run(wait)
    assert inside.acquire(timeout=SECONDS)
    second = threads.run(wait)
    assert inside.acquire(timeout=SECONDS)
    third = threads.run(lambda: True)
    assert loop.result(threads.run(lambda: True)).type is ThreadsBusy
    door.set()
    assert [loop.result(call) for call in (first, second, third)] == [True, True, True]
    threads.stop()


def test_a_call_that_hangs_is_not_waited_for(loop: Loop) -> None:
    threads, clock, door = WorkerThreads(loop, "one"), Clock(), threading.Event()
    hung = threads.run_within(5.0, clock, door.wait)
    clock.advance(5)
    assert loop.result(hung).type is ThreadTimeout
    door.set()
    assert loop.result(threads.run(lambda: "next")) == "next"
    threads.stop()


def test_nothing_is_taken_after_the_end(loop: Loop) -> None:
    threads = WorkerThreads(loop, "one")
    threads.stop()
    assert loop.result(threads.run(lambda: 1)).type is ThreadsBusy
