"""R's own terminal: `R --interactive` on a pseudo-terminal, fed line by line."""

import contextlib
import fcntl
import os
import select
import shutil
import signal
import struct
import subprocess
import termios
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from tests.conformance.turns import Transcript, Turn

# The line editor would take tabs for completion and mix cursor movements into the output; what R does with a line is
# the same without it. After --interactive R no longer heeds --no-readline.
ARGUMENTS = ("--no-readline", "--vanilla", "--interactive")
TURN_SECONDS = 120.0
_POLL_SECONDS = 0.002
# A child of R may have taken the line, of which R's own count tells nothing.
_HAND_OVER_SECONDS = 0.2


class TurnTooLongError(Exception):
    """R did not come back to a prompt in time."""


class TerminalR:
    """One R on a pseudo-terminal of 24 by 80 with echo off."""

    def __init__(self, directory: Path, environment: Mapping[str, str]) -> None:
        self._master, self._slave = os.openpty()
        _prepare(self._slave)
        os.set_blocking(self._master, False)
        self._process = subprocess.Popen(
            [_program("setsid"), "--ctty", _program("R"), *ARGUMENTS],
            cwd=directory,
            env=dict(environment),
            stdin=self._slave,
            stdout=self._slave,
            stderr=self._slave,
        )
        self._written = bytearray()

    def run(self, lines: Sequence[str]) -> Transcript:
        """Give the lines one by one, each when R waits for one."""
        turns: list[Turn] = []
        try:
            turns.append(Turn(None, self._until_prompt()))
            for line in lines:
                if self._process.poll() is not None:
                    break
                self._give(line)
                turns.append(Turn(line, self._until_prompt()))
        except TurnTooLongError:
            return Transcript((*turns, Turn(None, self._take())), "stuck")
        return Transcript(tuple(turns), "done" if self._process.poll() is None else "quit")

    def close(self) -> None:
        """End R and everything it started."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        os.close(self._master)
        os.close(self._slave)

    def _give(self, line: str) -> None:
        """Returns when the line is R's: the kernel hands it from one end to the other at its own time."""
        before = self._bytes_read()
        self._write(line.encode() + b"\n")
        deadline = time.monotonic() + _HAND_OVER_SECONDS
        while self._bytes_read() == before and not self._unread() and time.monotonic() < deadline:
            time.sleep(0)

    def _write(self, data: bytes) -> None:
        while data:
            select.select([], [self._master], [])
            data = data[os.write(self._master, data) :]

    def _until_prompt(self) -> str:
        deadline = time.monotonic() + TURN_SECONDS
        while True:
            arrived = self._read(_POLL_SECONDS)
            if not arrived and (self._waits_for_input() or self._process.poll() is not None) and not self._read(0):
                return self._take()
            if time.monotonic() > deadline:
                raise TurnTooLongError

    def _read(self, seconds: float) -> bool:
        if not select.select([self._master], [], [], seconds)[0]:
            return False
        self._written += os.read(self._master, 65536)
        return True

    def _take(self) -> str:
        text = self._written.decode("utf-8", "backslashreplace")
        self._written.clear()
        return text

    def _unread(self) -> int:
        """Bytes that lie ready for R."""
        count: int = struct.unpack("i", fcntl.ioctl(self._slave, termios.FIONREAD, b"\0\0\0\0"))[0]
        return count

    def _bytes_read(self) -> int:
        """Bytes that R has read in its life, from anywhere."""
        with contextlib.suppress(OSError):
            return int(Path(f"/proc/{self._process.pid}/io").read_text(encoding="ascii").split()[1])
        return -1

    def _waits_for_input(self) -> bool:
        """R took every line and sleeps without a time limit, or reads standard input itself."""
        if self._unread():
            return False
        with contextlib.suppress(OSError, ProcessLookupError):
            return _is_input_wait(Path(f"/proc/{self._process.pid}/syscall").read_text(encoding="ascii").split())
        return False


def _is_input_wait(call: Sequence[str]) -> bool:
    if len(call) < 6:
        return False
    without_limit = call[0] in {"23", "270"} and int(call[5], 16) == 0
    reading_input = call[0] == "0" and int(call[1], 16) == 0
    return without_limit or reading_input


def _prepare(slave: int) -> None:
    attributes = termios.tcgetattr(slave)
    attributes[1] &= ~termios.OPOST
    attributes[3] &= ~(termios.ECHO | termios.ECHOE | termios.ECHOK | termios.ECHONL)
    termios.tcsetattr(slave, termios.TCSANOW, attributes)
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))


def _program(name: str) -> str:
    return shutil.which(name) or name


@contextlib.contextmanager
def terminal_r(directory: Path, environment: Mapping[str, str]) -> Iterator[TerminalR]:
    """R's terminal in that directory, ended afterwards."""
    terminal = TerminalR(directory, environment)
    try:
        yield terminal
    finally:
        terminal.close()
