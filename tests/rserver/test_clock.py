"""A time limit ends with its own error, whatever it was put on."""

import asyncio
from typing import Any

import pytest
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

from rserver.clock import limit
from tests.rserver.own_loop import run


def of_future(loop: asyncio.AbstractEventLoop) -> "Deferred[None]":
    return Deferred.fromFuture(loop.create_future())


@pytest.mark.parametrize("make", [lambda _: Deferred(), of_future])
def test_what_takes_too_long_fails_with_the_error_that_was_given(make: Any) -> None:
    async def wait() -> None:
        clock, results = Clock(), list[Any]()
        limit(make(asyncio.get_running_loop()), 5.0, clock, TimeoutError("late")).addBoth(results.append)
        clock.advance(4.9)
        assert results == []
        clock.advance(0.2)
        for _ in range(2):
            await asyncio.sleep(0)
        assert [str(result.value) for result in results] == ["late"]

    run(wait())
