"""The privileged side answers four operations with checked fields, whatever else it is sent."""

import pytest

from rserver.supervisor.launcher_host import LauncherHost
from rserver_core.frame import FrameError, Message
from rserver_process.requests import Done, Requests

SESSION = "0" * 21


def _ask(*messages: Message) -> tuple[list[Message], list[Message]]:
    """What reaches a launcher that answers at once, and what the worker is answered."""
    reached, replies = list[Message](), list[Message]()

    def launcher(message: Message) -> None:
        reached.append(dict(message))
        host.received({"id": message["id"], "ok": True})

    host = LauncherHost(launcher, replies.append)
    host.ready()
    password = {"check_password": lambda message, done: done({"exit": 0, "reason": ""})}
    requests = Requests({**password, **host.operations}, replies.append)
    for message in messages:
        requests.received(message)
    return reached, replies


def test_each_operation_is_answered_under_its_id() -> None:
    launch = {"session": SESSION, "user": "bob", "uid": 1000, "argv": ["--x"], "env": {"A": "b"}}
    reached, replies = _ask(
        {"id": 11, "op": "launch", "launch": launch, "more": "is dropped"},
        {"id": 12, "op": "signal", "session": SESSION, "signal": "TERM"},
        {"id": 13, "op": "list"},
        {"id": 14, "op": "check_password", "user": "bob", "password": "x"},
    )
    assert reached == [
        {"id": 1, "op": "launch", "launch": launch},
        {"id": 2, "op": "signal", "session": SESSION, "signal": "TERM"},
        {"id": 3, "op": "list"},
    ]
    assert [reply["id"] for reply in replies] == [11, 12, 13, 14]
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
    reached, replies = _ask({"id": 7, **message})
    assert reached == []
    assert [(reply["id"], reply["error"]["code"]) for reply in replies] == [(7, "bad_request")]


@pytest.mark.parametrize("message", [{"op": "list"}, {"id": "1", "op": "list"}, {"id": True, "op": "list"}])
def test_a_message_without_an_id_ends_the_channel(message: Message) -> None:
    with pytest.raises(FrameError):
        _ask(message)


def test_answers_to_a_lost_worker_go_nowhere() -> None:
    waiting: list[Done] = []
    replies: list[Message] = []
    requests = Requests({"wait": lambda message, done: waiting.append(done)}, replies.append)
    requests.received({"id": 1, "op": "wait"})
    requests.close()
    waiting[0]({"exit": 0})
    assert replies == []


def test_requests_wait_for_a_launcher_that_is_being_started_and_ids_do_not_mix() -> None:
    sent: list[Message] = []
    events: list[Message] = []
    answers: list[Message] = []
    host = LauncherHost(sent.append, events.append)
    host.operations["list"]({}, answers.append)
    assert sent == []
    host.ready()
    host.operations["signal"]({"session": SESSION, "signal": "INT"}, answers.append)
    host.received({"id": sent[1]["id"], "ok": True})
    host.received({"event": "exited", "session": SESSION})
    assert answers == [{"ok": True}]
    assert events == [{"event": "exited", "session": SESSION}]
    host.lost()
    assert answers[1]["error"]["code"] == "failed"
    host.received({"id": sent[0]["id"], "sessions": []})
    assert len(answers) == 2
