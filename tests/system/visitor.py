"""Somebody with a browser, as far as HTTP goes: cookies, forms, RPC, the event stream."""

import http.client
import json
import time
import urllib.parse
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

Event = dict[str, Any]


@dataclass(frozen=True)
class Answer:
    """A response that was read whole."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def location(self) -> str:
        """Where a redirect leads."""
        return self.headers["Location"] or ""

    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)


@dataclass
class Visitor:
    """One cookie jar and one address."""

    port: int
    cookies: dict[str, str] = field(default_factory=dict)
    seen: int = 0
    client_id: str = ""
    session_path: str = ""

    def request(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: float = 70,
    ) -> Answer:
        """Send one request with our cookies."""
        connection = self.connection(timeout)
        fields = dict(headers or {})
        if self.cookies:
            fields["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        try:
            connection.request(method, path, body, fields)
            response = connection.getresponse()
            answer = Answer(response.status, response.headers, response.read())
        finally:
            connection.close()
        self._keep_cookies(answer)
        return answer

    def connection(self, timeout: float = 70) -> http.client.HTTPConnection:
        """A connection to the server."""
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)

    def get(self, path: str, headers: Mapping[str, str] | None = None) -> Answer:
        """GET."""
        return self.request("GET", path, headers=headers)

    def post_form(self, path: str, **fields: str) -> Answer:
        """POST a form with the CSRF token of our cookie."""
        fields.setdefault("rs-csrf-token", self.cookies.get("rs-csrf-token", ""))
        body = urllib.parse.urlencode(fields).encode()
        return self.request("POST", path, body, {"Content-Type": "application/x-www-form-urlencoded"})

    def post_json(self, path: str, value: Any, timeout: float = 70) -> Answer:
        """POST JSON with the CSRF header."""
        token = self.cookies.get("rs-csrf-token", "")
        body = json.dumps(value).encode()
        headers = {"Content-Type": "application/json", "X-RS-CSRF-Token": token}
        return self.request("POST", path, body, headers, timeout)

    def sign_in(self, user: str, password: str, app_uri: str = "/") -> Answer:
        """Fetch the page, post the form; the answer to the post."""
        self.get("/auth-sign-in")
        return self.post_form("/auth-do-sign-in", username=user, password=password, appUri=app_uri)

    def open_session(self) -> dict[str, Any]:
        """Follow / to our session and greet it; the answer of client_init."""
        self.session_path = self.get("/").location
        assert self.session_path.startswith("/s/"), self.session_path
        self.get(self.session_path)
        return self.init()

    def init(self) -> dict[str, Any]:
        """client_init, again after the session was started anew."""
        self.client_id = ""
        result: dict[str, Any] = self.rpc("client_init")
        self.client_id, self.seen = result["clientId"], result["eventId"]
        return result

    def rpc_answer(self, method: str, *params: Any, timeout: float = 70) -> dict[str, Any]:
        """The whole JSON answer of a method of our session."""
        body = {"method": method, "params": params, "clientId": self.client_id}
        answer: dict[str, Any] = self.post_json(f"{self.session_path}rpc/{method}", body, timeout).json()
        return answer

    def rpc(self, method: str, *params: Any, timeout: float = 70) -> Any:
        """The result of a method of our session; fails on an error."""
        answer = self.rpc_answer(method, *params, timeout=timeout)
        assert "error" not in answer, answer
        return answer["result"]

    def events(self, seconds: float = 60) -> Iterator[Event]:
        """Events after the last one seen, by long poll, for at most that long."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            for event in self.rpc("get_events", self.seen):
                self.seen = event["id"]
                yield event

    def wait_for(self, wanted: Callable[[Event], bool], seconds: float = 60) -> list[Event]:
        """All events up to the first wanted one."""
        found = []
        for event in self.events(seconds):
            found.append(event)
            if wanted(event):
                return found
        raise AssertionError(f"not among {len(found)} events: {found[-5:]}")

    def wait_for_prompt(self, seconds: float = 60) -> str:
        """All output up to the next prompt."""
        return text_of(self.wait_for(lambda event: event["type"] == "console_prompt", seconds))

    def run(self, code: str, seconds: float = 60) -> str:
        """Type a line at the prompt; what R wrote until it asked again."""
        self.rpc("console_input", code, "")
        return self.wait_for_prompt(seconds)

    def _keep_cookies(self, answer: Answer) -> None:
        for header in answer.headers.get_all("Set-Cookie") or []:
            name, _, rest = header.partition("=")
            value = rest.partition(";")[0]
            if not value or "max-age=0" in header.lower():
                self.cookies.pop(name, None)
            else:
                self.cookies[name] = value


def text_of(events: list[Event]) -> str:
    """What R wrote in these events."""
    return "".join(
        event["data"]["text"] for event in events if event["type"] in {"console_write_output", "console_write_error"}
    )
