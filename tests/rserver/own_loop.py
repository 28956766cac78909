"""Coroutines in tests: the loop of the main thread may belong to the browser of other tests."""

import asyncio
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

_LIMIT_SECONDS = 60

T = TypeVar("T")


def run(work: Coroutine[Any, Any, T]) -> T:
    """What it returns, from a loop and a thread of its own."""
    with ThreadPoolExecutor(1) as executor:
        return executor.submit(asyncio.run, work).result(_LIMIT_SECONDS)
