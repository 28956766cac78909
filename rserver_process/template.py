"""One process that has started an R and forks the keepers of its sessions, from the side of who started it.

What it can give, it gives at once; where there is none, or not yet, sessions start R themselves.
"""

import os
import signal
import socket
import sys
import time
from collections.abc import Callable

from rserver_core import frame
from rserver_core.frame import FrameError, FrameReader, Message
from rserver_process import r_files
from rserver_process.event_loop import Loop, Timer, Watch
from rserver_process.keeper_forker import order_keeper
from rserver_process.log_line import log_line
from rserver_process.template_order import CHANNEL, TemplateOrder

_HERE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
_PROGRAM = os.path.join(_HERE, "rserver_template", "__main__.py")
_PADDING = "-" * 2048
_ORDER_SECONDS = 2.0
_FIRST_DELAY, _LONGEST_DELAY, _LONG_LIFE = 1.0, 600.0, 60.0
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


class Template:
    """Starts the process, anew when it ends or when the files of its R change; it ends with the one that made this."""

    def __init__(self, loop: Loop, order: TemplateOrder, log: Callable[[str], None] | None = None) -> None:
        self._loop, self._order = loop, order
        self._log = log or (lambda text: log_line("template", text))
        self._channel: socket.socket | None = None
        self._process: Watch | None = None
        self._again: Timer | None = None
        self._reader = FrameReader()
        self._delay = _FIRST_DELAY
        self._started = 0.0
        self._stamp: r_files.Stamp = ()
        self.is_ready = False

    def start(self) -> None:
        """Start the process; it is ready after some hundred milliseconds."""
        self._again = None
        changeable = r_files.untrusted(self._order.installation)
        if changeable:
            self._log(f"R {self._order.installation.version} is not preloaded: others can change {changeable}")
            return self._start_later()
        self._stamp, self._started = r_files.stamp(self._order.installation), time.monotonic()
        ours, theirs = socket.socketpair()
        with theirs:
            pid = self._spawn(theirs)
        ours.settimeout(_ORDER_SECONDS)
        self._channel, self._reader = ours, FrameReader()
        self._process = self._loop.watch_process(pid, lambda _status: self._ended())
        self._loop.add_reader(ours.fileno(), self._readable)
        ours.sendall(frame.encode(self._order.to_json()))

    def fork(self) -> tuple[int, socket.socket] | None:
        """Pid of a new keeper and our end of the socket to it; None when there is none to be had now."""
        if not self.is_ready or self._channel is None:
            return None
        if r_files.stamp(self._order.installation) != self._stamp:
            self._log("the files of R have changed; starting it anew")
            self.close()
            self.start()
            return None
        ours, theirs = socket.socketpair()
        with theirs:
            try:
                return order_keeper(self._channel, theirs), ours
            except (OSError, EOFError) as error:
                self._log(f"no keeper could be forked: {error}")
                ours.close()
                if self._process:
                    # One that is stopped or stuck would not end by itself.
                    self._process.send(signal.SIGKILL)
                self._drop_channel()
                return None

    def close(self) -> None:
        """End the process; keepers and sessions go on."""
        if self._again:
            self._again.cancel()
        if self._process:
            # Its callback would start another.
            process, self._process = self._process, None
            process.cancel()
            self._loop.watch_process(process.pid, lambda _status: None)
        self._drop_channel()

    def _spawn(self, theirs: socket.socket) -> int:
        environment = self._order.installation.environment()
        environment |= {"PATH": _PATH, "LANG": "C.UTF-8", "R_ENVIRON_USER": "", "HOME": "/"}
        # The padding is room for the command lines of sessions.
        argv = [sys.executable, "-I", "-S", _PROGRAM, _PADDING]
        pid = os.fork()
        if pid == 0:
            try:
                os.setsid()
                os.dup2(theirs.fileno(), CHANNEL)
                os.set_inheritable(CHANNEL, True)
                os.execve(argv[0], argv, environment)
            finally:
                os._exit(127)
        return pid

    def _readable(self) -> None:
        try:
            data = self._channel.recv(1 << 16) if self._channel else b""
            for message in self._reader.feed(data):
                self._received(message)
        except (FrameError, OSError) as error:
            self._log(f"the process that preloads R reported nonsense: {error}")
            data = b""
        if not data:
            self._drop_channel()

    def _received(self, message: Message) -> None:
        if "ready" in message:
            self.is_ready = True
            version, size = self._order.installation.version, message["ready"]["pss_kib"] / 1024
            self._log(f"R {version} is preloaded, {size:.0f} MB")

    def _drop_channel(self) -> None:
        self.is_ready = False
        if self._channel:
            self._loop.remove_reader(self._channel.fileno())
            self._channel.close()
            self._channel = None

    def _ended(self) -> None:
        self._process = None
        self._drop_channel()
        self._log("the process that preloads R has ended; starting it anew")
        if time.monotonic() - self._started > _LONG_LIFE:
            self._delay = _FIRST_DELAY
        self._start_later()

    def _start_later(self) -> None:
        self._again = self._loop.call_later(self._delay, self.start)
        self._delay = min(2 * self._delay, _LONGEST_DELAY)
