"""One run of a helper program: fixed argv, bytes on stdin, exit code and a little output back, within a time limit."""

import contextlib
import os
import signal
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from rserver_process.event_loop import Loop
from rserver_process.process_table import kill_tree

_CHUNK = 1 << 16
_LAST_READS = 32


@dataclass(frozen=True, slots=True)
class JobResult:
    """How a helper ended: exit code, or None and the signal; timed_out when the limit ended it.

    stdout is cut at the job's output limit; stderr is the first line of standard error without control characters.
    """

    code: int | None
    signal: int | None
    timed_out: bool
    stdout: bytes
    stderr: str


@dataclass(frozen=True, slots=True)
class JobLimits:
    """Seconds until the helper and its children are killed, and bytes kept of each output."""

    seconds: float = 30.0
    output: int = 65536


class HelperJob:
    """Starts the program at once; done(result) is called from the loop once, with code 127 if it cannot be started.

    The program runs in a session of its own (no terminal, out of reach of Ctrl-C), with default signals, and with
    pipes as stdin, stdout and stderr. Other descriptors do not pass unless they were made inheritable. argv[0] is a
    path.
    """

    def __init__(
        self,
        loop: Loop,
        argv: Sequence[str],
        stdin: bytes,
        done: Callable[[JobResult], None],
        *,
        env: Mapping[str, str],
        limits: JobLimits = JobLimits(),
        heard: Callable[[bytes], None] | None = None,
    ) -> None:
        """heard gets standard output as it comes, which is then not kept."""
        self._loop, self._done, self._limits = loop, done, limits
        self._stdin = memoryview(stdin)
        self._outputs: dict[int, bytearray] = {}
        self._heard = heard
        self._timed_out = self._over = False
        self._timer = loop.call_later(limits.seconds, self._expire)
        try:
            self._spawn(argv, env)
        except OSError as error:
            self._timer.cancel()
            self._over = True
            result = JobResult(127, None, False, b"", f"{argv[0]} cannot be started: {error.strerror}")
            loop.call_soon(lambda: done(result))

    def cancel(self) -> None:
        """Kill the program and its children; done is called as ever. Nothing happens when it has ended."""
        if not self._over:
            kill_tree(self.pid)

    def _spawn(self, argv: Sequence[str], env: Mapping[str, str]) -> None:
        pipes = [os.pipe2(os.O_CLOEXEC) for _ in range(3)]
        (theirs_in, self._in), (self._out, theirs_out), (self._err, theirs_err) = pipes
        actions = [(os.POSIX_SPAWN_DUP2, fd, number) for number, fd in enumerate((theirs_in, theirs_out, theirs_err))]
        signals = set(signal.valid_signals()) - {signal.SIGKILL, signal.SIGSTOP}
        try:
            self.pid = os.posix_spawn(
                argv[0], list(argv), env, file_actions=actions, setsid=True, setsigmask=(), setsigdef=signals
            )
        except OSError:
            for fd in (self._in, self._out, self._err):
                os.close(fd)
            raise
        finally:
            for fd in (theirs_in, theirs_out, theirs_err):
                os.close(fd)
        self._watch = self._loop.watch_process(self.pid, self._ended)
        self._connect_pipes()

    def _connect_pipes(self) -> None:
        for fd in (self._in, self._out, self._err):
            os.set_blocking(fd, False)
        for fd in (self._out, self._err):
            self._outputs[fd] = bytearray()
            self._loop.add_reader(fd, partial(self._read, fd))
        self._loop.add_writer(self._in, self._write)

    def _write(self) -> None:
        try:
            self._stdin = self._stdin[os.write(self._in, self._stdin[:_CHUNK]) :]
        except BlockingIOError:
            return
        except BrokenPipeError:
            self._stdin = memoryview(b"")
        if not self._stdin:
            self._close_stdin()

    def _close_stdin(self) -> None:
        if self._in >= 0:
            self._loop.remove_writer(self._in)
            os.close(self._in)
            self._in = -1

    def _read(self, fd: int) -> bool:
        try:
            data = os.read(fd, _CHUNK)
        except BlockingIOError:
            return False
        if not data:
            self._loop.remove_reader(fd)
        if fd == self._out and self._heard:
            self._heard(data)
            return bool(data)
        kept = self._outputs[fd]
        kept += data[: max(0, self._limits.output - len(kept))]
        return bool(data)

    def _expire(self) -> None:
        self._timed_out = True
        kill_tree(self.pid)

    def _kill_group(self) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)

    def _ended(self, status: int | None) -> None:
        self._over = True
        self._timer.cancel()
        self._close_stdin()
        # What it left behind must not hold our pipes open or fill them without end.
        self._kill_group()
        for fd in self._outputs:
            for _ in range(_LAST_READS):
                if not self._read(fd):
                    break
            self._loop.remove_reader(fd)
            os.close(fd)
        code = os.waitstatus_to_exitcode(status) if status is not None else 1
        stdout, stderr = self._outputs.values()
        self._done(
            JobResult(
                code if code >= 0 else None, -code if code < 0 else None, self._timed_out, bytes(stdout), _line(stderr)
            )
        )


def _line(output: bytearray) -> str:
    text = bytes(output).decode("utf-8", "replace").strip().split("\n", 1)[0]
    return "".join(c if c.isprintable() else " " for c in text).strip()[:1000]
