import os
import signal
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]

PROGRAM = """
import os, signal, sys
sys.path.insert(0, sys.argv[1])
from rserver.supervisor.guard import Guard

def serve(attempt):
    print("attempt", attempt, os.getpid(), flush=True)
    {body}

sys.exit(Guard(serve).run())
"""


def _start(body: str) -> subprocess.Popen[str]:
    code = PROGRAM.format(body=body)
    return subprocess.Popen(
        [sys.executable, "-c", code, str(ROOT)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def _attempt(guard: subprocess.Popen[str]) -> tuple[int, int]:
    assert guard.stdout
    _, number, pid = guard.stdout.readline().split()
    return int(number), int(pid)


def test_a_master_that_ends_by_itself_gives_its_exit_code() -> None:
    with _start("return 4") as guard:
        assert _attempt(guard)[0] == 0
        assert guard.wait(10) == 4


def test_a_killed_master_is_started_again_and_a_stop_ends_both() -> None:
    with _start("signal.pause()") as guard:
        first, pid = _attempt(guard)
        os.kill(pid, signal.SIGKILL)
        second, successor = _attempt(guard)
        assert (first, second) == (0, 1)
        assert successor != pid
        guard.send_signal(signal.SIGTERM)
        assert guard.wait(10) == 0
        assert not Path(f"/proc/{successor}").exists()


def test_hangup_is_passed_on_and_does_not_stop() -> None:
    body = """signal.signal(signal.SIGHUP, lambda *_: os.write(1, b"x hup 0\\n"))
    print("x ready 0", flush=True)
    while True: signal.pause()"""
    with _start(body) as guard:
        assert guard.stdout
        _attempt(guard)
        assert guard.stdout.readline() == "x ready 0\n"
        guard.send_signal(signal.SIGHUP)
        assert guard.stdout.readline() == "x hup 0\n"
        guard.send_signal(signal.SIGINT)
        assert guard.wait(10) == 0
