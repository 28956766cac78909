"""Executions that go on whoever waits for them: who comes back with the same id gets the same answer."""

import re
from collections import OrderedDict
from typing import TYPE_CHECKING

from twisted.internet.defer import Deferred, fail, succeed
from twisted.python.failure import Failure

from rsession.http_message import Refusal

if TYPE_CHECKING:
    from collections.abc import Callable

MOST_KEPT = 100
_ID = re.compile(r"[A-Za-z0-9._:-]{1,128}", re.ASCII)
Answer = dict[str, object]


class Run:
    """One execution, and who waits for its answer."""

    def __init__(self, answer: "Deferred[Answer]") -> None:
        self._result: Answer | Failure | None = None
        self._waiting: list[Deferred[Answer]] = []
        answer.addBoth(self._ended)

    @property
    def is_over(self) -> bool:
        """There is an answer."""
        return self._result is not None

    def wait(self) -> "Deferred[Answer]":
        """The answer; who does not want it any more cancels, and the execution goes on."""
        if self._result is not None:
            return fail(self._result) if isinstance(self._result, Failure) else succeed(self._result)
        waiting: Deferred[Answer] = Deferred(self._waiting.remove)
        self._waiting.append(waiting)
        return waiting

    def _ended(self, result: "Answer | Failure") -> None:
        self._result = result
        waiting, self._waiting = self._waiting, []
        for deferred in waiting:
            deferred.callback(result)


class Runs:
    """By the ids that programs give them; the last hundred that have one."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, Run] = OrderedDict()

    def begin(self, run_id: str, start: "Callable[[], Deferred[Answer]]") -> "Deferred[Answer]":
        """The answer of the execution with this id, which is started when there is none; empty: an own one. Refusal."""
        if not run_id:
            return Run(start()).wait()
        if _ID.fullmatch(run_id) is None:
            raise Refusal(400, "X-Request-Id must have 1 to 128 letters, digits or characters of . _ : -")
        run = self._kept.get(run_id)
        if run is None:
            run = self._kept[run_id] = Run(start())
            self._drop_old()
        return run.wait()

    def _drop_old(self) -> None:
        over = [run_id for run_id, run in self._kept.items() if run.is_over]
        for run_id in over[: max(0, len(self._kept) - MOST_KEPT)]:
            del self._kept[run_id]
