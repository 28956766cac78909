"""Suspend, resume and checkpoints beside R's own save.image and readRDS, on one file system.

The objects are incompressible doubles: 1 GB for the first suspension, BENCH_WORKSPACE_MB (default 2000) in 100 objects
for checkpoints and the rest, in BENCH_FOLDER (default /tmp); 10000 needs 20 GB of memory, 25 GB of disk. A suspension
is timed from the request to its answer: everything is on disk then, with fsync. save.image does not call fsync.
"""

import os
import statistics
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from bench.figures import report, target
from tests.rsession.running import EventStream, RunningSession, evaluate, ready
from tests.rsession.workspace.keeping import restored, suspend

LARGE_MB = int(os.environ.get("BENCH_WORKSPACE_MB", "2000"))
RUNS = 5


def main() -> None:
    """Each figure in a session of its own."""
    tempfile.tempdir = os.environ.get("BENCH_FOLDER", "/tmp")
    first_suspension()
    large_workspace()
    writes()
    small_objects()
    one_object()


def first_suspension() -> None:
    """1 GB that no store has yet."""
    took, image, synced = [], [], []
    for _ in range(RUNS):
        with _session() as (session, stream):
            evaluate(session, stream, _fill(8, 1000))
            image.append(_save_image(session, stream))
            synced.append(_save_image(session, stream, "; system('sync image.RData')"))
            took.append(_suspension(session))
    ours, theirs = statistics.median(took), statistics.median(image)
    times = {"seconds": round(ours, 2), "save_image": round(theirs, 2)}
    report("workspace", what="first suspend of 1 GB", **times, ratio=target(round(ours / theirs, 2), 0.7))
    theirs = statistics.median(synced)
    report("workspace", what="beside save.image and fsync", save_image=round(theirs, 2), ratio=round(ours / theirs, 2))


def large_workspace() -> None:
    """100 objects; one of them is touched."""
    with _session() as (session, stream):
        _fill_in_parts(session, stream)
        image = _save_image(session, stream)
        _checkpoints(session, stream)
        suspend(session, stream)
        usable = _time_to_answer(session, "1")
        report("workspace", what=f"resume of {LARGE_MB} MB: prompt answers, s", value=target(round(usable, 2), 1.0))
        stream = _loaded(session)
        evaluate(session, stream, "v50 <- v50 + 1")
        took = _suspension(session)
        written = stream.wait_for_type("session_suspended")["data"]["written"]
        time_share = target(round(took / image, 4), 0.03)
        times = {"seconds": round(took, 3), "save_image": round(image, 1)}
        report("workspace", what="suspend after touching 1 %, time", **times, share=time_share)
        byte_share = target(round(written / (LARGE_MB * 2**20), 4), 0.03)
        report("workspace", what="suspend after touching 1 %, bytes", written=written, share=byte_share)


def _checkpoints(session: RunningSession, stream: EventStream) -> None:
    """How long R is away: the longest time that a tiny evaluation takes, without and with a checkpoint."""
    without = _longest_evaluation(session, stream, time.monotonic() + 1.0)
    for which, change in (("first", "1"), ("next", "v50[1] <- 0")):
        evaluate(session, stream, change)
        asking = threading.Thread(target=_checkpoint, args=(session,))
        begun = time.monotonic()
        asking.start()
        longest = _longest_evaluation(session, stream, asking)
        asking.join()
        report(
            "workspace",
            what=f"longest evaluation during the {which} checkpoint of {LARGE_MB} MB, ms",
            value=target(round(longest * 1000), 100),
            without=round(without * 1000),
            took_s=round(time.monotonic() - begun, 2),
        )


def writes() -> None:
    """The first change of each page of 400 MB after a checkpoint, beside one that nothing came before."""
    plain, first = [], []
    with _session() as (session, stream):
        evaluate(
            session, stream, f"{_fill(1, 400)}; at <- seq(1, length(v1), by = 512); change <- function() v1[at] <<- 0"
        )
        session.call("checkpoint_session")
        for _ in range(RUNS):
            first.append(_timed(session, stream, "change()"))
            plain.append(_timed(session, stream, "change()"))
            session.call("checkpoint_session")
    pages = 400 * 256
    each = statistics.median(first) - statistics.median(plain)
    report("workspace", what="first write to a page after a checkpoint, us", value=round(each / pages * 1e6, 2))


