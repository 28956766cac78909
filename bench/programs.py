"""The door of programs: code, objects and first answers, beside what R does by itself. Needs root.

`execute` is one program on one session with a kept connection; `many` are 200 callers on 20 sessions. An object is put
and got by a connection of this process to and from memory; beside it R itself writes the same object to a file in its
own byte order and reads it back. `first_answer` is from the posted password to the answer to `1+1` in a new session,
beside a bare `R --vanilla -s -e 1`.
"""

import os
import statistics
import threading
import time

from bench.cold_start import bare_r_ms
from bench.figures import median, percentile, report, target
from bench.server import Account, RunningServer, bench_account, require_root, running_server
from tests.system.program import Program

CALLS = 2000
MEGABYTES = int(os.environ.get("BENCH_OBJECT_MB", "1000"))
ROUNDS = 3
CALLERS, SESSIONS, CALLS_OF_ONE = 200, 20, 20
STARTS = 9

_BY_R = """
path <- tempfile(tmpdir = ".")
time <- function(code) system.time(code)[[3L]]
write <- time({to <- file(path, "wb"); serialize(big, to, xdr = FALSE); close(to)})
read <- time({from <- file(path, "rb"); again <- unserialize(from); close(from)})
unlink(path); rm(again)
seconds <- write + read
"""


def main() -> None:
    """All three, one after the other."""
    require_root("programs")
    with running_server(remote_enabled="1", remote_port="0", session_limit="0") as server, bench_account() as user:
        with Program(server) as program:
            program.login(user)
            session = program.new_session()
            report("programs", shape="execute", **_execute(program, session))
            report("programs", shape="object", megabytes=MEGABYTES, **_object(program, session))
            program.send("DELETE", f"{session}/force")
            report("programs", shape="many", **_many(server, program))
        report("programs", shape="first_answer", **_first_answers(server))


def _execute(program: Program, session: str) -> dict[str, object]:
    for _ in range(50):
        program.execute(session, "1+1")
    begun, times = time.perf_counter(), []
    for _ in range(CALLS):
        started = time.perf_counter()
        program.execute(session, "1+1")
        times.append((time.perf_counter() - started) * 1000)
    rate = CALLS / (time.perf_counter() - begun)
    return {
        "p50_ms": target(median(times), 1.5),
        "p99_ms": percentile(times, 0.99),
        "per_second": {"value": round(rate), "at_least": 800, "met": rate >= 800},
    }


def _object(program: Program, session: str) -> dict[str, object]:
    rows = MEGABYTES * 1_000_000 // 16
    program.execute(session, f"big <- data.frame(a = runif({rows}), b = runif({rows}))")
    rounds = [_object_round(program, session) for _ in range(ROUNDS)]
    by_r, got, put = zip(*rounds, strict=True)
    return {
        "r_write_and_read_s": median(by_r),
        "get_s": median(got),
        "put_s": median(put),
        "get_of_r": _share(by_r, got),
        "put_of_r": _share(by_r, put),
    }


def _share(by_r: tuple[float, ...], ours: tuple[float, ...]) -> dict[str, object]:
    share = round(statistics.median(a / b for a, b in zip(by_r, ours, strict=True)), 2)
    return {"value": share, "at_least": 0.8, "met": share >= 0.8}


def _object_round(program: Program, session: str) -> tuple[float, float, float]:
    answer = program.execute(session, _BY_R, outputParameters=["seconds"])
    by_r = float(answer["outputParameters"][0]["value"][0])
    started = time.perf_counter()
    status, data = program.send("GET", f"{session}/workspace/big?native=1")
    got = time.perf_counter()
    assert status == 200
    assert program.send("POST", f"{session}/workspace/copy", data) == (200, "")
    put = time.perf_counter()
    program.execute(session, "rm(copy); invisible(gc())")
    return by_r, got - started, put - got


def _many(server: RunningServer, program: Program) -> dict[str, object]:
    sessions = [program.new_session() for _ in range(SESSIONS)]
    times: list[float] = []
    errors: list[object] = []

    def call(number: int) -> None:
        with Program(server, program.token) as own:
            for _ in range(CALLS_OF_ONE):
                started = time.perf_counter()
                answer = own.send("POST", f"{sessions[number % SESSIONS]}/execute", {"code": "1+1"})
                times.append((time.perf_counter() - started) * 1000)
                if answer[0] != 200 or not answer[1]["success"]:
                    errors.append(answer)

    callers = [threading.Thread(target=call, args=[number]) for number in range(CALLERS)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    for session in sessions:
        program.send("DELETE", f"{session}/force")
    p50, p99 = median(times), percentile(times, 0.99)
    return {"errors": len(errors), "p50_ms": p50, "p99_ms": p99, "p99_of_p50": target(round(p99 / p50, 1), 10)}


def _first_answers(server: RunningServer) -> dict[str, object]:
    rounds = [_first_answer(server) for _ in range(STARTS + 1)][1:]
    bare, ours = zip(*rounds, strict=True)
    ratio = round(statistics.median(b / a for a, b in rounds), 2)
    return {"bare_r_ms": median(bare, 1), "login_to_answer_ms": median(ours, 1), "ratio": target(ratio, 1.6)}


def _first_answer(server: RunningServer) -> tuple[float, float]:
    with bench_account() as user:
        return bare_r_ms(user), _from_login(server, user)


def _from_login(server: RunningServer, user: Account) -> float:
    with Program(server) as program:
        started = time.perf_counter()
        program.login(user)
        session = program.new_session()
        program.execute(session, "1+1")
        seconds = time.perf_counter() - started
        program.send("DELETE", f"{session}/force")
        return seconds * 1000


if __name__ == "__main__":
    main()
