"""What goes wrong while objects are kept: crashes, full disks, damage, limits, other versions."""

import ctypes
import json
import os
import select
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.rsession.running import EventStream, RunningSession, connect, evaluate, ready
from tests.rsession.workspace.keeping import begin_checkpoint, messages, restored, resume, store_of, suspend

pytestmark = pytest.mark.r


@pytest.fixture
def session() -> Iterator[RunningSession]:
    with RunningSession() as session:
        yield session


def kill(session: RunningSession) -> None:
    """As the kernel does when memory runs out."""
    assert session.process is not None
    os.kill(session.pid, signal.SIGKILL)
    session.process.wait(10)


def leftovers(session: RunningSession) -> list[str]:
    """Files of the store that no finished snapshot has."""
    return [path.name for path in store_of(session).iterdir() if path.suffix in (".new", ".part")]


def writer_of(session: RunningSession, deadline: float = 10) -> int:
    """Process id of the writer, as soon as there is one."""
    end = time.monotonic() + deadline
    while time.monotonic() < end:
        for child in Path(f"/proc/{session.pid}/task/{session.pid}/children").read_text().split():
            with suppress(OSError):
                if Path(f"/proc/{child}/comm").read_text() == "rsession-writer\n":
                    return int(child)
    raise AssertionError("there is no writer")


def message(stream: EventStream, part: str) -> str:
    """The message to the user with these words, which came or will come."""
    for text in messages(stream):
        if part in text:
            return text
    event = stream.wait_for(lambda e: e["type"] == "show_message" and part in e["data"]["text"])
    return str(event["data"]["text"])


def test_after_a_crash_the_objects_of_the_last_checkpoint_are_here(session: RunningSession) -> None:
    stream = ready(session)
    evaluate(session, stream, "set.seed(1); x <- runif(1e6); y <- 'kept'")
    assert session.call("checkpoint_session")["bytes"] > 8_000_000
    evaluate(session, stream, "y <- 'lost'")
    kill(session)
    stream = restored(session)
    assert evaluate(session, stream, "y; set.seed(1); identical(x, runif(1e6))") == '[1] "kept"\n[1] TRUE\n'
    assert any(event["type"] == "workspace_recovered" for event in stream.seen)


@pytest.mark.slow
def test_checkpoints_come_by_themselves() -> None:
    with RunningSession(["--session-checkpoint-minutes=1"]) as session:
        stream = ready(session)
        evaluate(session, stream, "x <- 1")
        stream.wait_for_type("checkpoint_saved", 75)
        kill(session)
        assert evaluate(session, restored(session), "x") == "[1] 1\n"


def test_r_goes_on_while_a_checkpoint_is_written(session: RunningSession) -> None:
    stream = ready(session)
    evaluate(session, stream, "x <- runif(2e7); y <- 0")
    since = stream.position
    session.type("for (i in 1:100) {y <- y + 1; Sys.sleep(0.001)}; x[1] <- -1; cat('through\\n')")
    stream.wait_for(lambda event: event["data"].get("text") == "through\n")
    assert session.call("checkpoint_session")["bytes"] > 160_000_000
    assert evaluate(session, stream, "y; x[1]") == "[1] 100\n[1] -1\n"
    assert stream.position > since


@pytest.mark.parametrize("delay", [0.0, 0.02, 0.05, 0.1, 0.2, 0.4])
def test_a_kill_at_any_moment_leaves_the_old_or_the_new_state(session: RunningSession, delay: float) -> None:
    stream = ready(session)
    evaluate(session, stream, "x <- runif(4e6); state <- 'old'; sum_x <- sum(x)")
    session.call("checkpoint_session")
    evaluate(session, stream, "x <- runif(8e6); state <- 'new'; sum_x <- sum(x)")
    asking = begin_checkpoint(session)
    select.select([], [], [], delay)
    kill(session)
    asking.close()
    stream = restored(session)
    told = evaluate(session, stream, "state; sum_x == sum(x)")
    assert told in ('[1] "old"\n[1] TRUE\n', '[1] "new"\n[1] TRUE\n')
    suspend(session, stream)
    assert leftovers(session) == []


