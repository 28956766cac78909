"""Suspend, resume and checkpoints beside R's own save.image and readRDS, on one file system (BENCH_FOLDER, default /tmp).

The objects are incompressible doubles: 1 GB for the first suspension and the checkpoint, BENCH_WORKSPACE_MB (default 2000) in
100 objects for the rest.
"""

import os
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.figures import report, target
from tests.rsession.running import EventStream, RunningSession, evaluate, ready
from tests.rsession.workspace.keeping import restored, store_of, suspend

LARGE_MB = int(os.environ.get("BENCH_WORKSPACE_MB", "2000"))
FOLDER = os.environ.get("BENCH_FOLDER", "/tmp")
_FILL = "rnorm({mb} * 131072)"


def main() -> None:
    """Each figure in a session of its own."""
    os.environ["TMPDIR"] = tempfile.tempdir = FOLDER
    first_suspension()
    incremental()
    small_objects()
    one_object()


def first_suspension() -> None:
    """1 GB that no store has yet; before that a checkpoint of it, during which R is asked to go on."""
    with _session() as (session, stream):
        evaluate(session, stream, f"for (i in 1:8) assign(paste0('v', i), {_FILL.format(mb=125)})")
        image = _save_image(session, stream)
        blocked = _blocked_by_checkpoint(session, stream)
        report("workspace", what="R blocked by a checkpoint of 1 GB, ms", value=target(round(blocked * 1000), 100))
    with _session() as (session, stream):
        evaluate(session, stream, f"for (i in 1:8) assign(paste0('v', i), {_FILL.format(mb=125)})")
        took = _suspension(session, stream)
        ratio = round(took / image, 2)
        report(
            "workspace", what="first suspend of 1 GB", seconds=round(took, 2), save_image=round(image, 2), ratio=target(ratio, 0.7)
        )


def incremental() -> None:
    """100 objects; one of them is touched."""
    with _session() as (session, stream):
        fill = f"for (i in 1:100) assign(paste0('v', i), {_FILL.format(mb=LARGE_MB / 100)})"
        evaluate(session, stream, fill)
        image = _save_image(session, stream)
        image_bytes = (session.home / "image.RData").stat().st_size
        (session.home / "image.RData").unlink()
        suspend(session, stream)
        begun = time.monotonic()
        session.launch()
        answered = ready(session)
        evaluate(session, answered, "1")
        usable = time.monotonic() - begun
        report("workspace", what=f"resume of {LARGE_MB} MB: prompt answers, s", value=target(round(usable, 2), 1.0))
        evaluate(session, answered, "for (i in 1:100) length(get(paste0('v', i)))")
        evaluate(session, answered, "v50 <- v50 + 1")
        begun = time.monotonic()
        written = suspend(session, answered)["written"]
        took = time.monotonic() - begun
        report("workspace", what="suspend after touching 1 %, time", seconds=round(took, 3), share=target(round(took / image, 4), 0.03))
        share = target(round(written / image_bytes, 4), 0.03)
        report("workspace", what="suspend after touching 1 %, bytes", written=written, share=share)


def small_objects() -> None:
    """100,000 numbers."""
    with _session() as (session, stream):
        evaluate(session, stream, "for (i in 1:100000) assign(paste0('n', i), i + 0.5)")
        took = _suspension(session, stream)
        report("workspace", what="suspend of 100,000 objects, s", value=target(round(took, 2), 1.0))
        plain = _time_to_answer(RunningSession.launch, session, remove=True)
    with _session() as (session, stream):
        evaluate(session, stream, "for (i in 1:100000) assign(paste0('n', i), i + 0.5)")
        suspend(session, stream)
        took = _time_to_answer(RunningSession.launch, session, remove=False)
        report("workspace", what="resume of 100,000 objects, s", value=target(round(took, 2), 1.0), empty_session=round(plain, 2))


def one_object() -> None:
    """The first touch of 100 MB against readRDS of the same, uncompressed, both in the page cache."""
    touched, read = [], []
    with _session() as (session, stream):
        evaluate(session, stream, f"v <- {_FILL.format(mb=100)}; saveRDS(v, 'v.rds', compress = FALSE)")
        for _ in range(5):
            suspend(session, stream)
            stream = restored(session)
            session.call("stop_loading")
            touched.append(_timed(session, stream, "length(v)"))
            read.append(_timed(session, stream, "w <- readRDS('v.rds'); rm(w)"))
    first, second = statistics.median(touched), statistics.median(read)
    ratio = target(round(first / second, 2), 1.3)
    report("workspace", what="touch of a 100 MB object", seconds=round(first, 3), readrds=round(second, 3), ratio=ratio)


@contextmanager
def _session() -> Iterator[tuple[RunningSession, EventStream]]:
    with RunningSession(["--session-checkpoint-minutes=0"]) as session:
        yield session, ready(session)


def _timed(session: RunningSession, stream: EventStream, code: str) -> float:
    text = evaluate(session, stream, f"cat(system.time({{{code}}})[[3]])")
    return float(text)


def _save_image(session: RunningSession, stream: EventStream) -> float:
    return _timed(session, stream, "save.image('image.RData', compress = FALSE)")


def _suspension(session: RunningSession, stream: EventStream) -> float:
    begun = time.monotonic()
    suspend(session, stream)
    return time.monotonic() - begun


def _blocked_by_checkpoint(session: RunningSession, stream: EventStream) -> float:
    """The longest time that a tiny evaluation takes while the checkpoint is written."""
    client, session.client_id = session.client_id, session.client_id
    other = RunningSession()
    other.socket_path, other.client_id = session.socket_path, client
    session.call("get_workspace_state")
    import threading

    thread = threading.Thread(target=other.call, args=("checkpoint_session",))
    longest = 0.0
    thread.start()
    while thread.is_alive():
        begun = time.monotonic()
        evaluate(session, stream, "1")
        longest = max(longest, time.monotonic() - begun)
    thread.join()
    other.hang_up()
    return longest


def _time_to_answer(launch: object, session: RunningSession, remove: bool) -> float:
    if remove:
        for path in store_of(session).iterdir():
            path.unlink()
    begun = time.monotonic()
    session.launch()
    stream = ready(session)
    evaluate(session, stream, "1" if remove else "n99999")
    return time.monotonic() - begun


if __name__ == "__main__":
    main()
