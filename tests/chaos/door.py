"""One client in front of one session, through the web door."""

import http.client
import json
import time
from collections.abc import Callable, Iterator
from typing import Any

from tests.system.visitor import Event, Visitor

CALL_SECONDS = 25.0
POLL_SECONDS = 30.0
_LOST = (OSError, http.client.HTTPException, ValueError, KeyError)


class Interrupted(Exception):
    """The answer did not come, or says that the session cannot do it now: what was asked may or may not be done."""


class Refused(Exception):
    """The session answered with an error of its own; code and message."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code


# The session cannot be reached, is not available, is offline, failed, or does not know us any more.
_UNAVAILABLE = frozenset({1, 2, 4, 13, 21, 200})


class Door:
    """A page that is open."""

    def __init__(self, port: int, cookies: dict[str, str], session_path: str) -> None:
        self.visitor = Visitor(port, cookies, session_path=session_path)
        self.session_id = session_path.rstrip("/").rpartition("/")[2]

    @property
    def seen(self) -> int:
        """Number of the last event that was read."""
        return self.visitor.seen

    def rest(self, method: str, action: str = "", value: object = None, seconds: float = CALL_SECONDS) -> Any:
        """A request to /api/sessions/{id}; Interrupted."""
        path = f"/api/sessions/{self.session_id}{action}"
        headers = {
            "Content-Type": "application/json",
            "X-RS-CSRF-Token": self.visitor.cookies.get("rs-csrf-token", ""),
        }
        try:
            body = None if value is None else json.dumps(value).encode()
            answer = self.visitor.request(method, path, body, headers, seconds)
            if answer.status >= 400:
                raise Interrupted(f"{method} {action}: {answer.status} {answer.body[:300]!r}")
            return answer.json()
        except _LOST as error:
            raise Interrupted(f"{method} {action}: {type(error).__name__}: {error}") from None

    def state(self) -> dict[str, Any]:
        """As the list shows it; Interrupted."""
        shown: dict[str, Any] = self.rest("GET")
        return shown

    def call(self, method: str, *params: object, seconds: float = CALL_SECONDS) -> Any:
        """The result of a method; Interrupted, Refused."""
        try:
            answer = self.visitor.rpc_answer(method, *params, timeout=seconds)
        except _LOST as error:
            raise Interrupted(f"{method}: {type(error).__name__}: {error}") from None
        if "error" not in answer:
            return answer["result"]
        told = answer["error"]
        if told["code"] in _UNAVAILABLE:
            raise Interrupted(f"{method}: {told}")
        raise Refused(told["code"], told["message"])

    def greet(self) -> dict[str, Any]:
        """client_init; starts or resumes what is not there."""
        self.visitor.client_id = ""
        hello: dict[str, Any] = self.call("client_init", seconds=90)
        self.visitor.client_id, self.visitor.seen = hello["clientId"], hello["eventId"]
        return hello

    def events(self, seconds: float) -> Iterator[Event]:
        """What comes after the last event that was seen; Interrupted when that takes longer."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            for event in self.call("get_events", self.visitor.seen, seconds=POLL_SECONDS):
                self.visitor.seen = event["id"]
                yield event
        raise Interrupted(f"nothing came in {seconds:.0f} s")

    def run(self, code: str, seconds: float = 40.0) -> str:
        """Type a line; what R wrote until it asked again. Interrupted, Refused."""
        self.call("console_input", code, "")
        return self.output_until(lambda event, begun: begun and event["type"] == "console_prompt", code, seconds)

    def output_until(self, ended: Callable[[Event, bool], bool], code: str, seconds: float) -> str:
        """What R wrote after it was given `code`; ended is told of each event and whether R was given it."""
        begun, output = False, ""
        for event in self.events(seconds):
            begun = begun or (event["type"] == "console_write_input" and code in event["data"]["text"])
            if begun and event["type"] == "console_write_output":
                output += event["data"]["text"]
            if event["type"] == "quit":
                raise Interrupted(f"R ended: {event['data']}")
            if ended(event, begun):
                return output
        raise AssertionError("events end by Interrupted only")
