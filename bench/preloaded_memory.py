"""Memory of ten used sessions that were forked from a template, of the template and of their keepers. Needs root.

Used: `1+1` was typed. `collected` is the same after a garbage collection, which writes to every page of R's heap and so
takes it out of what is shared.
"""

import contextlib
import time
from collections.abc import Iterable

from bench.cold_start import PRELOADED
from bench.figures import report, target
from bench.processes import descendants, pss_mb
from bench.server import RunningServer, SignedIn, bench_account, require_root, running_server, signed_in

SESSIONS = 10
SETTLE_SECONDS = 2.0


def main() -> None:
    """Preloaded sessions, then ordinary ones, each all at the same time."""
    require_root("preloaded_memory")
    with running_server(rsession_preload="1") as server:
        template = _template(server)
        alone = pss_mb(template)
        used, collected, keepers = _sessions(server)
    with running_server() as server:
        ordinary, ordinary_collected, _ = _sessions(server)
    report(
        "preloaded_memory",
        sessions=SESSIONS,
        pss_mb=target(used, 42),
        pss_collected_mb=collected,
        ordinary_pss_mb=ordinary,
        ordinary_pss_collected_mb=ordinary_collected,
        template_alone_mb=round(alone, 1),
        keeper_mb=keepers,
    )


def _template(server: RunningServer) -> int:
    server.wait_for_line(PRELOADED)
    return next(pid for pid in descendants(server.master_pid) if _name(pid) == "rserver-preload")


def _name(pid: int) -> str:
    with open(f"/proc/{pid}/comm", encoding="utf-8") as file:
        return file.read().strip()


def _sessions(server: RunningServer) -> tuple[float, float, float]:
    """MB for each session when all were used, when all have collected, and for each keeper."""
    with contextlib.ExitStack() as stack:
        sessions = [
            stack.enter_context(signed_in(server, stack.enter_context(bench_account()))) for _ in range(SESSIONS)
        ]
        _all_run(sessions, "1+1")
        used = _mean(session.pid for session in sessions)
        keepers = _mean(_parent(session.pid) for session in sessions)
        _all_run(sessions, "invisible(gc())")
        collected = _mean(session.pid for session in sessions)
    return used, collected, keepers


def _all_run(sessions: list[SignedIn], code: str) -> None:
    for session in sessions:
        session.type(code)
        session.events.wait_for(b'"console_prompt"')
    time.sleep(SETTLE_SECONDS)


def _mean(pids: Iterable[int]) -> float:
    sizes = [pss_mb(pid) for pid in pids]
    return round(sum(sizes) / len(sizes), 1)


def _parent(pid: int) -> int:
    with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
        return int(file.read().rpartition(")")[2].split()[1])


if __name__ == "__main__":
    main()
