"""A session that serves programs."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.rsession.running import RunningSession


class Program:
    """What sends requests to a session."""

    def __init__(self, session: RunningSession) -> None:
        self.session = session

    def send(self, method: str, path: str, body: bytes | None = None) -> tuple[int, Any]:
        """Status and answer, decoded when it is JSON."""
        answer = self.session.http(method, f"/remote/{path}", body)
        data = answer.read()
        is_json = answer.getheader("Content-Type") == "application/json"
        return answer.status, json.loads(data) if is_json else data

    def execute(self, code: str, **more: object) -> dict[str, Any]:
        """The answer to code."""
        status, answer = self.send("POST", "execute", json.dumps({"code": code, **more}).encode())
        assert status == 200, answer
        assert set(answer) == {"success", "errorMessage", "outputParameters", "consoleOutput", "changedFiles"}
        return dict(answer)

    def value(self, code: str, name: str = "x") -> Any:
        """What an object is after code, as JSON."""
        answer = self.execute(code, outputParameters=[name])
        assert answer["success"], answer
        return answer["outputParameters"][0]["value"]


@pytest.fixture(scope="module")
def program() -> Iterator[Program]:
    """Of a session for all tests of the file."""
    with RunningSession(["--remote=1"]) as session:
        yield Program(session)
