"""The event loop: descriptors, timers, signals, ends of processes."""

import os
import signal
import subprocess
import sys

import pytest

from rserver_process.event_loop import Loop, Timer
from tests.rserver_process.turning import turn_until


def test_timers_are_called_in_the_order_of_their_time(loop: Loop) -> None:
    """Also those that fall due in one turn."""
    seen: list[str] = []
    loop.call_later(0.02, lambda: seen.append("late"))
    loop.call_later(0.01, lambda: seen.append("early"))
    loop.call_soon(lambda: seen.append("now"))
    turn_until(loop, lambda: len(seen) == 3)
    assert seen == ["now", "early", "late"]


def test_cancelled_timer_is_not_called(loop: Loop) -> None:
    """Cancelled before, or by a timer of the same turn."""
    seen: list[str] = []
    never = loop.call_soon(lambda: seen.append("never"))
    never.cancel()
    victim: list[Timer] = []
    loop.call_soon(lambda: victim[0].cancel())
    victim.append(loop.call_soon(lambda: seen.append("victim")))
    loop.call_later(0.01, lambda: seen.append("end"))
    turn_until(loop, lambda: "end" in seen)
    assert seen == ["end"]


def test_call_soon_from_a_callback_waits_for_the_next_turn(loop: Loop) -> None:
    """A callback that schedules itself for ever does not stop descriptors from being served."""
    turns: list[int] = []

    def again() -> None:
        turns.append(len(turns))
        loop.call_soon(again)

    read_end, write_end = os.pipe()
    got: list[bytes] = []
    loop.add_reader(read_end, lambda: got.append(os.read(read_end, 10)))
    loop.call_soon(again)
    os.write(write_end, b"x")
    turn_until(loop, lambda: got)
    loop.remove_reader(read_end)
    os.close(read_end)
    os.close(write_end)
    assert got == [b"x"]


def test_reader_and_writer_of_one_descriptor_are_independent(loop: Loop) -> None:
    """Removing one leaves the other."""
    import socket

    ours, theirs = socket.socketpair()
    seen: list[str] = []
    loop.add_reader(ours.fileno(), lambda: seen.append(ours.recv(10).decode()))

    def written() -> None:
        seen.append("written")
        loop.remove_writer(ours.fileno())

    loop.add_writer(ours.fileno(), written)
    turn_until(loop, lambda: seen == ["written"])
    theirs.send(b"read")
    turn_until(loop, lambda: seen == ["written", "read"])
    loop.remove_reader(ours.fileno())
    loop.remove_reader(ours.fileno())
    ours.close()
    theirs.close()


def test_callback_removed_in_the_same_turn_is_not_called(loop: Loop) -> None:
    """The descriptor may be closed by then."""
    pipes = [os.pipe() for _ in range(2)]
    seen: list[int] = []

    def first_wins(number: int) -> None:
        seen.append(number)
        for read_end, _ in pipes:
            loop.remove_reader(read_end)

    for number, (read_end, write_end) in enumerate(pipes):
        loop.add_reader(read_end, lambda number=number: first_wins(number))  # type: ignore[misc]
        os.write(write_end, b"x")
    turn_until(loop, lambda: seen)
    loop.turn(0)
    assert len(seen) == 1
    for pair in pipes:
        for fd in pair:
            os.close(fd)


def test_signal_is_delivered_from_the_loop(loop: Loop) -> None:
    """Several of the same kind at once may be told as one."""
    seen: list[str] = []
    loop.on_signal(signal.SIGUSR1, lambda: seen.append("usr1"))
    loop.on_signal(signal.SIGUSR2, lambda: seen.append("usr2"))
    os.kill(os.getpid(), signal.SIGUSR1)
    os.kill(os.getpid(), signal.SIGUSR2)
    turn_until(loop, lambda: sorted(seen) == ["usr1", "usr2"])


def test_closed_loop_gives_the_signals_back() -> None:
    """Default action and former wake-up descriptor."""
    loop = Loop()
    loop.on_signal(signal.SIGUSR1, lambda: None)
    loop.close()
    assert signal.getsignal(signal.SIGUSR1) == signal.SIG_DFL
    former = signal.set_wakeup_fd(-1)
    signal.set_wakeup_fd(former)
    assert former == -1


def test_end_of_a_child_comes_with_its_status(loop: Loop) -> None:
    """And the child is reaped."""
    pid = os.posix_spawn("/bin/sh", ["sh", "-c", "exit 7"], {})
    seen: list[int | None] = []
    loop.watch_process(pid, seen.append)
    turn_until(loop, lambda: seen)
    assert seen[0] is not None
    assert os.waitstatus_to_exitcode(seen[0]) == 7
    with pytest.raises(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)


def test_end_of_a_strange_process_is_seen(loop: Loop) -> None:
    """A grandchild is not ours to reap."""
    child = subprocess.Popen(["/bin/sh", "-c", "sleep 60 & echo $!; wait"], stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    grandchild = int(child.stdout.readline())
    seen: list[int | None] = []
    watch = loop.watch_process(grandchild, seen.append)
    watch.send(signal.SIGKILL)
    turn_until(loop, lambda: seen)
    assert seen == [None]
    watch.send(signal.SIGKILL)
    child.stdout.close()
    child.wait(10)


def test_unknown_process_cannot_be_watched(loop: Loop) -> None:
    """ProcessLookupError, and nothing leaks."""
    child = subprocess.Popen(["/bin/true"])
    child.wait()
    before = len(os.listdir("/proc/self/fd"))
    with pytest.raises(ProcessLookupError):
        loop.watch_process(child.pid, lambda _status: None)
    assert len(os.listdir("/proc/self/fd")) == before


def test_exception_of_a_callback_ends_run(loop: Loop) -> None:
    """Half a server is worse than none."""
    loop.call_soon(lambda: sys.exit(9))
    with pytest.raises(SystemExit):
        loop.run()


def test_stop_ends_run(loop: Loop) -> None:
    """After the turn."""
    loop.call_soon(loop.stop)
    loop.run()
