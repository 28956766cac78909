"""A process that does nothing but fork keepers.

A keeper shares the pages of the process it was forked from until one of the two writes to them. This one hardly ever
writes, and has done already what all keepers do first, so a keeper has less memory of its own than one forked by a
busy launcher.
"""

import contextlib
import gc
import os
import signal
import socket
from collections.abc import Callable
from typing import NoReturn

from rserver_process import cgroup, kernel_files, signals
from rserver_process.descriptors import close_all_but, null_on
from rserver_process.event_loop import Loop

_PATIENCE_SECONDS = 10.0
_PID_BYTES = 4

BeKeeper = Callable[[int], NoReturn]


class KeeperForker:
    """Starts the process when it is first needed, and anew when it was killed; it ends with the process that made this.

    be_keeper(fd) runs in each keeper with its end of a stream socket, and never returns.
    """

    def __init__(self, loop: Loop, be_keeper: BeKeeper) -> None:
        self._loop, self._be_keeper = loop, be_keeper
        self._orders: socket.socket | None = None

    def fork(self) -> tuple[int, socket.socket]:
        """Pid of a new keeper, and our end of the socket to it. OSError when there is none to be had."""
        ours, theirs = socket.socketpair()
        with theirs:
            for attempt in range(2):
                try:
                    return self._order(theirs), ours
                except (OSError, EOFError) as error:
                    self.close()
                    if attempt:
                        ours.close()
                        raise OSError(f"no keeper could be forked: {error}") from error
        raise AssertionError

    def close(self) -> None:
        """End the process; keepers go on."""
        if self._orders:
            self._orders.close()
            self._orders = None

    def _order(self, theirs: socket.socket) -> int:
        return order_keeper(self._orders or self._start(), theirs)

    def _start(self) -> socket.socket:
        ours, theirs = socket.socketpair()
        pid = os.fork()
        if pid == 0:
            _fork_keepers(theirs, self._be_keeper)
        theirs.close()
        ours.settimeout(_PATIENCE_SECONDS)
        # Only to reap it: that it is gone shows at the next order.
        self._loop.watch_process(pid, lambda _status: None)
        self._orders = ours
        return ours


def order_keeper(orders: socket.socket, theirs: socket.socket) -> int:
    """Have a keeper forked that gets `theirs`; its pid. EOFError, OSError: there is none."""
    socket.send_fds(orders, [b"k"], [theirs.fileno()])
    answer = orders.recv(_PID_BYTES)
    if len(answer) != _PID_BYTES:
        raise EOFError("the process that forks keepers is gone")
    pid = int.from_bytes(answer, "big")
    if not pid:
        raise OSError("too many processes")
    return pid


def fork_by_order(orders: socket.socket, be_keeper: BeKeeper) -> None:
    """Fork a keeper for each order until nobody gives any; what be_keeper raises comes out of here in its process."""
    while True:
        _, fds, _, _ = socket.recv_fds(orders, 1, 1)
        if not fds:
            return
        _fork_one(orders, fds[0], be_keeper)


def _fork_keepers(orders: socket.socket, be_keeper: BeKeeper) -> NoReturn:
    try:
        _leave_parent(orders.fileno())
        cgroup.discover()
        fork_by_order(orders, be_keeper)
    finally:
        # Whatever happens, never back into the code of the process it was forked from.
        os._exit(0)


def _leave_parent(orders: int) -> None:
    os.setsid()
    gc.disable()
    signals.all_at_default()
    signals.spare_helpers()
    close_all_but({orders})
    null_on(0, 1, 2)
    os.chdir("/")
    os.umask(0o022)
    with contextlib.suppress(OSError):
        kernel_files.write("/proc/self/comm", "rserver-forker")


def _fork_one(orders: socket.socket, fd: int, be_keeper: BeKeeper) -> None:
    # Keepers want the default, to learn how their session ended, and have it without a call of their own.
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    try:
        pid = os.fork()
    except OSError:
        pid = -1
    if pid == 0:
        os.close(orders.fileno())
        os.set_inheritable(fd, False)
        be_keeper(fd)
    os.close(fd)
    # Ended keepers are reaped by the kernel from here on; one that has ended already, here.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            continue
    orders.send(max(pid, 0).to_bytes(_PID_BYTES, "big"))
