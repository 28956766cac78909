"""What it costs to route a request when the server knows 5,000 sessions, beside 10: pings to one real session of each.

Two whole servers run side by side; the other sessions are suspended ones of a hundred users, put into the store before
the worker reads it. Needs root.
"""

import contextlib
import os
import signal
import sqlite3
import time

from bench.figures import median, report, target
from bench.server import RunningServer, SignedIn, bench_account, require_root, running_server, signed_in
from bench.web_client import KeptConnection, get

SIZES = (10, 5000)
ROUNDS, COUNT = 21, 400
_RESTART_SECONDS = 20.0


def main() -> None:
    """Rounds of pings in turn."""
    require_root("session_table")
    with contextlib.ExitStack() as stack:
        asked = [_prepared(stack, size) for size in SIZES]
        rows = [[_round(session, connection) for session, connection in asked] for _ in range(ROUNDS)]
        listed = [_list_ms(session) for session, _ in asked]
    ratio = median([many / few for few, many in rows], 3)
    report(
        "session_table",
        sessions=SIZES[1],
        ping_ms=median([many for _, many in rows], 4),
        ping_ms_with_10=median([few for few, _ in rows], 4),
        ratio=target(ratio, 1.1),
        list_ms=round(listed[1], 2),
        list_ms_with_10=round(listed[0], 2),
    )


def _prepared(stack: contextlib.ExitStack, size: int) -> tuple[SignedIn, KeptConnection]:
    server = stack.enter_context(running_server())
    _fill(server, size - 1)
    session = stack.enter_context(signed_in(server, stack.enter_context(bench_account())))
    return session, session.connection()


def _fill(server: RunningServer, count: int) -> None:
    """The worker reads the store when it starts, so it is started anew."""
    rows = [(f"{n:021x}", f"user{n % 100}", 100_000 + n % 100, f"Session {n}", "", "", 1.0, 1.0) for n in range(count)]
    with contextlib.closing(sqlite3.connect(server.lib_dir / "db" / "rserver.sqlite")) as store, store:
        columns = "id, user, uid, label, project, r_version, created, last_used"
        store.executemany(f"INSERT INTO session ({columns}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)", rows)
    (old,) = server.pids("worker_main")
    os.kill(old, signal.SIGKILL)
    deadline = time.monotonic() + _RESTART_SECONDS
    while not [pid for pid in server.pids("worker_main") if pid != old]:
        assert time.monotonic() < deadline, "no new worker"
        time.sleep(0.05)


def _round(session: SignedIn, connection: KeptConnection) -> float:
    """Milliseconds for one ping."""
    request = get(f"{session.visitor.session_path}ping", session.visitor.port, session.cookie)
    started = time.perf_counter()
    for _ in range(COUNT):
        status, body = connection.exchange(request)
        assert status == 200, body
    return (time.perf_counter() - started) * 1000 / COUNT


def _list_ms(session: SignedIn) -> float:
    started = time.perf_counter()
    assert len(session.visitor.get("/api/sessions").json()["sessions"]) == 1
    return (time.perf_counter() - started) * 1000


if __name__ == "__main__":
    main()
