"""A million lines of output in the session, all of them read, beside Rscript writing to /dev/null. Needs root."""

import shutil
import statistics
import subprocess
import time

from bench.figures import median, report, target
from bench.server import Account, SignedIn, bench_account, require_root, running_server, signed_in

RUNS = 5
CODE = 'for(i in 1:1e6) cat(i,"\\n")'
_END = b"the loop is over"


def main() -> None:
    """Both in turn."""
    require_root("cat_loop")
    with running_server() as server, bench_account() as user, signed_in(server, user) as session:
        rows = [(_in_session(session), _in_rscript(user)) for _ in range(RUNS + 1)][1:]
    ours, theirs = (list(column) for column in zip(*rows, strict=True))
    ratio = statistics.median(a / b for a, b in rows)
    report(
        "cat_loop",
        runs=RUNS,
        session_s=median(ours),
        rscript_s=median(theirs),
        ratio=target(round(ratio, 3), 1.1),
    )


def _in_session(session: SignedIn) -> float:
    """Until the last line has arrived; the end is marked by other text than was typed."""
    started = time.perf_counter()
    session.type(f'{CODE}; cat("the loop", "is over\\n")')
    session.events.wait_for(_END)
    return time.perf_counter() - started


def _in_rscript(user: Account) -> float:
    argv = [shutil.which("Rscript") or "Rscript", "--vanilla", "-e", CODE]
    started = time.perf_counter()
    subprocess.run(argv, check=True, stdout=subprocess.DEVNULL, user=user.uid, cwd=user.home)
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
