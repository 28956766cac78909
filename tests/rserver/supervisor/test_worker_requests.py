"""The privileged side answers four operations with checked fields, whatever else it is sent."""

from typing import Any

import pytest

from rserver.supervisor.session_hosts import LauncherHost
from rserver.supervisor.worker_requests import Done, WorkerRequests
from rserver_core.frame import Message
from rserver_core.launch_wire import LaunchSpec

SESSION = "0" * 21


class RecordingHost:
    """Takes notes, answers at once."""

    def __init__(self) -> None:
        self.calls: list[Any] = []

    def launch(self, spec: LaunchSpec, done: Done) -> None:
        self.calls.append(spec)
        done({"session": {}})

    def signal(self, session: str, name: str, done: Done) -> None:
        self.calls.append((session, name))
        done({"ok": True})

    def list(self, done: Done) -> None:
        done({"sessions": []})


def _ask(*messages: Message) -> tuple[RecordingHost, list[Message]]:
    host, replies = RecordingHost(), list[Message]()
    requests = WorkerRequests(host, lambda message, done: done({"exit": 0, "reason": ""}), replies.append)
    for message in messages:
        requests.received(message)
    return host, replies


def test_each_operation_is_answered_under_its_id() -> None:
    launch = {"session": SESSION, "user": "bob", "argv": ["--x"], "env": {"A": "b"}}
    host, replies = _ask(
        {"id": 1, "op": "launch", "launch": launch},
        {"id": 2, "op": "signal", "session": SESSION, "signal": "TERM"},
        {"id": 3, "op": "list"},
        {"id": 4, "op": "check_password", "user": "bob", "password": "x"},
    )
    assert host.calls == [LaunchSpec(SESSION, "bob", ("--x",), (("A", "b"),)), (SESSION, "TERM")]
    assert [reply["id"] for reply in replies] == [1, 2, 3, 4]
    assert not any("error" in reply for reply in replies)


@pytest.mark.parametrize(
    "message",
    [
        {"op": "shell", "argv": ["/bin/sh"]},
        {"op": ["launch"]},
        {},
        {"op": "signal", "session": "../../etc", "signal": "TERM"},
        {"op": "signal", "session": SESSION, "signal": "STOP"},
        {"op": "launch", "launch": {"session": SESSION, "user": "-froot"}},
        {"op": "launch", "launch": {"session": SESSION, "user": "bob", "env": {"LD PRELOAD": "x"}}},
        {"op": "launch", "launch": {"session": SESSION, "user": "bob", "argv": ["a\0b"]}},
        {"op": "launch", "launch": {"session": SESSION, "user": "bob", "argv": ["x"] * 65}},
        {"op": "launch", "launch": None},
    ],
)
def test_what_is_not_allowed_is_refused_and_reaches_nobody(message: Message) -> None:
    host, replies = _ask({"id": 7, **message})
    assert host.calls == []
    assert [(reply["id"], reply["error"]["code"]) for reply in replies] == [(7, "bad_request")]


def test_answers_to_a_lost_worker_go_nowhere() -> None:
    waiting: list[Done] = []
    replies: list[Message] = []
    requests = WorkerRequests(RecordingHost(), lambda message, done: waiting.append(done), replies.append)
    requests.received({"id": 1, "op": "check_password"})
    requests.close()
    waiting[0]({"exit": 0})
    assert replies == []


def test_requests_wait_for_a_launcher_that_is_being_started_and_ids_do_not_mix() -> None:
    sent: list[Message] = []
    events: list[Message] = []
    answers: list[Message] = []
    host = LauncherHost(sent.append, events.append)
    host.list(answers.append)
    assert sent == []
    host.ready()
    host.signal(SESSION, "INT", answers.append)
    host.received({"id": sent[1]["id"], "ok": True})
    host.received({"event": "exited", "session": SESSION})
    assert answers == [{"ok": True}]
    assert events == [{"event": "exited", "session": SESSION}]
    host.lost()
    assert answers[1]["error"]["code"] == "failed"
    host.received({"id": sent[0]["id"], "sessions": []})
    assert len(answers) == 2
