"""Channels between our processes, over a real socketpair."""

import contextlib
import os
import socket
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from rserver_core.frame import MAX_FRAME, Message, encode, greeting
from rserver_process.channel import MAX_QUEUED, Channel
from rserver_process.event_loop import Loop
from tests.rserver_process.turning import turn_until


@dataclass
class End:
    """One end of a channel and what came out of it."""

    channel: Channel
    messages: list[Message] = field(default_factory=list)
    greetings: list[Message] = field(default_factory=list)
    closed: list[str] = field(default_factory=list)


def make_end(loop: Loop, sock: socket.socket, role: str, peer: str) -> End:
    """A channel whose callbacks fill lists."""
    messages: list[Message] = []
    greetings: list[Message] = []
    closed: list[str] = []
    channel = Channel(
        loop,
        sock,
        messages.append,
        closed.append,
        greeting=greeting(role),
        peer_role=peer,
        on_greeting=greetings.append,
    )
    return End(channel, messages, greetings, closed)


@pytest.fixture
def raw(loop: Loop) -> Iterator[tuple[End, socket.socket]]:
    """A launcher's channel, and the naked socket of what should be a master."""
    ours, theirs = socket.socketpair()
    end = make_end(loop, ours, "launcher", "master")
    yield end, theirs
    end.channel.close()
    theirs.close()


def test_two_ends_greet_and_talk(loop: Loop) -> None:
    """Greetings go to their own callback, messages keep their order."""
    first, second = socket.socketpair()
    master, launcher = make_end(loop, first, "master", "launcher"), make_end(loop, second, "launcher", "master")
    for number in range(100):
        master.channel.send({"id": number, "text": "é\u2028\U0001f600" * number})
    turn_until(loop, lambda: len(launcher.messages) == 100)
    assert [message["id"] for message in launcher.messages] == list(range(100))
    assert launcher.messages[99]["text"] == "é\u2028\U0001f600" * 99
    assert launcher.greetings == [{"version": [1, 0], "role": "master"}]
    assert master.greetings == [{"version": [1, 0], "role": "launcher"}]
    master.channel.close()
    turn_until(loop, lambda: launcher.closed)
    assert launcher.closed == ["the master closed its channel"]
    assert not launcher.channel.open
    assert master.closed == []


def test_frame_that_arrives_byte_by_byte(loop: Loop, raw: tuple[End, socket.socket]) -> None:
    """The stream has no borders."""
    end, sock = raw
    for byte in encode(greeting("master")) + encode({"id": 1}):
        sock.send(bytes([byte]))
        loop.turn(0.001)
    turn_until(loop, lambda: end.messages)
    assert end.messages == [{"id": 1}]


@pytest.mark.parametrize(
    ("sent", "reason"),
    [
        (encode({"version": [2, 0], "role": "master"}), "protocol"),
        (encode({"version": [1, 7], "role": "worker"}), "expected a master"),
        (encode({"id": 1, "op": "list"}), "protocol"),
        (b"\xff\xff\xff\xff", "limit"),
        (b"\0\0\0\x02[]", "no JSON object"),
        (b"\0\0\0\x02\xff\xfe", "no JSON"),
        (b"\0\0\0\0", "no JSON"),
    ],
)
def test_stranger_is_turned_away(loop: Loop, raw: tuple[End, socket.socket], sent: bytes, reason: str) -> None:
    """Whatever it says: closed once, with a reason, nothing delivered."""
    end, sock = raw
    sock.sendall(sent)
    turn_until(loop, lambda: end.closed)
    assert reason in end.closed[0]
    assert "broke the protocol" in end.closed[0]
    assert end.messages == end.greetings == []
    assert len(end.closed) == 1


def test_newer_minor_version_is_welcome(loop: Loop, raw: tuple[End, socket.socket]) -> None:
    """Only the major number must match."""
    end, sock = raw
    sock.sendall(encode({"version": [1, 9], "role": "master", "news": True}))
    turn_until(loop, lambda: end.greetings)


def test_message_after_close_in_the_same_chunk_is_not_delivered(loop: Loop) -> None:
    """The receiver of the first message may have ended everything."""
    ours, theirs = socket.socketpair()
    seen: list[Message] = []
    channel: list[Channel] = []

    def once(message: Message) -> None:
        seen.append(message)
        channel[0].close()

    channel.append(Channel(loop, ours, once, lambda reason: None, greeting=greeting("launcher"), peer_role="master"))
    theirs.sendall(encode(greeting("master")) + encode({"id": 1}) + encode({"id": 2}))
    turn_until(loop, lambda: seen)
    loop.turn(0.01)
    assert seen == [{"id": 1}]
    theirs.close()


def test_peer_that_does_not_read_loses_the_channel(loop: Loop, raw: tuple[End, socket.socket]) -> None:
    """Memory is bounded; messages before that are not lost while the peer is merely slow."""
    end, _ = raw
    message = {"text": "x" * (MAX_FRAME - 100)}
    for _ in range(MAX_QUEUED // MAX_FRAME + 2):
        end.channel.send(message)
    turn_until(loop, lambda: end.closed)
    assert "does not read" in end.closed[0]


def test_slow_peer_gets_everything(loop: Loop, raw: tuple[End, socket.socket]) -> None:
    """Far more than a socket buffer."""
    end, sock = raw
    sock.setblocking(False)
    for _ in range(8):
        end.channel.send({"text": "x" * (MAX_FRAME - 100)})
    received = 0

    def all_read() -> bool:
        nonlocal received
        with contextlib.suppress(BlockingIOError):
            received += len(sock.recv(1 << 20))
        return received >= 8 * (MAX_FRAME - 100)

    turn_until(loop, all_read)
    assert end.closed == []


def test_reset_by_peer_is_a_close(loop: Loop, raw: tuple[End, socket.socket]) -> None:
    """With unread data the kernel says ECONNRESET instead of end of file."""
    end, sock = raw
    sock.close()
    turn_until(loop, lambda: end.closed)
    end.channel.send({"id": 1})
    end.channel.close()
    assert len(end.closed) == 1


def test_channel_leaks_no_descriptor(loop: Loop) -> None:
    """Whoever closes."""
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(20):
        ours, theirs = socket.socketpair()
        end = make_end(loop, ours, "launcher", "master")
        theirs.close()
        turn_until(loop, lambda: end.closed)  # noqa: B023
    assert len(os.listdir("/proc/self/fd")) == before