def test_a_killed_writer_costs_nothing(session: RunningSession) -> None:
    stream = ready(session)
    evaluate(session, stream, "x <- runif(4e6); total <- sum(x)")
    session.call("checkpoint_session")
    evaluate(session, stream, "more <- runif(3e7)")
    asking = begin_checkpoint(session)
    os.kill(writer_of(session), signal.SIGKILL)
    assert b"was killed" in asking.recv(65536)
    asking.close()
    packs = [path for path in store_of(session).iterdir() if path.name.startswith("pack")]
    assert sum(path.stat().st_size for path in packs) < 40_000_000
    kill(session)
    stream = restored(session)
    assert evaluate(session, stream, "total == sum(x); exists('more')") == "[1] TRUE\n[1] FALSE\n"


def test_a_suspension_can_be_cancelled(session: RunningSession) -> None:
    stream = ready(session)
    evaluate(session, stream, "x <- runif(5e7)")
    body = {"method": "suspend_session", "params": [], "clientId": session.client_id}
    data = json.dumps(body).encode()
    with connect(session.socket_path) as connection:
        head = f"POST /rpc/suspend_session HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(data)}\r\n\r\n"
        connection.sendall(head.encode() + data)
        stream.wait_for_type("workspace_progress")
        session.call("cancel_suspend")
        assert b"1003" in connection.recv(65536)
    assert evaluate(session, stream, "length(x)") == "[1] 50000000\n"


def damage(session: RunningSession, part: bytes) -> None:
    """Change one byte behind the last `part` in the pack that has it."""
    for pack in store_of(session).glob("pack-*"):
        data = bytearray(pack.read_bytes())
        at = data.rfind(part)
        if at >= 0:
            data[at + len(part)] ^= 1
            pack.write_bytes(data)
            return
    raise AssertionError("no pack has it")


def test_a_damaged_object_is_named_and_the_others_are_restored() -> None:
    with RunningSession(["--session-workspace-compression=none"]) as session:
        stream = ready(session)
        evaluate(session, stream, "good <- 'unharmed'; bad <- 'MARKER and what follows'; list_of <- as.list(1:10)")
        suspend(session, stream)
        damage(session, b"MARKER")
        stream = restored(session)
        assert "'bad'" in message(stream, "cannot be restored")
        evaluate(session, stream, "bad")
        assert "object 'bad' cannot be restored" in stream.text("console_write_error")
        assert evaluate(session, stream, "good; length(list_of)") == '[1] "unharmed"\n[1] 10\n'
        suspend(session, stream)
        stream = restored(session)
        assert evaluate(session, stream, "good; length(list_of)") == '[1] "unharmed"\n[1] 10\n'


def test_where_all_packs_are_gone_nothing_is_said_to_be_restored(session: RunningSession) -> None:
    stream = ready(session)
    evaluate(session, stream, "set.seed(1); x <- runif(1e5); plot(1)")
    suspend(session, stream)
    for pack in store_of(session).glob("pack-*"):
        pack.unlink()
    stream = restored(session)
    told = " ".join(messages(stream))
    assert "some objects will not come back" in told
    assert "packages, options, folder and plots are those of a new session." in told
    assert "Everything else" not in told


def test_a_damaged_object_makes_the_same_error_at_each_touch() -> None:
    with RunningSession(["--session-workspace-compression=none"]) as session:
        stream = ready(session)
        evaluate(session, stream, "bad <- 'MARKER and what follows'; lockBinding('bad', globalenv())")
        suspend(session, stream)
        damage(session, b"MARKER")
        stream = restored(session)
        for _ in range(3):
            since = stream.position
            evaluate(session, stream, "bad")
            assert stream.text("console_write_error", since).startswith("Error: object 'bad' cannot be restored")
        assert "restarting" not in stream.text("console_write_error")
        assert evaluate(session, stream, "bindingIsLocked('bad', globalenv())") == "[1] TRUE\n"


@pytest.mark.parametrize(
    ("code", "name"),
    [
        (".Random.seed <- structure(.Random.seed, note = 'MARKER and what follows')", ".Random.seed"),
        (".Last <- function() 'MARKER and what follows'", ".Last"),
    ],
)
def test_what_r_reads_by_itself_is_left_out_when_it_is_damaged(code: str, name: str) -> None:
    with RunningSession(["--session-workspace-compression=none"]) as session:
        stream = ready(session)
        evaluate(session, stream, "set.seed(1); x <- 'unharmed'")
        evaluate(session, stream, code)
        suspend(session, stream)
        damage(session, b"MARKER")
        stream = restored(session)
        assert name in message(stream, "left out")
        assert evaluate(session, stream, f"x; exists('{name}')") == '[1] "unharmed"\n[1] FALSE\n'
        assert evaluate(session, stream, "length(runif(3))") == "[1] 3\n"
        assert session.call("checkpoint_session")["bytes"] > 0
        stream = resume(session, stream)
        assert not any("left out" in text for text in messages(stream))
        assert session.call("restart_session")["restarting"]


