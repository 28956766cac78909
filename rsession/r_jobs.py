"""Calls of R functions, each answered when R has had time for it."""

import json
from typing import Protocol

from twisted.internet.defer import Deferred, fail
from twisted.logger import Logger

from rsession.error_code import ErrorCode, RError, RpcError
from rsession.segment_kind import ResultKind

MAX_WAITING = 1000

_log = Logger()


class JobQueue(Protocol):
    """The part of the shim that takes jobs."""

    def post_job(self, number: int, call: list[bytes], /) -> None: ...
    def cancel_job(self, number: int, /) -> bool: ...


class RJobs:
    """Waiting calls by number; number 0 is the loading of the session's own R code."""

    def __init__(self, queue: JobQueue) -> None:
        self._queue = queue
        self._waiting: dict[int, Deferred[bytes]] = {}
        self._last = 0
        self._ended = False

    def call(self, function: str, *args: str) -> "Deferred[bytes]":
        """See `service_api.RJobs.call`."""
        if self._ended or len(self._waiting) >= MAX_WAITING:
            reason = "R has ended" if self._ended else "too many calls wait for R"
            return fail(RpcError(ErrorCode.UNAVAILABLE, reason))
        self._last = number = self._last + 1
        self._queue.post_job(number, [text.encode("utf-8", "replace") for text in (function, *args)])
        waiting: Deferred[bytes] = Deferred(lambda _: self._cancel(number))
        self._waiting[number] = waiting
        return waiting

    def read_result(self, number: int, kind: int, data: bytes) -> None:
        """One job has ended."""
        if number == 0 and kind == ResultKind.ERROR:
            _log.error("the session's R code cannot be loaded: {message}", message=data.decode("utf-8", "replace"))
        waiting = self._waiting.pop(number, None)
        if waiting is None or waiting.called:
            return
        if kind == ResultKind.ERROR:
            waiting.errback(RError(json.loads(data)))
        else:
            waiting.callback(data)

    def end(self) -> None:
        """R is gone: nothing will be answered any more."""
        self._ended = True
        waiting, self._waiting = self._waiting, {}
        for deferred in waiting.values():
            deferred.errback(RpcError(ErrorCode.UNAVAILABLE, "R has ended"))

    def _cancel(self, number: int) -> None:
        if self._queue.cancel_job(number):
            del self._waiting[number]
