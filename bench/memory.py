"""Memory of every process of the server and of an idle session beside a bare idle R; what they run idle. Needs root.

The session and bare R are each measured while the other does not run: shared pages of R flatter neither.
"""

import contextlib
import os
import pty
import select
import shutil
import signal
import time
from collections.abc import Iterator

from bench.figures import median, report, target
from bench.processes import command_line, descendants, pss_mb, scheduled_ms
from bench.server import RunningServer, SignedIn, bench_account, require_root, running_server, signed_in

RUNS = 5
IDLE_SECONDS = 10.0
_MARKS = {"rserver-forker": "forker", "rserver_launcher": "launcher", "worker_main": "worker"}
LIMITS_MB = {"master": 12, "worker": 60}


def main() -> None:
    """Bare R and sessions in turn, then the processes of the server with one session."""
    require_root("memory")
    bare = [_bare_r_mb() for _ in range(RUNS)]
    with running_server() as server:
        before = _server_mb(server)
        sessions = [_session_mb(server) for _ in range(RUNS - 1)]
        with bench_account() as user, signed_in(server, user) as session:
            sessions.append(pss_mb(session.pid))
            served = _server_mb(server) | {"keeper": pss_mb(_parent(session.pid))}
            idle = _idle_ms(server, session)
    ours, theirs = median(sessions, 1), median(bare, 1)
    report(
        "memory", what="session", pss_mb=target(ours, 66), bare_r_mb=theirs, ratio=target(round(ours / theirs, 2), 1.5)
    )
    # One keeper alone shares its pages with the launcher only; keeper_memory measures twenty.
    for name, value in served.items():
        limit = LIMITS_MB.get(name)
        report("memory", what=name, pss_mb=target(round(value, 1), limit) if limit else round(value, 1))
    report("memory", what="whole idle server before the first session", pss_mb=round(sum(before.values()), 1))
    report("memory", what="whole idle server", pss_mb=round(sum(v for k, v in served.items() if k != "keeper"), 1))
    for name, value in idle.items():
        report("idle_cpu", what=name, ms_per_second=round(value, 3), share=target(round(value / 1000, 5), 0.0005))


def _bare_r_mb() -> float:
    with bare_r() as pid:
        return pss_mb(pid)


@contextlib.contextmanager
def bare_r() -> Iterator[int]:
    """R waiting at its prompt on a terminal."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.execv(shutil.which("R") or "R", ["R", "--vanilla", "--quiet"])
    try:
        _wait_for_prompt(terminal)
        yield pid
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        os.close(terminal)


def _wait_for_prompt(terminal: int) -> None:
    seen = b""
    while b"> " not in seen:
        if not select.select([terminal], [], [], 30)[0]:
            message = "R gave no prompt"
            raise TimeoutError(message)
        seen += os.read(terminal, 4096)


def _session_mb(server: RunningServer) -> float:
    with bench_account() as user, signed_in(server, user) as session:
        return pss_mb(session.pid)


def _processes(server: RunningServer) -> dict[str, int]:
    """What the server itself consists of; the forker comes with the first session."""
    found = {"guard": server.process.pid, "master": server.master_pid}
    for pid in descendants(server.master_pid):
        if name := next((name for mark, name in _MARKS.items() if mark in _title(pid)), None):
            found.setdefault(name, pid)
    return found


def _title(pid: int) -> str:
    with open(f"/proc/{pid}/comm", encoding="utf-8") as file:
        name = file.read().strip()
    return name if name.startswith("rserver-") else command_line(pid)


def _server_mb(server: RunningServer) -> dict[str, float]:
    return {name: pss_mb(pid) for name, pid in _processes(server).items()}


def _idle_ms(server: RunningServer, session: SignedIn) -> dict[str, float]:
    """Milliseconds that each process runs in a second in which nobody does anything, a page being open."""
    pids = _processes(server) | {"session": session.pid, "keeper": _parent(session.pid)}
    time.sleep(2)
    before = {name: scheduled_ms([pid]) for name, pid in pids.items()}
    time.sleep(IDLE_SECONDS)
    return {name: (scheduled_ms([pid]) - before[name]) / IDLE_SECONDS for name, pid in pids.items()}


def _parent(pid: int) -> int:
    with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
        return int(file.read().rpartition(")")[2].split()[1])


if __name__ == "__main__":
    main()
