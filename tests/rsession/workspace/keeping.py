"""Suspending and resuming sessions in tests."""

import json
import socket
from pathlib import Path
from typing import Any

from tests.rsession.running import DEADLINE, EventStream, RunningSession, connect


def store_of(session: RunningSession) -> Path:
    """Folder of the session's objects."""
    return session.home / ".local/share/rstudio/sessions/active/session-def01234/suspended-session-data"


def suspend(session: RunningSession, stream: EventStream, force: bool = False) -> dict[str, Any]:
    """Suspend; the event that tells what was written."""
    answer = session.call("suspend_session", force)
    assert answer == {"suspended": True, "blockers": []}
    told = stream.wait_for_type("session_suspended")["data"]
    assert stream.wait_for_type("quit")["data"] == {"status": 101}
    assert session.process is not None
    assert session.process.wait(DEADLINE) == 101
    return dict(told)


def restored(session: RunningSession) -> EventStream:
    """Start again; a listener of everything, after the objects were found."""
    session.launch()
    session.init()
    stream = session.events(0)
    stream.wait_for_prompt()
    stream.wait_for_type("workspace_restored")
    return stream


def resume(session: RunningSession, stream: EventStream) -> EventStream:
    """Suspend and start again."""
    suspend(session, stream)
    return restored(session)


def messages(stream: EventStream) -> list[str]:
    """Texts that were shown to the user so far."""
    return [event["data"]["text"] for event in stream.seen if event["type"] == "show_message"]


def begin_checkpoint(session: RunningSession) -> socket.socket:
    """Ask for a checkpoint and do not wait for it."""
    return _ask(session, "checkpoint_session")


def begin_suspension(session: RunningSession) -> socket.socket:
    """Ask for a suspension and do not wait for it."""
    return _ask(session, "suspend_session")


def _ask(session: RunningSession, method: str) -> socket.socket:
    body = json.dumps({"method": method, "params": [], "clientId": session.client_id}).encode()
    head = f"POST /rpc/{method} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n\r\n".encode()
    connection = connect(session.socket_path)
    connection.sendall(head + body)
    return connection