@pytest.mark.parametrize(
    "code",
    [
        "delayedAssign('.Random.seed', stop('never'))",
        "makeActiveBinding('.Random.seed', function() stop('never'), globalenv())",
        "delayedAssign('pointer', stop('never')); connection <- textConnection('a'); close(connection)",
    ],
)
def test_what_cannot_be_evaluated_blocks_no_suspension(session: RunningSession, code: str) -> None:
    stream = ready(session)
    evaluate(session, stream, "x <- 1")
    evaluate(session, stream, code)
    assert session.call("checkpoint_session")["bytes"] > 0
    stream = resume(session, stream)
    assert evaluate(session, stream, "x") == "[1] 1\n"


def test_objects_of_a_damaged_environment_fail_instead_of_being_half_there() -> None:
    with RunningSession(["--session-workspace-compression=none"]) as session:
        stream = ready(session)
        evaluate(
            session, stream, "e <- new.env(); e$text <- 'MARKER and what follows'; a <- list(e); b <- list(e); c <- 3"
        )
        suspend(session, stream)
        damage(session, b"MARKER")
        stream = restored(session)
        evaluate(session, stream, "a")
        evaluate(session, stream, "b")
        assert stream.text("console_write_error").count("cannot be restored") >= 2
        assert evaluate(session, stream, "c") == "[1] 3\n"


def test_a_damaged_manifest_is_set_aside(session: RunningSession) -> None:
    stream = ready(session)
    evaluate(session, stream, "x <- 1")
    suspend(session, stream)
    manifest = store_of(session) / "manifest"
    manifest.write_bytes(manifest.read_bytes()[:-1] + b"?")
    session.launch()
    session.init()
    stream = session.events(0)
    assert "set aside" in message(stream, "cannot be used")
    assert evaluate(session, stream, "exists('x')") == "[1] FALSE\n"
    aside = [path for path in store_of(session).parent.iterdir() if ".damaged-" in path.name]
    assert (aside[0] / "manifest").exists()


def test_a_missing_pack_costs_its_objects_alone(session: RunningSession) -> None:
    stream = ready(session)
    evaluate(session, stream, "x <- 1")
    session.call("checkpoint_session")
    evaluate(session, stream, "y <- 2")
    suspend(session, stream)
    packs = sorted(store_of(session).glob("pack-*"))
    assert len(packs) == 2
    packs[0].unlink()
    stream = restored(session)
    message(stream, "missing or cut off")
    assert evaluate(session, stream, "y") == "[1] 2\n"


def test_the_limit_is_told_before_it_is_reached() -> None:
    with RunningSession(["--session-workspace-limit-mb=10"]) as session:
        stream = ready(session)
        evaluate(session, stream, "small <- 1; large <- numeric(2e6)")
        answer = session.rpc("suspend_session")
        assert answer["error"]["code"] == 1003
        assert "15.3 MB" in answer["error"]["message"]
        assert "10.0 MB" in answer["error"]["message"]
        evaluate(session, stream, "rm(large)")
        stream = resume(session, stream)
        assert evaluate(session, stream, "small") == "[1] 1\n"


def test_a_package_that_is_gone_is_told(session: RunningSession) -> None:
    stream = ready(session)
    library = session.home / "library"
    source = session.home / "gonepkg"
    (source / "R").mkdir(parents=True)
    library.mkdir()
    (source / "DESCRIPTION").write_text("Package: gonepkg\nVersion: 1.0\nTitle: T\nDescription: D.\nLicense: MIT\n")
    (source / "NAMESPACE").write_text("export(f)\n")
    (source / "R" / "f.R").write_text("f <- function() 1\n")
    evaluate(session, stream, f"install.packages('{source}', lib = '{library}', repos = NULL, type = 'source')")
    evaluate(session, stream, f"library(gonepkg, lib.loc = '{library}'); x <- 1; g <- gonepkg::f")
    suspend(session, stream)
    subprocess.run(["rm", "-r", str(library)], check=True)
    stream = restored(session)
    assert "gonepkg" in message(stream, "cannot be attached again")
    assert evaluate(session, stream, "x") == "[1] 1\n"