def small_objects() -> None:
    """100,000 numbers."""
    with _session() as (session, stream):
        evaluate(session, stream, "for (i in 1:100000) assign(paste0('n', i), i + 0.5)")
        took = _suspension(session)
        assert session.process is not None
        session.process.wait()
        report("workspace", what="suspend of 100,000 objects, s", value=target(round(took, 2), 1.0))
        resumed = _time_to_answer(session, "n99999")
        session.call("quit_session")
        session.process.wait()
        empty = _time_to_answer(session, "1")
        value = target(round(resumed, 2), 1.0)
        report("workspace", what="resume of 100,000 objects, s", value=value, empty_session=round(empty, 2))


def one_object() -> None:
    """The first touch of 100 MB against readRDS of the same, uncompressed, both in the page cache."""
    touched, read = [], []
    with _session() as (session, stream):
        evaluate(session, stream, f"{_fill(1, 100)}; saveRDS(v1, 'v.rds', compress = FALSE)")
        for _ in range(RUNS):
            suspend(session, stream)
            stream = _with_loading_stopped(session)
            touched.append(_timed(session, stream, "sum(v1[1])"))
            read.append(_timed(session, stream, "w <- readRDS('v.rds')"))
            evaluate(session, stream, "rm(w)")
    first, second = statistics.median(touched), statistics.median(read)
    ratio = target(round(first / second, 2), 1.3)
    report("workspace", what="touch of a 100 MB object", seconds=round(first, 3), readrds=round(second, 3), ratio=ratio)


@contextmanager
def _session() -> Iterator[tuple[RunningSession, EventStream]]:
    with RunningSession(["--session-checkpoint-minutes=0"]) as session:
        yield session, ready(session)


def _fill(objects: int, megabytes: int) -> str:
    return f"for (i in 1:{objects}) assign(paste0('v', i), rnorm({megabytes / objects} * 131072))"


def _fill_in_parts(session: RunningSession, stream: EventStream) -> None:
    for i in range(1, 101):
        evaluate(session, stream, f"v{i} <- rnorm({LARGE_MB * 1310.72})")


def _timed(session: RunningSession, stream: EventStream, code: str) -> float:
    return float(evaluate(session, stream, f"cat(system.time({{{code}}})[[3]])"))


def _save_image(session: RunningSession, stream: EventStream, then: str = "") -> float:
    took = _timed(session, stream, f"save.image('image.RData', compress = FALSE){then}")
    (session.home / "image.RData").unlink()
    return took


def _suspension(session: RunningSession) -> float:
    begun = time.monotonic()
    session.call("suspend_session")
    return time.monotonic() - begun


def _longest_evaluation(session: RunningSession, stream: EventStream, until: float | threading.Thread) -> float:
    longest = 0.0
    while until.is_alive() if isinstance(until, threading.Thread) else time.monotonic() < until:
        begun = time.monotonic()
        evaluate(session, stream, "1")
        longest = max(longest, time.monotonic() - begun)
    return longest


def _checkpoint(session: RunningSession) -> None:
    """Asked on a connection of its own."""
    other = RunningSession()
    other.socket_path, other.client_id = session.socket_path, session.client_id
    other.call("checkpoint_session")
    other.hang_up()


def _time_to_answer(session: RunningSession, code: str) -> float:
    begun = time.monotonic()
    session.launch()
    evaluate(session, ready(session), code)
    return time.monotonic() - begun


def _loaded(session: RunningSession) -> EventStream:
    stream = session.events(0)
    stream.wait_for(lambda event: event["type"] == "workspace_progress" and event["data"]["left"] == 0, 600)
    return stream


def _with_loading_stopped(session: RunningSession) -> EventStream:
    stream = restored(session)
    session.call("stop_loading")
    return stream


if __name__ == "__main__":
    main()
