"""Suspending and resuming sessions in tests."""

from pathlib import Path
from typing import Any

from tests.rsession.running import EventStream, RunningSession


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
    assert session.process.wait(20) == 101
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
