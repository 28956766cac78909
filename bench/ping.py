"""A ping through rserver to the session's server while R is busy: nothing that R does may hold it up. Needs root."""

import time

from bench.figures import median, percentile, report, target
from bench.server import SignedIn, bench_account, require_root, running_server, signed_in
from bench.web_client import cost, get

COUNT = 2000
LOADS = {
    "idle": "",
    "tight loop": "while (TRUE) {}",
    "cat flood": 'repeat cat("hello\\n")',
    "matrix product": "m <- matrix(0.5, 3000, 3000); repeat m %*% m",
}


def main() -> None:
    """Measure each load in turn, and the client alone."""
    require_root("ping")
    with running_server() as server, bench_account() as user, signed_in(server, user) as session:
        for load, code in LOADS.items():
            _report(load, _under(session, code))
    own = cost()
    report("ping", load="the client alone", p50_ms=round(own[0], 3), p99_ms=round(own[1], 3))


def _under(session: SignedIn, code: str) -> list[float]:
    if code:
        session.type(code)
        session.events.wait_for(b'"console_write_input"')
    with session.drained():
        times = _pings(session)
    # The product of matrices cannot be stopped and so comes last.
    if code and "%*%" not in code:
        session.interrupt()
    return times


def _pings(session: SignedIn) -> list[float]:
    connection = session.connection()
    request = get(f"{session.visitor.session_path}ping", session.visitor.port, session.cookie)
    times = []
    for _ in range(COUNT):
        started = time.perf_counter()
        status, body = connection.exchange(request)
        times.append((time.perf_counter() - started) * 1000)
        assert status == 200, body
    connection.close()
    return times


def _report(load: str, times: list[float]) -> None:
    report(
        "ping",
        load=load,
        p50_ms=target(median(times, 3), 1.0),
        p99_ms=target(percentile(times, 0.99, 3), 8.0),
        worst_ms=round(max(times), 2),
    )


if __name__ == "__main__":
    main()
