"""One long-lived child of the master: declared as data, started, watched, started anew with back-off."""

import fcntl
import os
import signal
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from rserver.supervisor.backoff import Backoff
from rserver.supervisor.heartbeat import MOST_UNANSWERED, PING, PONG, Heartbeat
from rserver_core.frame import Message, greeting
from rserver_process.channel import Channel
from rserver_process.descriptors import close_all_but, null_on
from rserver_process.event_loop import Loop, Timer, Watch
from rserver_process.log_line import log_line
from rserver_process.privileges import become
from rserver_process.process_table import send_to_session
from rserver_process.signals import all_at_default

CHANNEL_FD = 3
FIRST_LISTENER_FD = 4
GREETING_SECONDS = 20.0
STOP_SECONDS = 5.0
GRACE_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class Account:
    """Who a child runs as; with no_new_privs it can never gain anything."""

    uid: int
    gid: int


@dataclass(frozen=True, slots=True)
class Declaration:
    """What a child is. account None: the same as the master; sockets are inherited from fd 4 on.

    leaves_children: it starts others, which are ended when it has ended. ping_seconds: how often it is asked whether it
    still answers, and killed when it does not; 0: never.
    """

    role: str
    argv: list[str]
    env: dict[str, str]
    account: Account | None = None
    sockets: tuple[socket.socket, ...] = ()
    leaves_children: bool = False
    ping_seconds: float = 0.0


@dataclass(slots=True)
class Hooks:
    """What the master wants to know of a child. ready comes after its greeting, lost when its channel is gone."""

    greeting: Callable[[], Message]
    message: Callable[[Message], None]
    ready: Callable[[], None] = field(default=lambda: None)
    lost: Callable[[], None] = field(default=lambda: None)


class Service:
    """Keeps one declared child alive until stop()."""

    def __init__(self, loop: Loop, declaration: Declaration, hooks: Hooks) -> None:
        self._loop, self._declaration, self._hooks = loop, declaration, hooks
        self._backoff = Backoff()
        self._channel: Channel | None = None
        self._watch: Watch | None = None
        self._limit: Timer | None = None
        self._heartbeat: Heartbeat | None = None
        self._started = 0.0
        self._pid = 0
        self._ready = self._stopping = False

    @property
    def ready(self) -> bool:
        """The child has greeted and can be spoken to."""
        return self._ready

    @property
    def running(self) -> bool:
        """There is a process."""
        return self._watch is not None

    def start(self) -> None:
        """Start the child."""
        ours, theirs = socket.socketpair()
        pid = os.fork()
        if pid == 0:
            _become_child(self._declaration, theirs)
        theirs.close()
        self._started = time.monotonic()
        self._pid = pid
        self._watch = self._loop.watch_process(pid, self._ended)
        role = self._declaration.role
        self._channel = Channel(
            self._loop,
            ours,
            self._received,
            self._channel_closed,
            greeting=greeting("master", **self._hooks.greeting()),
            peer_role=role,
            on_greeting=self._greeted,
        )
        self._limit = self._kill_after(GREETING_SECONDS, f"the {role} did not greet")

    def send(self, message: Message) -> None:
        """Send when the child listens; else the message is dropped."""
        if self._channel and self._ready:
            self._channel.send(message)

    def stop(self) -> None:
        """Ask the child to end, kill it when it does not; it is not started again."""
        self._stopping = True
        if self._watch:
            self._watch.send(signal.SIGTERM)
            self._kill_after(STOP_SECONDS, f"the {self._declaration.role} did not stop")

    def renew(self, declaration: Declaration | None = None) -> None:
        """End the child in order; the next one is what is declared now."""
        self._declaration = declaration or self._declaration
        if self._watch:
            self._watch.send(signal.SIGTERM)
            self._kill_after(STOP_SECONDS, f"the {self._declaration.role} did not stop")

    def _greeted(self, _message: Message) -> None:
        if self._limit:
            self._limit.cancel()
        self._ready = True
        if seconds := self._declaration.ping_seconds:
            self._heartbeat = Heartbeat(self._loop, lambda: self.send(PING), self._silent, seconds)
        self._hooks.ready()

    def _received(self, message: Message) -> None:
        if self._heartbeat and message == PONG:
            self._heartbeat.answered()
        else:
            self._hooks.message(message)

    def _silent(self) -> None:
        seconds = MOST_UNANSWERED * self._declaration.ping_seconds
        self._kill(f"the {self._declaration.role} has not answered for {seconds:g} s, it is replaced", self._watch)

    def _channel_closed(self, reason: str) -> None:
        self._drop_channel()
        if not self._stopping:
            # Most often it is just ending and its own words tell more than ours.
            self._kill_after(GRACE_SECONDS, reason)

    def _drop_channel(self) -> None:
        if self._limit:
            self._limit.cancel()
        if self._heartbeat:
            self._heartbeat.stop()
        if self._channel:
            self._channel.close()
            self._channel = None
        if self._ready:
            self._ready = False
            self._hooks.lost()

    def _kill_after(self, seconds: float, reason: str) -> Timer:
        watch = self._watch
        return self._loop.call_later(seconds, lambda: self._kill(reason, watch))

    def _kill(self, reason: str, watch: Watch | None) -> None:
        if watch and watch is self._watch:
            log(reason)
            watch.send(signal.SIGKILL)

    def _ended(self, status: int | None) -> None:
        self._watch = None
        self._drop_channel()
        if self._declaration.leaves_children:
            # It began a process session, whose number nobody else gets while there are members.
            send_to_session(self._pid, signal.SIGKILL)
        if self._stopping:
            return
        delay = self._backoff.after(time.monotonic() - self._started)
        log(f"{self._declaration.role} ended ({_described(status)}), starting it again in {delay:.1f} s")
        self._loop.call_later(delay, self._start_again)

    def _start_again(self) -> None:
        if not self._stopping:
            self.start()


def log(text: str) -> None:
    """One line of the master's log."""
    log_line("master", text)


def _described(status: int | None) -> str:
    if status is None:
        return "unknown status"
    code = os.waitstatus_to_exitcode(status)
    return f"exit code {code}" if code >= 0 else f"signal {-code}"


def _become_child(declaration: Declaration, channel: socket.socket) -> None:
    """In the forked child: never returns."""
    try:
        os.setsid()
        all_at_default()
        _place([channel.fileno(), *(sock.fileno() for sock in declaration.sockets)])
        if declaration.account:
            become(declaration.account.uid, declaration.account.gid, [], no_new_privs=True)
        os.execve(declaration.argv[0], declaration.argv, declaration.env)
    except BaseException as error:
        log(f"the {declaration.role} cannot be started: {error}")
    finally:
        os._exit(127)


def _place(fds: list[int]) -> None:
    """Put these descriptors on 3, 4, … and close all others but the log on 2."""
    null_on(0, 1)
    high = [fcntl.fcntl(fd, fcntl.F_DUPFD, CHANNEL_FD + len(fds)) for fd in fds]
    for target, fd in enumerate(high, CHANNEL_FD):
        os.dup2(fd, target)
    close_all_but(range(CHANNEL_FD + len(fds)))
