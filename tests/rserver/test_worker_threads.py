import queue
import threading
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from twisted.internet.task import Clock

from rserver.worker_threads import ThreadsBusy, ThreadTimeout, WorkerThreads

if TYPE_CHECKING:
    from twisted.internet.defer import Deferred

SECONDS = 10


class Loop:
    """The reactor's side: takes calls from threads, makes them in the test."""

    def __init__(self) -> None:
        self._calls: queue.Queue[Callable[[], None]] = queue.Queue()

    def callFromThread(self, callable: Callable[..., Any], *args: object, **kwargs: object) -> None:  # noqa: A002
        self._calls.put(lambda: callable(*args, **kwargs))

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
    order: list[tuple[int, str]] = []
    calls = [threads.run(partial(lambda n: order.append((n, threading.current_thread().name)), n)) for n in range(5)]
    for call in calls:
        loop.result(call)
    assert order == [(n, "one-1") for n in range(5)]
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