def test_a_hundred_thousand_objects(session: RunningSession) -> None:
    stream = ready(session)
    evaluate(session, stream, "for (i in 1:100000) assign(paste0('n', i), i + 0.5)")
    suspend(session, stream)
    stream = restored(session)
    assert evaluate(session, stream, "n1; n77777; length(ls())") == "[1] 1.5\n[1] 77777.5\n[1] 100001\n"


def test_objects_r_cannot_write_stand_in_nobody_s_way(session: RunningSession) -> None:
    stream = ready(session)
    evaluate(session, stream, "x <- 1; deep <- NULL; for (i in 1:300000) deep <- list(deep)")
    session.call("suspend_session", True)
    assert session.process is not None
    assert session.process.wait(30) == 101
    stream = restored(session)
    assert any("deep" in text for text in messages(stream))
    assert evaluate(session, stream, "x") == "[1] 1\n"


class _Hash(ctypes.Structure):
    _fields_ = (("low", ctypes.c_uint64), ("high", ctypes.c_uint64))


def pretend_version(session: RunningSession, version: bytes) -> None:
    """Write another R's version into the manifest, with its checksum."""
    manifest = store_of(session) / "manifest"
    data = bytearray(manifest.read_bytes()[:-16])
    assert data[96:101] == b"4.2.2"
    data[96:101] = version
    xxh3 = ctypes.CDLL("libxxhash.so.0").XXH3_128bits
    xxh3.restype, xxh3.argtypes = _Hash, (ctypes.c_char_p, ctypes.c_size_t)
    manifest.write_bytes(bytes(data) + bytes(xxh3(bytes(data), len(data))))


def test_objects_of_another_r_come_with_a_sentence(session: RunningSession) -> None:
    stream = ready(session)
    evaluate(session, stream, "x <- 1; f <- function() x; .libPaths(tempdir())")
    suspend(session, stream)
    pretend_version(session, b"4.0.5")
    stream = restored(session)
    assert "saved by R 4.0.5" in message(stream, "saved by R")
    assert evaluate(session, stream, "f(); any(grepl('Rtmp', .libPaths()))") == "[1] 1\n[1] FALSE\n"


def test_names_and_values_of_every_kind(session: RunningSession) -> None:
    stream = ready(session)
    make = """
    assign("a name", 1); assign("\\u00fcber", 2); `if` <- base::`if`; assign(".hidden", 3); T <- "mine"; c <- 7
    nothing <- NULL
    raws <- as.raw(0:255); na <- c(NA, NaN, Inf); names(na) <- c("x", NA, ""); empty <- list(); big_raw <- raw(3e6)
    push <- function(x) items[[length(items) + 1]] <<- x
    Stack <- setRefClass("Stack", fields = list(items = "list"), methods = list(push = push))
    stack <- Stack$new(); stack$push(1); frame <- data.frame(x = 1:3); frame$l <- list(1, "b", NULL)
    model <- lm(dist ~ speed, cars)
    """
    evaluate(session, stream, f"{{{make}}}")
    stream = resume(session, stream)
    told = "cat(`a name`, get('\\u00fcber'), .hidden, T, is.null(nothing), length(raws), names(na), length(big_raw))"
    assert evaluate(session, stream, told) == "1 2 3 mine TRUE 256 x NA  3000000"
    assert evaluate(session, stream, "rm(c, T, `if`); stack$push(2); length(stack$items)") == "[1] 2\n"
    assert evaluate(session, stream, "round(predict(model, data.frame(speed = 10))[[1]], 2)") == "[1] 21.74\n"


def test_objects_that_depend_on_each_other_may_be_removed_before_they_are_loaded(session: RunningSession) -> None:
    stream = ready(session)
    evaluate(session, stream, "x <- 1:10; delayedAssign('y', sum(x)); f <- function() sum(x)")
    suspend(session, stream)
    stream = restored(session)
    session.call("stop_loading")
    evaluate(session, stream, "rm(f)")
    assert evaluate(session, stream, "y") == "[1] 55\n"
    suspend(session, stream)
    stream = restored(session)
    assert evaluate(session, stream, "ls()") == '[1] "x" "y"\n'
