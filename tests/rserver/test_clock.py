"""A time limit ends with its own error, whatever it was put on."""

import asyncio
from typing import Any

import pytest
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

from rserver.clock import limit


def of_future(loop: asyncio.AbstractEventLoop) -> "Deferred[None]":
    return Deferred.fromFuture(loop.create_future())


@pytest.mark.parametrize("make", [lambda _: Deferred(), of_future])
def test_what_takes_too_long_fails_with_the_error_that_was_given(make: Any) -> None:
    loop = asyncio.new_event_loop()
    try:
        clock, results = Clock(), list[Any]()
        limit(make(loop), 5.0, clock, TimeoutError("late")).addBoth(results.append)
        clock.advance(4.9)
        assert results == []
        clock.advance(0.2)
        loop.run_until_complete(asyncio.sleep(0))
        loop.run_until_complete(asyncio.sleep(0))
        assert [str(result.value) for result in results] == ["late"]
    finally:
        loop.close()
