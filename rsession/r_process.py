"""This process as R's body: its signals and its end."""

import os
import signal

from rsession import _shim


def interrupt_r() -> None:
    """Like Ctrl-C at a terminal: R and the children that run in its process group get SIGINT."""
    if os.getpgrp() == os.getpid():
        os.killpg(0, signal.SIGINT)
    else:
        os.kill(os.getpid(), signal.SIGINT)
    _shim.wake()


def end_r(save: bool) -> None:
    """End R by its own clean-up (`.Last`, finalizers), interrupting what it does."""
    _shim.request_end(save)
    interrupt_r()


def abort() -> None:
    """End this process at once."""
    os.kill(os.getpid(), signal.SIGKILL)
