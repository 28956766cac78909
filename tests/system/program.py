"""A program that speaks to the door of programs."""

import http.client
import json
import re
from types import TracebackType
from typing import Any

from tests.system.accounts import Account
from tests.system.running_server import RunningServer

_PORT = re.compile(r"listening for programs on https?://127\.0\.0\.1:(\d+)/")


class Program:
    """One connection and one token."""

    def __init__(self, server: RunningServer, token: str = "") -> None:
        self.port = int(server.wait_for_line(_PORT).group(1))
        self.token, self.refresh_token = token, ""
        self.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)

    def __enter__(self) -> "Program":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.connection.close()

    def send(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:
        """Status and answer, decoded when it is JSON; a body that is not bytes is sent as JSON."""
        if self.token:
            headers.setdefault("Authorization", f"Bearer {self.token}")
        data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        self.connection.request(method, path, data, headers)
        response = self.connection.getresponse()
        answer = response.read()
        is_json = (response.getheader("Content-Type") or "").startswith("application/json")
        return response.status, json.loads(answer) if is_json else answer

    def login(self, account: Account) -> dict[str, Any]:
        """Sign in, and use the token from now on."""
        status, tokens = self.send("POST", "/login", {"username": account.name, "password": account.password})
        assert status == 200, tokens
        self.token, self.refresh_token = tokens["access_token"], tokens["refresh_token"]
        return dict(tokens)

    def new_session(self, **wanted: object) -> str:
        """The path of a new session."""
        status, made = self.send("POST", "/sessions", wanted)
        assert status == 201, made
        return f"/sessions/{made['sessionId']}"

    def execute(self, session: str, code: str, **more: object) -> dict[str, Any]:
        """The answer to code."""
        status, answer = self.send("POST", f"{session}/execute", {"code": code, **more})
        assert status == 200, answer
        return dict(answer)
