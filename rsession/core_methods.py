"""The RPC methods of the session itself: start of a client, console, events, end."""

import os
import pwd
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import uuid4

from rsession.error_code import ErrorCode, RpcError
from rsession.rpc import Clients, RawJson
from rsession.rpc_method import Param
from rsession.working_directory import working_directory

if TYPE_CHECKING:
    from twisted.internet.defer import Deferred

    from rsession.session import Session

_ABORT_DELAY_SECONDS = 0.05


@dataclass(frozen=True)
class SessionFacts:
    """What does not change while the session lives."""

    session_id: str
    r_version: str
    r_label: str
    """What the administrator calls this R; empty: nothing."""
    started: float
    """Seconds since 1970."""

    def describe(self) -> dict[str, object]:
        """The field `session` of client_init's answer."""
        account = pwd.getpwuid(os.getuid())
        return {
            "id": self.session_id,
            "user": account.pw_name,
            "pid": os.getpid(),
            "r_version": self.r_version,
            "r_label": self.r_label,
            "home": os.environ.get("HOME", account.pw_dir),
            "cwd": working_directory(),
            "started": self.started,
        }


def add_core_methods(session: "Session", facts: SessionFacts, clients: Clients) -> None:
    """Enter the methods into the session's table."""
    _add_client_methods(session, facts, clients)
    _add_console_methods(session)
    _add_end_methods(session)


def _add_client_methods(session: "Session", facts: SessionFacts, clients: Clients) -> None:
    stream = uuid4().hex

    @session.rpc.method("client_init", open_to_strangers=True)
    def client_init() -> dict[str, object]:
        """Begin as a new client: the state of the session, and the event from which to follow it."""
        answer: dict[str, object] = {"clientId": clients.add(), "stream": stream, "session": facts.describe()}
        answer |= {"console": session.console.state(), "history": [], "documents": [], "plots": None}
        answer["messages"] = session.missed.take()
        answer |= {key: provide() for key, provide in session.client_init_fields.items()}
        return answer | {"eventId": session.log.last_id}

    @session.rpc.method("get_events", Param("after", "integer", doc="number of the last event seen"), is_use=False)
    def get_events(after: int) -> "Deferred[RawJson]":
        """Events after a number; waits up to 25 s for the first, then answers an empty array."""
        if after < 0:
            raise RpcError(ErrorCode.PARAM_INVALID, "after must not be negative")
        return session.listeners.poll(after).addCallback(lambda events: RawJson(f"[{','.join(events)}]"))


def _add_console_methods(session: "Session") -> None:
    @session.rpc.method(
        "console_input",
        Param("text", "string"),
        Param("console_id", "string", "", doc="comes back in console_write_input"),
        Param("flags", "integer", 0),
    )
    def console_input(text: str, console_id: str, flags: int) -> None:
        """Queue text for R, line by line; each line waits for a prompt."""
        if flags != 0 or len(console_id) > 64:
            raise RpcError(ErrorCode.PARAM_INVALID, "flags must be 0 and console_id at most 64 characters")
        session.input(text, console_id)

    @session.rpc.method("interrupt")
    def interrupt() -> None:
        """Forget queued lines, then interrupt R as Ctrl-C does; at a browser prompt leave the browser."""
        session.console.interrupt()


def _add_end_methods(session: "Session") -> None:
    @session.rpc.method("abort")
    def abort_session() -> None:
        """End the process at once, unless it is gone before the answer is sent."""
        session.clock.callLater(_ABORT_DELAY_SECONDS, session.process.abort)
