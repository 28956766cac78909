"""A hundred sessions with a page open, all idle, beside a hundred bare idle R: memory, idle work, time to start.

Ten accounts have ten sessions each. Bare R and sessions do not run at the same time: shared pages of R flatter neither.
Needs root and some 8 GB of memory.
"""

import contextlib
import time
from collections.abc import Iterator

from bench.figures import median, report, target
from bench.memory import bare_r
from bench.processes import descendants, pss_mb, scheduled_ms
from bench.server import Account, RunningServer, Visitor, bench_account, open_events, require_root, running_server

USERS, EACH = 10, 10
COUNT = USERS * EACH
ENDS = 10
IDLE_SECONDS = 10.0


def main() -> None:
    """Bare R first, then the sessions."""
    require_root("hundred_sessions")
    bare = _bare_r_mb()
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(running_server())
        users = [stack.enter_context(bench_account()) for _ in range(USERS)]
        times = [
            stack.enter_context(_started(visitor))
            for visitor in map(_visitor, [server] * USERS, users)
            for _ in range(EACH)
        ]
        pids = _processes(server)
        ours = sum(map(pss_mb, pids))
        worker = server.pids("worker_main")
        idle = _share(worker)
    first, last = median(times[1 : 1 + ENDS], 1), median(times[-ENDS:], 1)
    report(
        "hundred_sessions",
        sessions=COUNT,
        processes=len(pids),
        all_mb=round(ours),
        bare_r_mb=round(bare),
        beyond_bare_r=target(round(ours / bare - 1, 2), 0.6),
        worker_idle_share=target(round(idle, 4), 0.01),
        first_start_ms=first,
        last_start_ms=last,
        last_to_first=target(round(last / first, 2), 1.2),
    )


def _bare_r_mb() -> float:
    with contextlib.ExitStack() as stack:
        return sum([pss_mb(pid) for pid in [stack.enter_context(bare_r()) for _ in range(COUNT)]])


def _visitor(server: RunningServer, user: Account) -> Visitor:
    visitor = Visitor(server.port)
    visitor.sign_in(user.name, user.password)
    return visitor


@contextlib.contextmanager
def _started(visitor: Visitor) -> Iterator[float]:
    """A new session at its first prompt, with its event stream open; milliseconds from the request to the prompt."""
    started = time.perf_counter()
    answer = visitor.post_json("/api/sessions", {})
    mine = Visitor(visitor.port, visitor.cookies, session_path=answer.json()["url"])
    mine.init()
    events = open_events(mine)
    events.wait_for(b'"console_prompt"')
    took = (time.perf_counter() - started) * 1000
    try:
        yield took
    finally:
        events.close()
        mine.rpc_answer("quit_session")


def _processes(server: RunningServer) -> list[int]:
    """The server, and the keepers with their sessions, whose parent is gone."""
    records = [path.read_text() for path in (server.run_dir / "sessions").glob("*.json")]
    keepers = [int(record.partition('"keeper_pid": ')[2].partition(",")[0]) for record in records]
    roots = [server.process.pid, *keepers]
    return sorted({pid for root in roots for pid in (root, *descendants(root))})


def _share(pids: list[int]) -> float:
    """The share of one processor that these processes take while nobody does anything."""
    time.sleep(2)
    before = scheduled_ms(pids)
    time.sleep(IDLE_SECONDS)
    return (scheduled_ms(pids) - before) / 1000 / IDLE_SECONDS


if __name__ == "__main__":
    main()
