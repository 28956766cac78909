"""Signal dispositions of a process that is about to become another program."""

import contextlib
import signal
from collections.abc import Iterable

_NOT_FOR_HELPERS = (signal.SIGINT, signal.SIGHUP, signal.SIGQUIT, signal.SIGUSR1, signal.SIGUSR2)


def at_default(numbers: Iterable[int]) -> None:
    """These signals do again what they do in a fresh process."""
    for number in numbers:
        # KILL, STOP and the two that the C library keeps for itself cannot be set.
        with contextlib.suppress(OSError, ValueError):
            signal.signal(number, signal.SIG_DFL)


def all_at_default() -> None:
    """Every signal at its default and none blocked, whatever the parent had set; also SIGPIPE, which Python ignores."""
    signal.set_wakeup_fd(-1)
    at_default(signal.valid_signals())
    signal.pthread_sigmask(signal.SIG_SETMASK, ())


def spare_helpers() -> None:
    """Keep from this process the signals that are meant for the server, or for a terminal's programs."""
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_BLOCK, _NOT_FOR_HELPERS)
