"""From sign-in to a running R, and memory, in turn with JupyterHub, LocalProcessSpawner and IRkernel. Needs root."""

import time

from bench.figures import median, report, skipped, target
from bench.jupyterhub_peer import Hub, programs, running_hub
from bench.processes import descendants, pss_mb
from bench.server import RunningServer, bench_account, require_root, running_server, signed_in

RUNS = 5
_SETTLE_SECONDS = 2.0


def main() -> None:
    """Both servers run at once; accounts sign in to one after the other."""
    require_root("jupyterhub")
    found = programs()
    if isinstance(found, str):
        skipped("jupyterhub", found)
        return
    with running_server() as server, running_hub(found) as hub:
        idle_ours, idle_theirs = _idle_mb(server), sum(map(pss_mb, hub.hub_and_proxy()))
        rows = [(*_ours(server), *_theirs(hub)) for _ in range(RUNS)]
    ours_s, ours_mb, theirs_s, theirs_mb = (list(column) for column in zip(*rows, strict=True))
    report(
        "jupyterhub",
        runs=RUNS,
        sign_in_to_running_r_s={"ours": median(ours_s, 3), "jupyterhub": median(theirs_s, 3)},
        times_slower=_at_least(median([b / a for a, b in zip(ours_s, theirs_s, strict=True)], 1), 10),
        memory_per_user_mb={"ours": median(ours_mb, 1), "jupyterhub": median(theirs_mb, 1)},
        times_more_memory=_at_least(median([b / a for a, b in zip(ours_mb, theirs_mb, strict=True)]), 1.5),
        idle_server_mb={"ours": round(idle_ours, 1), "hub and proxy": round(idle_theirs, 1)},
        idle_server_share=target(round(idle_ours / idle_theirs, 3), 0.55),
    )


def _at_least(value: float, limit: float) -> dict[str, float | bool]:
    return {"value": value, "at_least": limit, "met": value >= limit}


def _idle_mb(server: RunningServer) -> float:
    """Guard, master, worker and launcher."""
    return sum(map(pss_mb, [server.process.pid, *descendants(server.process.pid)]))


def _ours(server: RunningServer) -> tuple[float, float]:
    """Seconds from posting the password to R's prompt; MB of session and keeper."""
    with bench_account() as user:
        started = time.perf_counter()
        with signed_in(server, user) as session:
            seconds = time.perf_counter() - started
            time.sleep(_SETTLE_SECONDS)
            keeper = int(_status(session.pid, "PPid"))
            return seconds, pss_mb(session.pid) + pss_mb(keeper)


def _theirs(hub: Hub) -> tuple[float, float]:
    """Seconds from posting the password to the R kernel's first answer; MB of the user's server and kernel."""
    with bench_account() as user:
        seconds = hub.sign_in_to_kernel(user)
        time.sleep(_SETTLE_SECONDS)
        memory = sum(map(pss_mb, hub.user_processes(user)))
        hub.stop(user)
        return seconds, memory


def _status(pid: int, name: str) -> str:
    with open(f"/proc/{pid}/status", encoding="utf-8") as file:
        return dict(line.rstrip("\n").split(":\t", 1) for line in file if ":\t" in line)[name]


if __name__ == "__main__":
    main()
