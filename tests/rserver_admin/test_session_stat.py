import os
import signal
import subprocess

from rserver_admin.session_stat import is_starting, usage_of
from tests.rserver_admin.processes import record_of, sleeper


def test_usage_of_a_process() -> None:
    with sleeper("sum(range(3_000_000)); block = b'x' * 50_000_000") as process:
        usage = usage_of(record_of(process.pid))
        assert usage
        assert usage.state == "running"
        assert usage.memory_bytes
        assert 50_000_000 < usage.memory_bytes < 100_000_000
        assert 0 < usage.cpu_seconds < 60


def test_a_stopped_process_says_so() -> None:
    with sleeper() as process:
        os.kill(process.pid, signal.SIGSTOP)
        os.waitid(os.P_PID, process.pid, os.WSTOPPED)
        usage = usage_of(record_of(process.pid))
        assert usage
        assert usage.state == "stopped"


def test_a_session_whose_profiles_run_is_starting() -> None:
    with subprocess.Popen(["/bin/sh", "-c", "echo; read line"], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as shell:
        assert shell.stdout
        shell.stdout.readline()
        assert is_starting(record_of(shell.pid))
        shell.kill()


def test_a_process_that_is_gone() -> None:
    with sleeper() as process:
        record = record_of(process.pid)
    assert usage_of(record) is None
