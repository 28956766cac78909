"""A whole server of its own with throw-away accounts, and somebody signed in to it."""

import contextlib
import json
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from bench.figures import skipped  # noqa: E402
from bench.web_client import EventSocket, KeptConnection, request_head  # noqa: E402
from tests.system.accounts import Account, account  # noqa: E402
from tests.system.running_server import RunningServer, running_server  # noqa: E402
from tests.system.visitor import Visitor  # noqa: E402

__all__ = [
    "Account",
    "RunningServer",
    "SignedIn",
    "Visitor",
    "bench_account",
    "require_root",
    "running_server",
    "signed_in",
]


@dataclass
class SignedIn:
    """A visitor with a running session that waits at its first prompt."""

    visitor: Visitor
    pid: int
    events: EventSocket

    @property
    def cookie(self) -> str:
        """The value of the Cookie header."""
        return "; ".join(f"{name}={value}" for name, value in self.visitor.cookies.items())

    def rpc_request(self, method: str, *params: Any) -> bytes:
        """A whole RPC request, to be sent by a kept connection."""
        body = json.dumps({"method": method, "params": params, "clientId": self.visitor.client_id}).encode()
        path = f"{self.visitor.session_path}rpc/{method}"
        head = request_head("POST", path, self.visitor.port, self.cookie)
        token = self.visitor.cookies["rs-csrf-token"]
        fields = f"Content-Type: application/json\r\nX-RS-CSRF-Token: {token}\r\nContent-Length: {len(body)}\r\n\r\n"
        return head + fields.encode() + body

    def connection(self) -> KeptConnection:
        """A new kept connection to the server."""
        return KeptConnection(self.visitor.port)

    def type(self, text: str) -> None:
        """Give the console a line, without waiting for what it does."""
        self.visitor.rpc("console_input", text, "")

    @contextlib.contextmanager
    def drained(self) -> Iterator[None]:
        """Another process reads the event stream meanwhile; afterwards it goes on with what comes then."""
        reader = self.events.reader_process()
        reader.start()
        try:
            yield
        finally:
            reader.terminate()
            reader.join()
            self.events.close()
            self.events = open_events(self.visitor, self.visitor.init()["eventId"])

    def interrupt(self) -> None:
        """Stop what R does and wait for its prompt."""
        self.visitor.rpc("interrupt")
        self.events.wait_for(b'"console_prompt"')


def require_root(bench: str) -> None:
    """Skip the bench, with the reason, where it cannot make accounts and sign them in with PAM."""
    if os.geteuid() != 0:
        skipped(bench, "needs root")
        sys.exit(0)


@contextlib.contextmanager
def bench_account() -> Iterator[Account]:
    """An account that lives as long as the bench."""
    with account("rse") as made:
        yield made


def open_events(visitor: Visitor, after: int = 0) -> EventSocket:
    """The event stream of the visitor's session."""
    cookie = "; ".join(f"{name}={value}" for name, value in visitor.cookies.items())
    path = f"{visitor.session_path}events?clientId={visitor.client_id}&after={after}"
    return EventSocket(visitor.port, path, cookie)


@contextlib.contextmanager
def signed_in(server: RunningServer, user: Account) -> Iterator[SignedIn]:
    """The account's session at its first prompt; R is ended afterwards."""
    visitor = Visitor(server.port)
    answer = visitor.sign_in(user.name, user.password)
    if answer.status != 302:
        message = f"sign-in answered {answer.status}"
        raise RuntimeError(message)
    start = visitor.open_session()
    events = open_events(visitor)
    events.wait_for(b'"console_prompt"')
    try:
        yield SignedIn(visitor, start["session"]["pid"], events)
    finally:
        events.close()
        with contextlib.suppress(Exception):
            visitor.rpc("abort", timeout=5)
