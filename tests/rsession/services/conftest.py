"""One real session for all tests of a module."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from tests.rsession.running import EventStream, RunningSession, evaluate, ready


@dataclass(frozen=True)
class Desk:
    """A session and one listener of it."""

    session: RunningSession
    events: EventStream

    def run(self, code: str) -> str:
        """Output of code, once R waits again."""
        return evaluate(self.session, self.events, code)

    def call(self, method: str, *params: object) -> Any:
        """The result of an RPC."""
        return self.session.call(method, *params)

    def error(self, method: str, *params: object) -> dict[str, Any]:
        """The error of an RPC."""
        error: dict[str, Any] = self.session.rpc(method, *params)["error"]
        return error

    def get(self, path: str) -> tuple[int, bytes, dict[str, str]]:
        """Status, body and headers."""
        answer = self.session.http("GET", path)
        return answer.status, answer.read(), {name.lower(): value for name, value in answer.getheaders()}


@pytest.fixture(scope="module")
def desk() -> Iterator[Desk]:
    """A session at its first prompt."""
    with RunningSession() as session:
        events = ready(session)
        yield Desk(session, events)
        events.close()
