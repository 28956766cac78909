"""Helper programs run by the master."""

import os
import signal
import time

from rserver_process.event_loop import Loop
from rserver_process.helper_job import HelperJob, JobLimits, JobResult
from tests.rserver_process.turning import turn_until

DEFAULT = JobLimits()


def run(loop: Loop, script: str, stdin: bytes = b"", limits: JobLimits = DEFAULT) -> JobResult:
    """The result of a shell script as helper."""
    results: list[JobResult] = []
    HelperJob(loop, ["/bin/sh", "-c", script], stdin, results.append, env={"PATH": "/usr/bin:/bin"}, limits=limits)
    turn_until(loop, lambda: results)
    loop.turn(0.01)
    assert len(results) == 1
    return results[0]


def test_exit_code_output_and_first_line_of_stderr(loop: Loop) -> None:
    """Control characters do not reach the log."""
    result = run(loop, r"cat; printf 'first \033[1mline\r\nsecond\n' >&2; exit 3", b"on stdin")
    assert result == JobResult(3, None, False, b"on stdin", "first  [1mline")


def test_input_larger_than_a_pipe(loop: Loop) -> None:
    """Both ways at once."""
    result = run(loop, "cat", b"x" * 300_000, JobLimits(output=1 << 20))
    assert len(result.stdout) == 300_000


def test_helper_that_does_not_read_its_input(loop: Loop) -> None:
    """A broken pipe is no error."""
    assert run(loop, "exec 0<&-; sleep 0.1; exit 5", b"x" * 300_000).code == 5


def test_output_is_cut_at_its_limit_and_does_not_block(loop: Loop) -> None:
    """Also on stderr."""
    result = run(loop, "head -c 500000 /dev/zero; head -c 500000 /dev/zero >&2; exit 4", b"", JobLimits(output=1000))
    assert result.code == 4
    assert len(result.stdout) == 1000


def test_helper_that_takes_too_long_is_killed_with_its_children(loop: Loop) -> None:
    """Nothing is left in its group."""
    started = time.monotonic()
    result = run(loop, "sleep 60 & echo $!; sleep 60", b"", JobLimits(seconds=0.3))
    assert result.timed_out
    assert result.signal == signal.SIGKILL
    assert result.code is None
    assert time.monotonic() - started < 5
    assert not os.path.exists(f"/proc/{int(result.stdout)}/cwd") or _is_zombie(int(result.stdout))


def test_child_with_a_session_of_its_own_does_not_escape_the_limit(loop: Loop) -> None:
    """pam_exec starts its programs that way."""
    result = run(loop, "setsid sh -c 'echo $$; exec sleep 60'", b"", JobLimits(seconds=0.5))
    assert result.timed_out
    pid = int(result.stdout)
    turn_until(loop, lambda: not os.path.exists(f"/proc/{pid}") or _is_zombie(pid))


def test_child_that_stays_behind_does_not_hold_the_job(loop: Loop) -> None:
    """It has the pipes open and is ended with the group."""
    result = run(loop, "sleep 60 & echo $!; exit 0")
    assert result.code == 0
    pid = int(result.stdout)
    turn_until(loop, lambda: not os.path.exists(f"/proc/{pid}") or _is_zombie(pid))


def test_program_that_does_not_exist(loop: Loop) -> None:
    """An answer, not an exception."""
    results: list[JobResult] = []
    before = len(os.listdir("/proc/self/fd"))
    HelperJob(loop, ["/nonexistent/program"], b"secret", results.append, env={})
    assert results == []
    turn_until(loop, lambda: results)
    assert results[0].code == 127
    assert "/nonexistent/program cannot be started" in results[0].stderr
    assert "secret" not in results[0].stderr
    assert len(os.listdir("/proc/self/fd")) == before


def test_helper_inherits_nothing(loop: Loop) -> None:
    """No descriptor of ours, no ignored signal, no environment, no terminal."""
    # What the test runner itself was started with is inheritable; the master closes such things when it starts.
    given = {fd for fd in map(int, os.listdir("/proc/self/fd")) if fd > 2 and _passes(fd)}
    leak = os.open("/dev/null", os.O_RDONLY)
    script = "echo $$; ps -o sid= -p $$; ls -x /proc/$$/fd; env | cut -d= -f1; exec grep Sig /proc/self/status"
    lines = run(loop, script).stdout.decode().splitlines()
    os.close(leak)
    assert int(lines[0]) == int(lines[1])
    status = dict(line.split(":\t") for line in lines if ":\t" in line)
    assert int(status["SigBlk"], 16) == 0
    # The C library's own two signals, which posix_spawn treats as it likes.
    assert int(status["SigIgn"], 16) & ~0x180000000 == 0
    names = [line for line in lines[2:] if line.replace("_", "").isalpha()]
    assert set(names) <= {"PATH", "PWD", "_", "OLDPWD", "SHLVL"}
    fds = " ".join(line for line in lines[2:] if line.replace(" ", "").isdigit())
    assert set(map(int, fds.split())) == {0, 1, 2, *given}


def test_many_jobs_leak_no_descriptor(loop: Loop) -> None:
    """Forty in parallel."""
    before = len(os.listdir("/proc/self/fd"))
    results: list[JobResult] = []
    for _ in range(40):
        HelperJob(loop, ["/bin/cat"], b"x", results.append, env={})
    turn_until(loop, lambda: len(results) == 40)
    assert all(result.stdout == b"x" for result in results)
    assert len(os.listdir("/proc/self/fd")) == before


def _passes(fd: int) -> bool:
    try:
        return os.get_inheritable(fd)
    except OSError:
        return False


def _is_zombie(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii") as file:
            return file.read().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True
