"""Speaks to one session on its socket, as the server does."""

import http.client
import json
import socket
import time
from collections.abc import Callable
from typing import Any

_MOST = 1 << 24
_CODE = 'cat("six times seven is", 6 * 7, "\\n")'
_EXPECTED = "six times seven is 42"


class NoAnswer(Exception):
    """The session did not answer as it should; the text says what was asked."""


class SessionClient:
    """deadline: on the monotonic clock; alive: False once there is no process any more."""

    def __init__(self, path: str, deadline: float, alive: Callable[[], bool]) -> None:
        self._path, self._deadline, self._alive = path, deadline, alive
        self._client_id = ""

    def compute(self) -> str:
        """Have R compute something and quit it; R's version."""
        greeting = self._call("client_init")
        version = str(greeting["session"]["r_version"])
        self._client_id = greeting["clientId"]
        self._call("console_input", _CODE, "")
        self._await_output(greeting["eventId"])
        self._call("quit_session")
        return version

    def _await_output(self, seen: int) -> None:
        text = ""
        while _EXPECTED not in text:
            if not self._alive():
                raise NoAnswer("The session ended before R had computed anything")
            for event in self._call("get_events", seen):
                seen = event["id"]
                if event["type"] == "console_write_output":
                    text += event["data"]["text"]

    def _call(self, method: str, *params: object) -> Any:
        body = json.dumps({"method": method, "params": params, "clientId": self._client_id})
        connection = _UnixConnection(self._path, self._seconds_left(method))
        try:
            connection.request("POST", f"/rpc/{method}", body, {"Content-Type": "application/json"})
            answer = json.loads(connection.getresponse().read(_MOST))
            if "result" in answer:
                return answer["result"]
            raise NoAnswer(f"{method} was answered with {str(answer.get('error'))[:500]}")
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise NoAnswer(f"The session did not answer {method}: {error or type(error).__name__}") from None
        finally:
            connection.close()

    def _seconds_left(self, method: str) -> float:
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise NoAnswer(f"The session did not answer {method} in time")
        return left


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: str, seconds: float) -> None:
        super().__init__("localhost", timeout=seconds)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)
