"""Enter to the next prompt: `1` is posted through rserver, its prompt comes on the WebSocket. Needs root."""

import time

from bench.figures import median, percentile, report, target
from bench.server import SignedIn, bench_account, require_root, running_server, signed_in

COUNT = 500


def main() -> None:
    """Measure one session that does nothing else."""
    require_root("prompt_latency")
    with running_server() as server, bench_account() as user, signed_in(server, user) as session:
        times = _enters(session)
    report(
        "prompt_latency",
        runs=COUNT,
        p50_ms=target(median(times), 3.0),
        p99_ms=percentile(times, 0.99),
        worst_ms=round(max(times), 2),
    )


def _enters(session: SignedIn) -> list[float]:
    connection = session.connection()
    request = session.rpc_request("console_input", "1", "")
    times = []
    for _ in range(COUNT):
        started = time.perf_counter()
        connection.exchange(request)
        session.events.wait_for(b'"console_prompt"')
        times.append((time.perf_counter() - started) * 1000)
    connection.close()
    return times


if __name__ == "__main__":
    main()
