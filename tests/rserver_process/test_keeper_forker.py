"""The process that forks keepers."""

import os
import signal
import socket
import sys
from pathlib import Path
from typing import NoReturn

from rserver_process.event_loop import Loop
from rserver_process.keeper_forker import KeeperForker
from tests.rserver_process.turning import turn_until


def tell_and_wait(channel: int) -> NoReturn:
    """A keeper of the test: says what it is, ends when its channel does."""
    status = Path("/proc/self/status").read_text().splitlines()
    ignored = int(next(line for line in status if line.startswith("SigIgn")).split()[1], 16)
    fds = sorted(int(fd) for fd in os.listdir("/proc/self/fd"))
    fds = [fd for fd in fds if fd != channel and os.path.exists(f"/proc/self/fd/{fd}")]
    if "uvloop" in sys.modules:
        # Where another test loaded it, its library makes itself a pipe in every forked child.
        fds = [fd for fd in fds if not os.readlink(f"/proc/self/fd/{fd}").startswith("pipe:")]
    os.write(
        channel, f"{os.getpid()} {os.getppid()} {ignored >> (signal.SIGCHLD - 1) & 1} {fds} {os.getcwd()}".encode()
    )
    os.read(channel, 1)
    os._exit(0)


def hear(channel: socket.socket) -> list[str]:
    """What the keeper says."""
    channel.settimeout(20)
    return channel.recv(1000).decode().split(" ", 3)


def test_keepers_come_from_one_quiet_process(loop: Loop) -> None:
    """With nothing but /dev/null and their channel, in the root directory, and told of the ends of their children."""
    forker = KeeperForker(loop, tell_and_wait)
    channels = []
    parents = set()
    for _ in range(5):
        pid, channel = forker.fork()
        said = hear(channel)
        assert int(said[0]) == pid
        assert said[2:] == ["0", "[0, 1, 2] /"]
        parents.add(int(said[1]))
        channels.append(channel)
    (parent,) = parents
    assert parent != os.getpid()
    assert Path(f"/proc/{parent}/comm").read_text() == "rserver-forker\n"
    forker.close()
    turn_until(loop, lambda: not os.path.exists(f"/proc/{parent}"))
    for channel in channels:
        channel.send(b"x")
        assert channel.recv(1) == b""
        channel.close()


def test_killed_one_is_replaced_at_the_next_order(loop: Loop) -> None:
    """The caller does not notice."""
    forker = KeeperForker(loop, tell_and_wait)
    _, first = forker.fork()
    parent = int(hear(first)[1])
    os.kill(parent, signal.SIGKILL)
    turn_until(loop, lambda: not os.path.exists(f"/proc/{parent}"))
    _, second = forker.fork()
    assert int(hear(second)[1]) not in {parent, os.getpid()}
    for channel in (first, second):
        channel.close()
    forker.close()
    loop.turn(0.05)


def test_nothing_leaks(loop: Loop) -> None:
    """No descriptor per keeper."""
    forker = KeeperForker(loop, tell_and_wait)
    forker.fork()[1].close()
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(50):
        forker.fork()[1].close()
    assert len(os.listdir("/proc/self/fd")) == before
    forker.close()


def test_interrupt_of_the_terminal_does_not_reach_it(loop: Loop) -> None:
    """Ctrl-C at `make run` ends the server, not what holds the sessions."""
    forker = KeeperForker(loop, tell_and_wait)
    _, channel = forker.fork()
    parent = int(hear(channel)[1])
    assert os.getsid(parent) == parent
    os.kill(parent, signal.SIGINT)
    pid, other = forker.fork()
    assert hear(other)[:2] == [str(pid), str(parent)]
    channel.close()
    other.close()
    forker.close()
