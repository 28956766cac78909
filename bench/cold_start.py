"""From nothing to R's prompt through the whole server, beside a bare `R --vanilla -s -e 1` of the account. Needs root.

Each of our runs is the first session of a new account: the password is posted, PAM checks it, the page of the session
is asked for, the launcher opens the PAM session, a login shell runs, and the time ends with the prompt event on the
WebSocket. `sign_in` is the part until the password was accepted. `preloaded` is the same with rsession-preload=1.
"""

import re
import shutil
import statistics
import subprocess
import time

from bench.figures import median, report, target
from bench.server import Account, RunningServer, Visitor, bench_account, open_events, require_root, running_server

RUNS = 15
PRELOADED = re.compile("is preloaded")


def main() -> None:
    """Ours, ours preloaded and bare R in turn."""
    require_root("cold_start")
    with running_server() as server, running_server(rsession_preload="1") as preloading:
        preloading.wait_for_line(PRELOADED)
        rows = [_round(server, preloading) for _ in range(RUNS + 1)][1:]
    sign_in, whole, preloaded_sign_in, preloaded_whole, bare = (list(column) for column in zip(*rows, strict=True))
    session, preloaded = _differences(whole, sign_in), _differences(preloaded_whole, preloaded_sign_in)
    report(
        "cold_start",
        runs=RUNS,
        bare_r_ms=median(bare, 1),
        sign_in_ms=median(sign_in, 1),
        request_to_prompt_ms=median(session, 1),
        sign_in_to_prompt_ms=median(whole, 1),
        preloaded_request_to_prompt_ms=median(preloaded, 1),
        request_to_prompt_ratio=target(_ratio(session, bare), 1.5),
        sign_in_to_prompt_ratio=_ratio(whole, bare),
        preloaded_request_to_prompt_ratio=target(_ratio(preloaded, bare), 0.5),
    )


def _differences(whole: list[float], part: list[float]) -> list[float]:
    return [a - b for a, b in zip(whole, part, strict=True)]


def _ratio(ours: list[float], theirs: list[float]) -> float:
    return round(statistics.median(a / b for a, b in zip(ours, theirs, strict=True)), 3)


def _round(server: RunningServer, preloading: RunningServer) -> tuple[float, float, float, float, float]:
    with bench_account() as user, bench_account() as other:
        bare = bare_r_ms(user)
        return (*_first_prompt(server, user), *_first_prompt(preloading, other), bare)


def _first_prompt(server: RunningServer, user: Account) -> tuple[float, float]:
    visitor = Visitor(server.port)
    visitor.get("/auth-sign-in")
    started = time.perf_counter()
    answer = visitor.post_form("/auth-do-sign-in", username=user.name, password=user.password, appUri="/")
    signed_in = time.perf_counter()
    assert answer.status == 302, answer
    visitor.open_session()
    events = open_events(visitor)
    events.wait_for(b'"console_prompt"')
    prompted = time.perf_counter()
    events.close()
    visitor.rpc("abort")
    return (signed_in - started) * 1000, (prompted - started) * 1000


def bare_r_ms(user: Account) -> float:
    """Milliseconds of `R --vanilla -s -e 1` as that account."""
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(user.home), "LANG": "C.UTF-8"}
    argv = [shutil.which("R") or "R", "--vanilla", "-s", "-e", "1"]
    started = time.perf_counter()
    subprocess.run(argv, check=True, capture_output=True, user=user.uid, env=environment, cwd=user.home)
    return (time.perf_counter() - started) * 1000


if __name__ == "__main__":
    main()
