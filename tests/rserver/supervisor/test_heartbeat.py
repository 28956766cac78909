"""Children that live and do nothing."""

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from rserver.supervisor.heartbeat import MOST_UNANSWERED, Heartbeat
from rserver.supervisor.service import Declaration, Hooks, Service
from rserver_core.frame import Message
from rserver_process.event_loop import Loop

ROOT = Path(__file__).resolve().parents[3]

PROGRAM = """
import os, socket, sys
sys.path.insert(0, sys.argv[1])
from rserver_core.frame import FrameReader, encode, greeting

master, reader = socket.socket(fileno=3), FrameReader()
master.sendall(encode(greeting("worker")))
master.sendall(encode({"event": "pid", "pid": os.getpid()}))
while data := master.recv(65536):
    for message in reader.feed(data):
        if message.get("event") == "ping":
            master.sendall(encode({"event": "pong"}))
"""


@pytest.fixture
def loop() -> Iterator[Loop]:
    made = Loop()
    yield made
    made.close()


def test_who_answers_late_is_left_alone_and_who_is_silent_is_told_once(loop: Loop) -> None:
    events: list[str] = []

    def ask() -> None:
        events.append("asked")
        if len(events) < 3 * MOST_UNANSWERED and not len(events) % MOST_UNANSWERED:
            heartbeat.answered()

    def silent() -> None:
        events.append("silent")
        loop.call_later(0.05, loop.stop)

    heartbeat = Heartbeat(loop, ask, silent, 0.005)
    loop.run()
    assert events == ["asked"] * 3 * MOST_UNANSWERED + ["silent"]


@contextmanager
def service(loop: Loop, hooks: Hooks) -> Iterator[Service]:
    argv = [sys.executable, "-c", PROGRAM, str(ROOT)]
    running = Service(loop, Declaration("worker", argv, dict(os.environ), ping_seconds=0.1), hooks)
    running.start()
    try:
        yield running
    finally:
        running.stop()
        while running.running:
            loop.turn()


def test_child_that_is_stopped_is_replaced(loop: Loop, capfd: pytest.CaptureFixture[str]) -> None:
    pids: list[int] = []

    def heard(message: Message) -> None:
        assert message["event"] == "pid"
        pids.append(message["pid"])
        if len(pids) == 1:
            os.kill(pids[0], signal.SIGSTOP)
        else:
            loop.stop()

    late = loop.call_later(60, loop.stop)
    with service(loop, Hooks(greeting=dict, message=heard)):
        loop.run()
    late.cancel()
    assert len(set(pids)) == 2
    assert "the worker has not answered for 0.3 s, it is replaced" in capfd.readouterr().err
